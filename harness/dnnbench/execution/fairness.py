"""The fairness audit: what should be equal between arms that are ranked together,
as each really had it.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import chain
from math import isfinite
from typing import Any

from ..protocol.keys import CaseKey, ProgramKey
from ..stats.flags import WAITED
from .facts import AuditLine
from .plan import Plan
from .record import Record

SPARE_CPU = 0.25
"""How much of a CPU beyond its threads an arm may use: its own housekeeping."""
BY_BITS = {53: "float64", 24: "float32", 11: "TF32 or float16", 8: "bfloat16"}
"""Precisions by the bits of their products."""
KINDS = {"cuda": "gpu", "rocm": "gpu"}
"""Of devices, where a framework has a word of its own."""
SHOWN = (
    *("device", "threads", "dtype", "layout", "product_bits", "denormals"),
    *("autotune", "donation", "graph_breaks", "optimizer", "grouped_convolutions"),
)
"""Facts of a program that the audit shows as they are."""


def fairness_audit(plan: Plan, record: Record, case: CaseKey) -> list[AuditLine]:
    """Every line for one case, those that must match first.

    Arms that were not built, or say nothing, are left out.
    """
    programs = {arm.name: record.programs[ProgramKey(arm, case)] for arm in plan.arms}
    built = {name: facts.description for name, facts in programs.items() if facts.description}
    idle = {name: programs[name].idle_cpu for name in built}
    products = _each(built, "product_bits", _product_type)
    must_match = [
        *_alike(plan, "dtype", "precision of products", products),
        *_alike(plan, "threads", "CPUs that its threads may use", _each(built, "cpus")),
        AuditLine("CPUs within the threads given", _within_threads(plan, record, case), True),
        *_alike(plan, "device", "kind of device", _each(built, "device", _kind)),
    ]
    shown: dict[str, Mapping[str, object]] = {name: _each(built, name) for name in SHOWN}
    # These may differ: they are shown, and arms are ranked all the same.
    shown |= {
        "placement of threads": _each(built, "placement", _by_outcome),
        "visits with a thread waiting": _waited(plan, record, case),
        "compile cache": dict.fromkeys(built, record.compile_cache),
        "CPU share while idle": {name: share for name, share in idle.items() if share is not None},
    }
    return must_match + [AuditLine(what, values, False) for what, values in shown.items() if values]


def _alike(plan: Plan, option: str, what: str, values: Mapping[str, object]) -> Iterator[AuditLine]:
    """What must match among arms asked for the same: a line for each value of the option."""
    names: dict[object, list[str]] = {}
    for arm in plan.arms:
        names.setdefault(getattr(arm, option), []).append(arm.name)
    for value, arms in names.items():
        where = f", {option}={value}" if len(names) > 1 else ""
        of_these = {arm: values[arm] for arm in arms if arm in values}
        yield AuditLine(f"{what}{where}", of_these, True)


def _each(
    programs: Mapping[str, Mapping[str, Any]],
    name: str,
    spell: Callable[[Any], object] = lambda value: value,
) -> dict[str, object]:
    """A fact of every arm whose program has it, by the arm's name."""
    return {
        arm: spell(facts[name]) for arm, facts in programs.items() if facts.get(name) is not None
    }


def _by_outcome(placement: Mapping[str, str]) -> str:
    """`one a CPU` where all phases are alike, else each outcome with its phases."""
    phases: dict[str, list[str]] = {}
    for phase, outcome in placement.items():
        phases.setdefault(outcome, []).append(phase)
    if len(phases) == 1:
        return next(iter(phases))
    return "; ".join(f"{', '.join(names)}: {outcome}" for outcome, names in phases.items())


def _waited(plan: Plan, record: Record, case: CaseKey) -> dict[str, str]:
    """Share of an arm's visits of the case in which a thread of its own waited for a CPU."""
    shares = {}
    for arm in plan.arms:
        cells = [
            visits for key, visits in record.visits.items() if key.program == ProgramKey(arm, case)
        ]
        flags = [visit.flags for visit in chain.from_iterable(cells)]
        if flags:
            shares[arm.name] = f"{_share(flags, WAITED):.0%}"
    return shares


def _share(flags: Sequence[int], flag: int) -> float:
    return sum(bool(one & flag) for one in flags) / len(flags)


def _kind(device: str) -> str:
    """`gpu` of `cuda:0`, of `GPU:0` and of `gpu:0 (NVIDIA ...)`."""
    kind = device.partition(":")[0].lower()
    return KINDS.get(kind, kind)


def _product_type(bits: float) -> str:
    """The precision whose unit roundoff is nearest to the measured error of a product.

    NaN is near to none.
    """
    if not isfinite(bits):
        return "not finite"
    return BY_BITS[min(BY_BITS, key=lambda whole: abs(whole - bits))]


def _within_threads(plan: Plan, record: Record, case: CaseKey) -> dict[str, str]:
    within = {}
    for arm in plan.arms:
        if audit := record.programs[ProgramKey(arm, case)].audit:
            fits = audit.cpus_used <= arm.threads + SPARE_CPU
            within[arm.name] = "yes" if fits else f"no: {audit.cpus_used:.2f} used"
    return within


def unequal(lines: Iterable[AuditLine], base: str) -> dict[str, str]:
    """Name of an arm -> how it differs in something that must match.

    From the base, or from the first of the arms of which the same was asked, if the base is none.
    """
    differences: dict[str, list[str]] = {}
    for line in lines:
        if not line.must_match or not line.values:
            continue
        peer = base if base in line.values else next(iter(line.values))
        wanted, of_whom = line.values[peer], "the base" if peer == base else peer
        for arm, value in line.values.items():
            if value != wanted:
                differences.setdefault(arm, []).append(f"{line.what}: {value}, {of_whom} {wanted}")
    return {arm: "; ".join(reasons) for arm, reasons in differences.items()}
