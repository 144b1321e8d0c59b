"""Sections as text on stdout: a run's, and those of what other commands come to."""

from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING

from .output import Output

if TYPE_CHECKING:
    from ..api.showing import Shown
    from ..report.evidence import Evidence
    from ..report.section import Section


def print_run(output: Output, evidence: "Evidence", details: bool) -> None:
    """Its sections; without `details` the first, which answers."""
    from ..report.builders import in_brief, sections_of

    sections = sections_of(evidence)
    print_sections(output, sections if details else in_brief(sections))


def print_outcome(output: Output, result: "Shown", details: bool) -> None:
    """What a command came to; its details on request.

    Doubts are left to the notes and errors of the command, which go to stderr.
    """
    sections = [replace(section, doubts=()) for section in result.sections()]
    print_sections(output, sections if details else sections[:1])


def print_sections(output: Output, sections: "Iterable[Section]") -> None:
    """One below the other."""
    from ..report.terminal import drawn

    for part in drawn(sections):
        output.table(part)
