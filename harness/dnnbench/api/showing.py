"""What a notebook, Markdown, a script and the command line show of a result: its sections."""

from collections.abc import Sequence
from typing import Any

from ..report.document import document
from ..report.markdown import markdown
from ..report.section import Section


class Shown:
    """A result that `sections` describes: the first is its outcome, the others its details."""

    def sections(self) -> Sequence[Section]:
        """What every renderer is handed."""
        raise NotImplementedError

    def __repr__(self) -> str:
        """The outcome in a sentence, as an interpreter without HTML shows it."""
        outcome, *_ = self.sections()
        said = [outcome.alarm, *outcome.conclusions, *outcome.sentences, outcome.title]
        return f"<{type(self).__name__}: {next(filter(None, said))}>"

    def _repr_html_(self) -> str:
        """The outcome, as a notebook shows it."""
        from ..report.html import section_html
        from ..report.palette import places

        outcome, *_ = self.sections()
        return section_html(outcome, places(_backends(outcome)))

    def to_markdown(self) -> str:
        """Everything as Markdown, the outcome first."""
        return markdown(self.sections())

    def spoken(self) -> dict[str, Any]:
        """What the sections say in words, for a JSON document."""
        return document(self.sections())


def _backends(section: Section) -> set[str]:
    """Those whose colours it shows."""
    rows = [row for table in section.tables for row in table.rows]
    return {cell.backend for row in rows for cell in row if cell.backend}
