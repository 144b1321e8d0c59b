"""What the rows of a kind come to: faults planted, caught, named, and the mildest of them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dnnbench_faults.names import named_of
from scipy.stats import binomtest

from .kinds import kind_of, kinds
from .plan import HONEST, KIT, Planned, fault_of, planted
from .recorded import Recorded, latest

LEVEL = 0.95


@dataclass(frozen=True)
class Of:
    """So many of so many, with its exact limits (Clopper-Pearson, one-sided)."""

    count: int
    total: int

    @property
    def at_least(self) -> str:
        """As "12 of 12 (at least 78%)"."""
        if not self.total:
            return ""
        low = _limits(self.count, self.total)[0]
        return f"{self.count} of {self.total} (at least {low:.0%})"

    @property
    def at_most(self) -> str:
        """As "0 of 12 (at most 22.1%)"."""
        if not self.total:
            return ""
        high = _limits(self.count, self.total)[1]
        return f"{self.count} of {self.total} (at most {high:.1%})"


def _limits(count: int, total: int) -> tuple[float, float]:
    """Each holds by itself at LEVEL: the two-sided interval of twice the risk."""
    interval = binomtest(count, total).proportion_ci(2 * LEVEL - 1, method="exact")
    return interval.low, interval.high


@dataclass(frozen=True)
class Fault:
    """One planted fault, a row for each type in which it is recorded, and the kit's row if any."""

    fault: object
    rows: tuple[Recorded, ...]
    of_kit: Recorded | None = None

    @property
    def caught(self) -> bool:
        """In every type that it is planted in."""
        return all(row.differs for row in self.rows)

    @property
    def only_by_the_kit(self) -> bool:
        """Whether the kit shows it, and no check of its case."""
        return not self.caught and self.of_kit is not None and self.of_kit.differs

    @property
    def part_named(self) -> bool:
        """Likewise, by the explanation."""
        wanted = named_of(self.fault)
        return wanted is not None and all(wanted.is_part(row.named) for row in self.rows)

    @property
    def fault_named(self) -> bool:
        """The right part, with words of the known fault."""
        wanted = named_of(self.fault)
        return self.part_named and all(wanted.words in row.fault for row in self.rows)


def faults(rows: Mapping[Planned, Recorded]) -> list[Fault]:
    """Planted faults of which something is recorded, those of both tables in order."""
    by_fault: dict[int, list[Planned]] = {}
    by_kit = {(row.backend, row.mode): row for row in rows.values() if row.what == KIT}
    for check in planted():
        by_fault.setdefault(id(fault_of(check)), []).append(check)
    counted = []
    for checks in by_fault.values():
        made = tuple(rows[check] for check in checks if check in rows)
        if made:
            fault = fault_of(checks[0])
            counted.append(Fault(fault, made, by_kit.get((fault.backend, fault.mode))))
    return counted


def by_kind(counted: Iterable[Fault]) -> dict[str, list[Fault]]:
    """Every kind in order, also one of which nothing is recorded."""
    of_kind: dict[str, list[Fault]] = {kind: [] for kind in kinds()}
    for one in counted:
        of_kind[kind_of(one.fault)].append(one)
    return of_kind


def planted_of_kind() -> dict[str, int]:
    """How many faults each kind has, recorded or not."""
    by_id = {id(fault_of(check)): fault_of(check) for check in planted()}
    counts = dict.fromkeys(kinds(), 0)
    for fault in by_id.values():
        counts[kind_of(fault)] += 1
    return counts


def mildest(counted: Iterable[Fault], dtype: str) -> Recorded | None:
    """The caught fault whose worst tensor is nearest to its allowance."""
    rows = [row for one in counted for row in one.rows if row.dtype == dtype and row.differs]
    return min(rows, key=lambda row: row.ratio, default=None)


def honest(rows: Iterable[Recorded]) -> list[Recorded]:
    """Checks in which nothing is planted."""
    return [row for row in latest(rows).values() if row.what == HONEST]
