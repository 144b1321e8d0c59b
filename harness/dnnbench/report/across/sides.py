"""A side: one machine, version or type, with the runs that measured on it or in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePath

from ...errors import UsageError
from ...protocol.dtypes import DType
from ..evidence import Evidence
from ..timed_cells import TimedCell, timed_cells
from .by import MOST_SIDES, PLURAL, By

MOST_VERSIONS = 3
"""That the name of a side tells."""


@dataclass(frozen=True)
class Same:
    """What a cell has in common with its counterpart on another side; dtype is empty where it is
    what differs.
    """

    workload: str
    spec_hash: str
    batch_size: int
    phase: str
    arm: str
    dtype: str

    @property
    def label(self) -> str:
        """The arm with its type, where that is not the usual one."""
        return self.arm if self.dtype in ("", DType.FLOAT32) else f"{self.arm}, {self.dtype}"


@dataclass(frozen=True)
class Side:
    """runs: newest first, each with its timed cells that belong to the side."""

    name: str
    runs: tuple[tuple[Evidence, Mapping[Same, TimedCell]], ...]
    aliases: tuple[str, ...] = ()
    """Other texts by which a user may name it."""

    @property
    def newest(self) -> Evidence:
        return self.runs[0][0]

    @property
    def cells(self) -> Mapping[Same, TimedCell]:
        """Of the newest run."""
        return self.runs[0][1]


Key = tuple[tuple[str, str], ...]
"""What names a side: pairs of a name and its value."""


@dataclass(frozen=True)
class _Part:
    """What one run has of one side; place: its store."""

    key: Key
    run: Evidence
    cells: Mapping[Same, TimedCell]
    place: str


def sides_of(runs: Sequence[Evidence], by: By, places: Sequence[str] = ()) -> list[Side]:
    """Two or more; UsageError for fewer, or for more than a table holds.

    runs: in the order of the stores, newest first of each side   places: the store of each run.
    """
    groups: list[list[_Part]] = []
    for run, place in zip(runs, places or [""] * len(runs), strict=True):
        for part in _parts(run, by, place):
            _add(groups, part)
    if len(groups) < 2:
        raise UsageError(_too_few(by, groups))
    if len(groups) > MOST_SIDES:
        raise UsageError(
            f"report: got {len(groups)} {PLURAL[by]}, and {MOST_SIDES} is the most that stand side "
            "by side; name fewer stores"
        )
    names = _told_apart(groups) if by is By.MACHINE else _differences(groups)
    return [_side(name, group) for name, group in zip(names, groups, strict=True)]


def _side(name: str, group: Sequence[_Part]) -> Side:
    first = group[0]
    machine = first.run.machine
    aliases = (machine["machine_label"], machine["machine_id"], PurePath(first.place).stem)
    runs = tuple((part.run, part.cells) for part in group)
    return Side(name, runs, tuple(str(alias) for alias in aliases if alias))


def _parts(run: Evidence, by: By, place: str) -> list[_Part]:
    """A run taken apart by the side that its cells belong to."""
    cells: dict[Key, dict[Same, TimedCell]] = {}
    for cell in timed_cells(run.cells):
        cells.setdefault(_key(run, cell, by), {})[_same(cell, by)] = cell
    return [_Part(key, run, of_key, place) for key, of_key in cells.items()]


def _same(cell: TimedCell, by: By) -> Same:
    """The arm's name without what stands elsewhere: the type, and the interpreter of a version."""
    shown = tuple(option for option in cell.key.arm.shown if option != "dtype")
    arm = replace(cell.key.arm, shown=shown)
    if by is By.VERSION:
        arm = replace(arm, environment="")
    dtype = "" if by is By.DTYPE else cell.dtype
    return Same(cell.workload, cell.spec_hash, cell.batch_size, cell.phase, arm.name, dtype)


def _key(run: Evidence, cell: TimedCell, by: By) -> Key:
    if by is By.DTYPE:
        return (("dtype", cell.dtype),)
    if by is By.VERSION:
        return tuple(sorted(_versions(run, cell.key.arm.environment).items()))
    machine = run.machine
    names = ("machine_id", "host_hash", "machine_label")
    return tuple((name, str(machine[name] or "")) for name in names)


def _versions(run: Evidence, environment: str) -> dict[str, str]:
    """Of all that the arms of one interpreter computed with."""
    versions: dict[str, str] = {}
    for arm, of_arm in run.facts.versions.items():
        versions |= of_arm if arm.environment == environment else {}
    return {"dnnbench": run.run.dnnbench_version, **(versions or dict(run.run.versions))}


def _add(groups: list[list[_Part]], part: _Part) -> None:
    """To the group whose names have the same values, as far as both have them."""
    for group in groups:
        values = dict(group[0].key)
        if all(values.get(name, value) == value for name, value in part.key):
            group.append(part)
            return
    groups.append([part])


def _told_apart(groups: Sequence[Sequence[_Part]]) -> list[str]:
    """Labels of machines; where two read alike with their store, else with the host's hash."""
    names = [group[0].run.machine_name for group in groups]
    for mark in (_stem, _host):
        marked = [f"{name} ({mark(group[0])})" for name, group in zip(names, groups, strict=True)]
        names = [
            name if names.count(name) == 1 else with_mark
            for name, with_mark in zip(names, marked, strict=True)
        ]
    return names


def _stem(part: _Part) -> str:
    return PurePath(part.place).stem or part.run.run.run_id


def _host(part: _Part) -> str:
    return f"host {part.run.machine['host_hash'][:6]}"


def _differences(groups: Sequence[Sequence[_Part]]) -> list[str]:
    """By the values in which the sides differ, of a type by its name alone."""
    keys = [dict(group[0].key) for group in groups]
    names = dict.fromkeys(name for key in keys for name in key)
    differing = [name for name in names if len({key.get(name) for key in keys}) > 1]
    return [_spelt({name: key[name] for name in differing if name in key}) for key in keys]


def _spelt(values: Mapping[str, str]) -> str:
    if list(values) == ["dtype"]:
        return values["dtype"]
    pairs = [f"{name} {value}" for name, value in values.items()]
    more = len(pairs) - MOST_VERSIONS
    return ", ".join(pairs[:MOST_VERSIONS]) + (f" and {more} more" if more > 0 else "")


def _too_few(by: By, groups: Sequence[Sequence[_Part]]) -> str:
    here = f"all are of {groups[0][0].run.machine_name}" if groups else "no cell has a time"
    ways = {
        By.MACHINE: "name more stores, merge them, or tell two machines that are alike apart with "
        "`dnnbench machine label`",
        By.VERSION: "run the same with two versions, or in two environments (`--env`)",
        By.DTYPE: "run with several types, such as --dtype float32,bfloat16",
    }
    return f"report: --by {by} needs runs of two {PLURAL[by]} or more ({here}); {ways[by]}"
