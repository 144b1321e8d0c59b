"""A gate as workflow commands of GitHub Actions, which its interface shows beside a change.

Form: https://docs.github.com/en/actions/reference/workflows-and-actions/workflow-commands: a line
`::warning file=PATH,title=TEXT::MESSAGE`; in a property `:` and `,` are escaped besides.
"""

from collections.abc import Mapping

from ..execution.gate_cells import Answer, Gate, GateCell
from ..wording import one_line
from .gate_words import reason_of

LEVELS = {Answer.PASS: "", Answer.INCONCLUSIVE: "warning"}
"""Of each answer that is no error; none for a cell that passes."""
MOST = 10
"""GitHub shows ten annotations of a kind in a step, and drops the others."""


def annotations_of(gate: Gate, files: Mapping[str, str]) -> str:
    """A line for each cell that does not pass, errors first; of more than ten the first ten, and
    how many there are.

    files: of workloads by name, those that the user named by a file.
    """
    each = (_line(gate, cell, files.get(cell.case.workload)) for cell in gate.cells)
    lines = sorted(filter(None, each))  # "::error" before "::warning"
    more = len(lines) - MOST
    shown = lines[: MOST - 1] if more > 0 else lines
    rest = [f"::warning title=dnnbench::and {more + 1} more cells, as the summary has them"]
    return "".join(f"{line}\n" for line in [*shown, *(rest if more > 0 else [])])


def _line(gate: Gate, cell: GateCell, file: str | None) -> str:
    answer = gate.answer_of(cell)
    level = LEVELS.get(answer, "error")
    if not level:
        return ""
    properties = {"file": file} if file else {}
    properties["title"] = f"dnnbench: {answer}"
    shown = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    message = f"{cell.case} {cell.phase} on {cell.arm}: {reason_of(gate, cell) or answer}"
    return f"::{level} {shown}::{_data(message)}"


def _data(text: str) -> str:
    """On one line, in which a name can begin no other command."""
    return one_line(text).replace("%", "%25")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
