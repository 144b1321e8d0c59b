"""The fairness ledger: what should be equal between arms that are ranked together, as each really had it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite

from ..stats.flags import WAITED
from .plan import Plan
from .record import FLAGS, Record

SPARE_CPU = 0.25
"""How much of a CPU beyond its threads an arm may use: its own housekeeping."""
BY_BITS = {53: "float64", 24: "float32", 11: "TF32 or float16", 8: "bfloat16"}
"""Precisions by the bits of their products."""
KINDS = {"cuda": "gpu", "rocm": "gpu"}
"""Of devices, where a framework has a word of its own."""
SHOWN = (
    *("device", "threads", "dtype", "layout", "product_bits", "denormals"),
    *("autotune", "donation", "graph_breaks", "optimizer"),
)
"""Facts of a program that the ledger shows as they are told."""


@dataclass(frozen=True)
class Line:
    """One thing that may differ: what it was for each arm, and whether arms that differ in it may be ranked together."""

    what: str
    values: Mapping[str, object]
    must_match: bool

    @property
    def equal(self) -> bool:
        return len(set(map(str, self.values.values()))) <= 1

    def to_json(self) -> dict:
        return {"what": self.what, "values": dict(self.values), "must_match": self.must_match, "equal": self.equal}


def ledger(plan: Plan, record: Record, case: str) -> list[Line]:
    """Every line for one case, those that must match first; arms that were not built, or do not tell, are left out."""
    facts = {arm.name: record.programs.get(f"{arm.name} {case}") for arm in plan.arms}
    known, idle = {arm: told for arm, told in facts.items() if told}, record.idle_cpu
    must_match = {
        "precision of products": _each(known, "product_bits", _product_type),
        "CPUs that its threads may use": _each(known, "cpus"),
        "CPUs within the threads given": _within_threads(plan, record, case),
        "kind of device": _each(known, "device", _kind),
    }
    shown = {name: _each(known, name) for name in SHOWN} | {
        "placement of threads": _each(known, "placement", _by_outcome),
        "visits with a thread waiting": _waited(plan, record, case),
        "compile cache": dict.fromkeys(known, record.compile_cache),
        "CPU share while idle": {arm: idle[f"{arm} {case}"] for arm in known if f"{arm} {case}" in idle},
    }
    lines = [Line(what, values, True) for what, values in must_match.items()]
    return lines + [Line(what, values, False) for what, values in shown.items() if values]


def _each(known: Mapping[str, Mapping], name: str, spell: Callable = lambda value: value) -> dict[str, object]:
    """A fact of every arm that tells it."""
    return {arm: spell(told[name]) for arm, told in known.items() if told.get(name) is not None}


def _by_outcome(placement: Mapping[str, str]) -> str:
    """`one a CPU` where all phases are alike, else each outcome with its phases."""
    phases: dict[str, list[str]] = {}
    for phase, outcome in placement.items():
        phases.setdefault(outcome, []).append(phase)
    if len(phases) == 1:
        return next(iter(phases))
    return "; ".join(f"{', '.join(names)}: {outcome}" for outcome, names in phases.items())


def _waited(plan: Plan, record: Record, case: str) -> dict[str, str]:
    """Share of an arm's visits of the case in which a thread of its own waited for a CPU."""
    flags: dict[str, list[int]] = {}
    for (arm, where, _phase), visits in record.visits.items():
        if where == case:
            flags.setdefault(arm, []).extend(int(visit[FLAGS]) for visit in visits)
    told = [arm.name for arm in plan.arms if flags.get(arm.name)]
    return {arm: f"{_share(flags[arm], WAITED):.0%}" for arm in told}


def _share(flags: Sequence[int], flag: int) -> float:
    return sum(bool(one & flag) for one in flags) / len(flags)


def _kind(device: str) -> str:
    """`gpu` of `cuda:0`, of `GPU:0` and of `gpu:0 (NVIDIA ...)`."""
    kind = device.partition(":")[0].lower()
    return KINDS.get(kind, kind)


def _product_type(bits: float) -> str:
    """The precision whose unit roundoff is nearest to the measured error of a product; NaN is near to none."""
    if not isfinite(bits):
        return "not finite"
    return BY_BITS[min(BY_BITS, key=lambda known: abs(known - bits))]


def _within_threads(plan: Plan, record: Record, case: str) -> dict[str, str]:
    told = {}
    for arm in plan.arms:
        if audit := record.audits.get(f"{arm.name} {case}"):
            used = audit["cpus_used"]
            told[arm.name] = "yes" if used <= arm.threads + SPARE_CPU else f"no: {used:.2f} used"
    return told


def unequal(lines: list[Line], base: str) -> dict[str, str]:
    """Arm -> how it differs from the base in something that must match."""
    found: dict[str, list[str]] = {}
    for line in lines:
        wanted = line.values.get(base)
        for arm, value in line.values.items():
            if line.must_match and wanted is not None and value != wanted:
                found.setdefault(arm, []).append(f"{line.what}: {value}, the base {wanted}")
    return {arm: "; ".join(reasons) for arm, reasons in found.items()}
