"""dnnbench conformance: what a backend supports, what is wrong with it and by how much."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence

import rich_click as click

from ..errors import NothingMeasured
from ..numerics.status import Status
from . import exitcodes
from .options import output_options
from .types import Words
from .work_options import DEVICE, DTYPES

LAW_STYLES = {"kept": "green", "broken": "bold red", "could not run": "bold red", "unsupported": "dim"}
CASE_STATUSES, LAW_STATUSES = (Status.AGREES, Status.DIFFERS, Status.UNSUPPORTED), ("kept", "broken")
"""Counted at the end even where there are none; the others where there are."""


@click.command("conformance")
@click.argument("name", metavar="NAME[:MODE]")
@DEVICE
@click.option(
    "--dtype",
    "dtypes",
    type=Words(DTYPES),
    default="float64,float32",
    show_default=True,
    help="Element types to hold it to, with commas; float64 tells a wrong formula from rounding.",
)
@output_options
@click.pass_obj
def command(output, name, device, dtypes, as_json: bool):
    """Hold a backend against every op, loss and optimizer, and against the laws of the protocol.

    For whoever writes or maintains a backend, in dnnbench or outside it. Small networks of every op run in a worker and
    are held against the NumPy reference: outputs, loss and statistics (forward), gradients and what five steps make of
    the weights (gradient). Beside each stands the worst error as a share of its allowance, so that up to 1 is right.
    Beyond 1 a case differs; one that raised or killed its process could not run. What the backend says it cannot do ('-')
    is not wrong; its reason is told. NAME:all takes every mode.

    Exit code 1 if anything differs, could not run or could not be compared, or a law is broken; 4 if the backend supports
    nothing at all.

    \b
    Examples:
      dnnbench conformance torch
      dnnbench conformance jax:eager --dtype float64 --json
      pytest --pyargs dnnbench.testing --backend torch -k lstm
    """
    from ..protocol.arm import Arm
    from ..run.arms import select
    from ..run.devices import choose_device
    from ..testing.kit import hold_against_all
    from .progress import reporter

    contenders, skipped = select([name])
    with reporter(output) as report:
        for what, reason in skipped.items():
            report.note(f"{what}: {reason}")
        place = choose_device(device, contenders, report)
        arms = [Arm(c.info.name, c.mode, place, environment=c.environment) for c in contenders]
        found = [hold_against_all(arm, dtypes, report) for arm in arms]
    if as_json:
        output.json({"backends": [one.to_json() for one in found], "conforms": not _faults(found)})
    else:
        for one in found:
            _print(output, one, dtypes)
    if not any(one.answered for one in found):
        raise NothingMeasured(f"{name} supports none of the cases; each reason stands in its 'unsupported'")
    return exitcodes.FAILED if _faults(found) else exitcodes.OK


def _faults(found) -> int:
    return sum(len(one.wrong) + len(one.broken) for one in found)


def _print(output, found, dtypes: Sequence[str]) -> None:
    versions = ", ".join(f"{name} {version}" for name, version in found.versions.items())
    output.text(f"\n{found.arm} ({versions}): the worst error of each case, as a share of its allowance\n")
    output.table(_case_table(found, dtypes))
    output.text("")
    output.table(_law_table(found))
    for line in _reasons(found):
        output.text(line)
    for line in _wrongs(found):
        output.error(line)
    for law in found.broken:
        output.error(f"{found.arm} {law.law} on {law.case}: {law.status}: {law.reason}")
    output.note(f"{found.arm}: {_counted(found.verdicts, CASE_STATUSES)}; laws: {_counted(found.laws, LAW_STATUSES)}")


def _counted(verdicts, always: Sequence[str]) -> str:
    """How many have each status, those of `always` though there be none."""
    count = Counter(one.status for one in verdicts)
    return ", ".join(f"{count[status]} {status}" for status in dict.fromkeys([*always, *count]))


def _wrongs(found) -> list[str]:
    """What does not pass, a line for each; a case that raised does so on both sides and is told once."""
    lines = {}
    for v in found.wrong:
        if v.tensor:
            times = f" ({v.ratio:.3g} times the allowance)" if math.isfinite(v.ratio) else ""
            lines[v] = f"{v.case} {v.dtype} {v.side}: {v.status}: {v.tensor}: {v.reason}{times}"
        else:
            lines[v.case, v.dtype] = f"{v.case} {v.dtype}: {v.status}: {v.reason}"
    return [f"{found.arm} {line}" for line in lines.values()]


def _case_table(found, dtypes: Sequence[str]):
    """A row for each case, under its family's heading; a column for each element type and side."""
    from ..report.columns import column_table
    from ..testing.families import FAMILIES
    from ..testing.verdicts import SIDES

    by_place = {(v.case, v.dtype, v.side): v for v in found.verdicts}
    columns = [(dtype, side) for dtype in dtypes for side in SIDES]
    table = column_table("case", *(f">{dtype} {side}" for dtype, side in columns))
    last = ""
    for case, family in FAMILIES.items():
        if family != last:
            table.add_row(_styled(family, "bold"))
            last = family
        table.add_row(f"  {case}", *(_cell(by_place[case, *column]) for column in columns))
    return table


def _cell(verdict):
    if verdict.status is Status.UNSUPPORTED:
        return _styled("-", "dim")
    share = f" {verdict.ratio:.2g}" if math.isfinite(verdict.ratio) else ""
    return _styled(verdict.status + share, "green" if verdict.status.passes else "bold red")


def _law_table(found):
    from ..report.columns import column_table

    table = column_table("law", "", "asked on", "meaning", leave_out=("meaning", "asked on"))
    for law in found.laws:
        table.add_row(law.law, _styled(law.status, LAW_STYLES[law.status]), law.case or "-", law.meaning)
    return table


def _styled(text: str, style: str):
    from rich.text import Text

    return Text(text, style)


def _reasons(found) -> Iterator[str]:
    """Each reason for not supporting something once, with all that it is given for."""
    from ..testing.families import FAMILIES

    named: dict[str, dict[str, None]] = {}
    for (reason, dtype), cases in _unsupported_cases(found).items():
        told = named.setdefault(reason, {})
        told |= dict.fromkeys([f"every case ({dtype})"] if len(cases) == len(FAMILIES) else cases)
    for law in found.laws:
        if law.status == "unsupported":
            named.setdefault(law.reason, {})[law.law] = None
    if named:
        yield "\nunsupported:"
    for reason, what in named.items():
        yield f"  {reason}: {', '.join(what)}"


def _unsupported_cases(found) -> dict[tuple[str, str], dict[str, None]]:
    """Names of cases by (reason, element type)."""
    cases: dict[tuple[str, str], dict[str, None]] = {}
    for v in found.verdicts:
        if v.status is Status.UNSUPPORTED:
            cases.setdefault((v.reason, v.dtype), {})[f"{v.case} ({v.dtype})"] = None
    return cases
