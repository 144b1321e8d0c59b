"""The noise of this machine, measured with what measures everything else:
two equal arms over several short generations.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from itertools import chain
from typing import Any

import numpy as np

from ..data.dataset import load
from ..errors import NothingMeasured
from ..host.clock import now
from ..host.machine import frequencies_mhz
from ..plugins.discovery import plugins
from ..protocol.arm import Arm
from ..protocol.keys import CellKey
from ..spec.builder import Builder
from ..spec.data import Synthetic
from ..spec.losses import Mse
from ..spec.phases import Phase
from ..spec.workload import Task, Workload
from ..stats.distributions import spearman
from ..stats.estimates import Visits, contended_rounds, log_pairs
from ..stats.flags import PRESSURE, STEAL, THROTTLED
from ..stats.noise import BUDGETS_S, Floor, Humps, floor, humps
from ..stats.split import LEAST_ROUNDS, Components, components, tells_variances
from ..stats.verdict import ALPHA, STRONG_RHO
from ..worker.bench import whole_visit_s
from .generation import Generation
from .plan import Plan, cases_of
from .pool import worker_cpus
from .record import Record, RecordedVisit
from .reporter import Reporter
from .settings import Settings

PHASE = Phase.TRAIN_STEP
SETTINGS = Settings(phases=(PHASE,), max_time_s=32.0, generations=8, check=False)
VISITS_A_PIECE = 50
SELDOM = 0.01
"""Share of contended rounds that limits nothing."""
COUNTERS = {"steal": STEAL, "pressure": PRESSURE, "throttling": THROTTLED}


@dataclass(frozen=True)
class Noise:
    """What was found; shares are fractions, standard deviations those of a log ratio."""

    floors: tuple[Floor, ...]
    parts: Components
    generation_s: float
    """Seconds of visits a cell in each generation that was measured."""
    rounds: int
    flagged: dict[str, float]
    """Share of the rounds that each counter of contention flagged."""
    kernel: Humps
    drift: tuple[float, float]
    """Spearman's correlation of the fixed kernel's times with time, and its p."""
    frequencies_mhz: tuple[float, float] | None
    """Lowest and highest clock seen between generations;
    None where none is told or it never moves.
    """
    spoilt: bool
    """Whether too few rounds were free of contention, so that all were kept."""

    @property
    def limits(self) -> dict[str, str]:
        """What limits this machine, each in a sentence; what was not found to is left out."""
        sentences = {
            name: _FLAGGED.format(share=share, what=_WHAT[name])
            for name, share in self.flagged.items()
            if share > SELDOM
        }
        if self.kernel.two:
            sentences["sibling thread"] = (
                f"one fixed kernel runs at two speeds, {self.kernel.ratio:.2f} times apart, "
                f"the slower in {self.kernel.slow_share:.0%} of its visits: "
                "a busy sibling thread, or a second clock; short visits cancel it best"
            )
        rho, p = self.drift
        if abs(rho) > STRONG_RHO and p < ALPHA:
            sentences["frequency"] = (
                f"the fixed kernel's time moves with the clock on the wall (rho {rho:+.2f}): "
                "heat or a governor"
            )
        elif self.frequencies_mhz:
            low, high = self.frequencies_mhz
            sentences["frequency"] = (
                f"the CPUs' clocks went from {low:.0f} to {high:.0f} MHz meanwhile: fix the clock"
            )
        if self.parts.between > self.parts.within_s / self.generation_s:
            sentences["process placement"] = (
                f"processes differ more (sd {self.parts.between**0.5:.2%}) "
                f"than {self.generation_s:.1f} s of visits leave open "
                f"({(self.parts.within_s / self.generation_s) ** 0.5:.2%}): "
                "more generations help, longer ones do not"
            )
        if self.spoilt:
            sentences["contention"] = (
                "too few rounds were free of it, so all were kept: try again at a quieter hour"
            )
        return sentences

    def to_json(self) -> dict[str, Any]:
        return {
            "floors": [floor.to_json() for floor in self.floors],
            "sd_within_1s": self.parts.within_s**0.5,
            "sd_between_generations": self.parts.between**0.5,
            "sd_between_generations_at_most": self.parts.between_at_most**0.5,
            "generations": self.parts.generations,
            "generation_s": self.generation_s,
            "start_s": self.parts.start_s,
            "rounds": self.rounds,
            "flagged": self.flagged,
            "fixed_kernel": asdict(self.kernel) | {"two": self.kernel.two},
            "fixed_kernel_drift": dict(zip(("rho", "p"), self.drift, strict=True)),
            "frequencies_mhz": self.frequencies_mhz,
            "spoilt": self.spoilt,
            "limits": self.limits,
        }


_FLAGGED = "{share:.0%} of the rounds met {what}"
_WHAT = {
    "steal": "CPU time stolen by the hypervisor: prefer a quieter hour, or a machine of your own",
    "pressure": "tasks that waited for a CPU: end other work",
    "throttling": "the control group's quota: lift it, or use fewer threads",
}


def measure_noise(report: Reporter, settings: Settings = SETTINGS) -> Noise:
    """Visit two equal NumPy arms in pairs, `settings.generations` times anew,
    and reckon what can be told.

    NothingMeasured if not two generations brought times of both.
    """
    generations = settings.generations or 1
    plan, generation_s = _plan(settings), settings.max_time_s / generations
    datasets = {case.workload.name: load(case.workload) for case in plan.cases}
    report.stage("measuring this machine's noise", settings.max_time_s)
    calls: dict[CellKey, int] = {}
    records, clocks, begin = [], [frequencies_mhz(worker_cpus(1))], now()
    for number in range(generations):
        record = Record()
        Generation(plan, datasets, number, calls, set(), record, report).run(generation_s)
        records.append(record)
        clocks.append(frequencies_mhz(worker_cpus(1)))
    return noise_of(plan, records, now() - begin, clocks)


def _plan(settings: Settings) -> Plan:
    """The reference and its twin on one small network."""
    info = plugins().reference
    arm = Arm(info.name, info.default_mode, dtype=settings.dtypes[0], threads=settings.threads[0])
    arms = (arm, replace(arm, twin=True))
    return Plan(
        arms, cases_of([_workload()], (), None, "initial", settings.seed), settings, arm.name, {}
    )


def _workload() -> Workload:
    """An MLP whose step takes about a millisecond."""
    net = Builder("noise")
    hidden = net.relu(net.dense(net.input("x", (256,)), units=256, name="fc1"))
    model = net.build(net.dense(hidden, units=16, name="fc2"))
    return Workload(
        name="noise",
        model=model,
        task=Task(loss=Mse(), data=Synthetic(), metric="loss"),
        batch_size=64,
    )


def noise_of(
    plan: Plan, records: Sequence[Record], wall_s: float, clocks: Sequence[list[float] | None]
) -> Noise:
    """What the generations of such a plan say."""
    (case,) = plan.cases
    keys = [CellKey(arm, case.key, PHASE) for arm in plan.arms]
    base, twin = (_cell_visits(records, key) for key in keys)
    control = visits_of([record.control for record in records])
    pairs = log_pairs(twin, base, contended_rounds([base, twin]))
    # Better all rounds, and the reader told of it, than no answer.
    if spoilt := not tells_variances(pairs.kept()):
        pairs = log_pairs(twin, base)
    if not tells_variances(pairs):
        failures = set(chain.from_iterable(record.failures.values() for record in records))
        reasons = sorted(failures) or ["the time was short"]
        raise NothingMeasured(
            f"noise: got {len(pairs.round)} rounds in {len(records)} generations, "
            f"wanted two generations or more of {LEAST_ROUNDS} rounds each: {'; '.join(reasons)}"
        )
    visits_s = _seconds(records, keys[0]) / len(records)
    parts = components(
        pairs, visits_s, max((wall_s - plan.settings.max_time_s) / len(records), 0.0)
    )
    return Noise(
        floors=tuple(floor(parts, budget_s, plan.settings.theta) for budget_s in BUDGETS_S),
        parts=parts,
        generation_s=visits_s,
        rounds=len(pairs.round),
        flagged={name: float(np.mean((base.flags & bit) != 0)) for name, bit in COUNTERS.items()},
        kernel=humps(control.call_s.tolist()),
        drift=_drift(control),
        frequencies_mhz=_moved(clocks),
        spoilt=spoilt,
    )


def _cell_visits(records: Sequence[Record], key: CellKey) -> Visits:
    return visits_of([record.visits.get(key, []) for record in records])


def visits_of(generations: Sequence[Sequence[RecordedVisit]]) -> Visits:
    """The visits of one cell in consecutive generations, as the statistics take them."""
    rows: list[tuple[float, ...]] = []
    for number, visits in enumerate(generations):
        rows += [(number, *visit) for visit in visits]
    generation, round_, position, calls, seconds, flags = np.array(rows, float).reshape(-1, 6).T
    return Visits(
        generation.astype(np.int64),
        round_.astype(np.int64),
        position.astype(np.int64),
        seconds / calls,
        flags.astype(np.int64),
    )


def _seconds(records: Sequence[Record], key: CellKey) -> float:
    """Seconds of a cell's visits with their untimed calls: what a run's time is spent on."""
    visits = chain.from_iterable(record.visits[key] for record in records)
    return sum(whole_visit_s(visit.seconds, visit.calls) for visit in visits)


def _drift(control: Visits) -> tuple[float, float]:
    """(rho, p) of the fixed kernel's times with time, over medians of tens of visits:
    single ones are not independent.
    """
    order = np.argsort(control.keys)
    pieces = np.array_split(control.call_s[order], max(len(order) // VISITS_A_PIECE, 3))
    medians = np.array([np.median(piece) for piece in pieces])
    return spearman(np.arange(len(pieces)), medians)


def _moved(clocks: Sequence[list[float] | None]) -> tuple[float, float] | None:
    """Lowest and highest clock of all that were read.

    None where none is told, or it never moved by as much as 1 %.
    """
    readings = list(chain.from_iterable(filter(None, clocks)))
    moved = readings and max(readings) > 1.01 * min(readings)
    return (min(readings), max(readings)) if moved else None
