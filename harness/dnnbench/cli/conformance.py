"""dnnbench conformance: what a backend supports, what is wrong with it and by how much."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import rich_click as click

from ..agreement.status import Status
from ..errors import NothingMeasured
from ..protocol.device import Device
from ..protocol.dtypes import DType
from . import completing, exitcodes
from .options import Command, list_option, output_options
from .output import Output
from .types import Words
from .work_options import DEVICE

if TYPE_CHECKING:
    from rich.text import Text

    from ..testing.kit import Conformance
    from ..testing.verdicts import LawVerdict, Side, Verdict

LAW_STYLES = {
    "kept": "green",
    "broken": "bold red",
    "could not run": "bold red",
    "unsupported": "dim",
}
CASE_STATUSES, LAW_STATUSES = (
    (Status.AGREES, Status.DIFFERS, Status.UNSUPPORTED),
    ("kept", "broken"),
)
"""Counted at the end even where there are none; the others where there are."""
NAME_WIDTH, CELL_WIDTH = 44, 16
"""Characters of a case's or a law's name, and of a verdict."""


@click.command("conformance", cls=Command)
@click.argument("name", metavar="NAME[:MODE]", shell_complete=completing.arm)
@DEVICE
@list_option(
    "--dtype",
    "dtypes",
    type=Words(DType),
    default="float64,float32",
    show_default=True,
    help="Element types to hold it to, with commas; float64 tells a wrong formula from rounding.",
)
@click.option(
    "-k",
    "expression",
    default="",
    metavar="EXPRESSION",
    help="Only cases and laws whose names it fits, as pytest's -k: "
    "'softmax', 'norms and not float32', 'law'.",
)
@click.option(
    "--details", is_flag=True, help="Print a row for each case and law as soon as it is judged."
)
@output_options
@click.pass_obj
def command(
    output: Output,
    name: str,
    device: tuple[Device, ...],
    dtypes: tuple[DType, ...],
    expression: str,
    details: bool,
    as_json: bool,
) -> int:
    """Hold a backend against every op, loss and optimizer, and against the laws of the protocol.

    For whoever writes or maintains a backend, in dnnbench or outside it.
    Small networks of every op run in a worker and are held against the NumPy reference: outputs,
    loss and statistics (forward), gradients and what five steps make of the weights (gradient).
    Each family of cases has its worst error as a share of the allowance, so that up to 1 is right.
    Beyond 1 a case differs; one that raised or killed its process could not run.
    What the backend says it cannot do is not wrong; its reason is told.
    NAME:all takes every mode. With --details each case has a row, as soon as it is known.

    Exit code 1 if anything differs, could not run or could not be compared, or a law is broken;
    4 if the backend supports nothing at all.

    \b
    Examples:
      dnnbench conformance torch
      dnnbench conformance torch -k 'sequences and float64'
      dnnbench conformance jax:eager --dtype float64 --json
      pytest --pyargs dnnbench.testing --backend torch -k lstm
    """
    from ..execution.arms import select
    from ..execution.best_choice import refuse_best
    from ..execution.devices import choose_device
    from ..protocol.arm import telling_apart
    from ..testing.choosing import everything, those_that_fit
    from ..testing.kit import Unwatched, hold_against
    from .progress import Lines, reporter

    selection = those_that_fit(expression, dtypes) if expression else everything(dtypes)
    requested, skipped = select([name])
    refuse_best(requested)
    for what, reason in skipped.items():
        output.note(f"{what}: {reason}")
    with reporter(output) as report:
        places = [choose_device(one, requested, report) for one in device]
    arms = telling_apart([arm.on(place) for place in places for arm in requested])
    rows = details and not as_json
    results = []
    for arm in arms:
        watcher = Rows(output) if rows else Unwatched()
        # a bar and rows would write over each other
        with nullcontext(Lines(output)) if rows else reporter(output) as report:
            results.append(hold_against(arm, selection, report, watcher))
        if not as_json:
            _conclude(output, results[-1], details, spaced=details or len(results) > 1)
    if as_json:
        output.json(_document(results))
    if not any(one.answered or one.laws_answered for one in results):
        raise NothingMeasured(
            f"{name} supports none of the cases; each reason stands in its 'unsupported'"
        )
    return exitcodes.FAILED if _faults(results) else exitcodes.OK


def _document(results: "Sequence[Conformance]") -> dict[str, Any]:
    from ..report.document import document
    from ..report.outcomes.conformance import conformance_section

    backends = [one.to_json() for one in results]
    spoken = document([conformance_section(one) for one in results])
    return {"backends": backends, "conforms": not _faults(results), **spoken}


def _faults(results: "Sequence[Conformance]") -> int:
    return sum(len(one.wrong) + len(one.broken) for one in results)


class Rows:
    """Prints a row for each case and law as it is judged, and on stderr what is wrong with it."""

    def __init__(self, output: Output) -> None:
        self._output, self._family, self._laws = output, "", False

    def begins(self, arm: str, versions: Mapping[str, str], dtype: str) -> None:
        with_versions = ", ".join(f"{name} {version}" for name, version in versions.items())
        self._output.text(
            f"\n{arm} in {dtype} ({with_versions}): the worst error of each case, "
            "as a share of its allowance\n"
        )
        self._output.text(
            f"{'case':<{NAME_WIDTH}}{'forward':>{CELL_WIDTH}}{'gradient':>{CELL_WIDTH}}"
        )
        self._family = ""

    def judged(self, sides: "Mapping[Side, Verdict]") -> None:
        from ..testing.families import FAMILIES

        case = next(iter(sides.values())).case
        if FAMILIES[case] != self._family:
            self._family = FAMILIES[case]
            self._output.table(_styled(self._family, "bold"))
        row = _styled(f"  {case:<{NAME_WIDTH - 2}}", "")
        for verdict in sides.values():
            row.append_text(_cell(verdict))
        self._output.table(row)
        from ..report.outcomes.conformance import wrongs

        for line in wrongs(sides.values()):
            self._output.error(line)

    def judged_law(self, law: "LawVerdict") -> None:
        if not self._laws:
            self._output.text("\nlaws of the protocol")
            self._laws = True
        row = _styled(f"  {law.law:<{NAME_WIDTH - 2}}", "")
        row.append(f"{law.status:<{CELL_WIDTH}}", LAW_STYLES[law.status])
        row.append(f"{law.case or '-'}: {law.meaning}")
        self._output.table(row)
        if law.status not in ("kept", "unsupported"):
            self._output.error(f"{law.arm} {law.law} on {law.case}: {law.status}: {law.reason}")


def _conclude(output: Output, result: "Conformance", details: bool, spaced: bool) -> None:
    """The outcome; on stderr what is wrong, unless its rows were printed, and the counts.

    spaced: whether something stands above it.
    """
    from ..report.outcomes.conformance import conformance_section
    from .run_text import print_sections

    section = conformance_section(result)
    if spaced:
        output.text("")
    print_sections(output, [replace(section, doubts=())])
    for line in () if details else section.doubts:
        output.error(line)
    output.note(
        f"{result.arm}: {_counted(result.verdicts, CASE_STATUSES)}; laws: "
        f"{_counted(result.laws, LAW_STATUSES)}"
    )


def _counted(verdicts: "Sequence[Verdict] | Sequence[LawVerdict]", always: Sequence[str]) -> str:
    """How many have each status, those of `always` though there be none."""
    count: Counter[str] = Counter(one.status for one in verdicts)
    return ", ".join(f"{count[status]} {status}" for status in dict.fromkeys([*always, *count]))


def _cell(verdict: "Verdict") -> "Text":
    if verdict.status is Status.UNSUPPORTED:
        return _styled(f"{'-':>{CELL_WIDTH}}", "dim")
    share = f" {verdict.ratio:.2g}" if math.isfinite(verdict.ratio) else ""
    style = "green" if verdict.status.passes else "bold red"
    return _styled(f"{verdict.status + share:>{CELL_WIDTH}}", style)


def _styled(text: str, style: str) -> "Text":
    from rich.text import Text

    return Text(text, style)
