"""A run as text: the answer, or with details everything that was measured."""

from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from ..report.evidence import Evidence


def print_run(output: Output, evidence: "Evidence", details: bool) -> None:
    """Its sections on stdout; without `details` the first, which answers."""
    from ..report.builders import in_brief, sections_of
    from ..report.terminal import drawn

    sections = sections_of(evidence)
    for part in drawn(sections if details else in_brief(sections)):
        output.table(part)
