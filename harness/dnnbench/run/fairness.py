"""The fairness ledger: what should be equal between arms that are ranked together, as each really had it."""

from collections.abc import Mapping
from dataclasses import dataclass

from .plan import Plan
from .record import Record

SPARE_CPU = 0.25
"""How much of a CPU beyond its threads an arm may use: its own housekeeping."""
BY_BITS = {53: "float64", 24: "float32", 11: "TF32 or float16", 8: "bfloat16"}
"""Precisions by the bits of their products."""
SHOWN = ("device", "dtype", "layout", "product_bits", "denormals", "donation", "graph_breaks", "optimizer")
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
    """Every line for one case; arms that were not built are left out."""
    facts = {lane.name: record.programs.get(f"{lane.name} {case}") for lane in plan.lanes}
    known = {arm: told for arm, told in facts.items() if told}
    lines = [
        Line("precision of products", {arm: _product_type(told) for arm, told in known.items()}, True),
        Line("CPUs within the threads given", _within_threads(plan, record, case), True),
        Line("kind of device", {lane.name: lane.arm.device.kind for lane in plan.lanes if lane.name in known}, True),
    ]
    told = {what: {arm: f[what] for arm, f in known.items() if what in f} for what in SHOWN}
    idle = {arm: record.idle_cpu[f"{arm} {case}"] for arm in known if f"{arm} {case}" in record.idle_cpu}
    shown = [Line(what, values, False) for what, values in (told | {"CPU share while idle": idle}).items() if values]
    return lines + shown


def _product_type(told: Mapping) -> str:
    """The precision whose unit roundoff is nearest to the measured error of a product."""
    return BY_BITS[min(BY_BITS, key=lambda bits: abs(bits - told["product_bits"]))]


def _within_threads(plan: Plan, record: Record, case: str) -> dict[str, str]:
    told = {}
    for lane in plan.lanes:
        if audit := record.audits.get(f"{lane.name} {case}"):
            used = audit["cpus_used"]
            told[lane.name] = "yes" if used <= lane.arm.threads + SPARE_CPU else f"no: {used:.2f} used"
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
