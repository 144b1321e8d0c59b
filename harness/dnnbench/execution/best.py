"""`torch:best`: a backend in the mode in which it is fastest on this machine, found by a short
measurement and kept.
"""

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import NamedTemporaryFile

from ..data.dataset import Dataset
from ..errors import WorkerError
from ..host.clock import now
from ..host.lock import machine_lock
from ..host.machine import cpu_model, cpu_signature
from ..plugins.checking import BEST
from ..plugins.discovery import version
from ..protocol.arm import Arm
from ..protocol.keys import CellKey
from ..protocol.timing import Timing
from ..spec.phases import Phase
from ..worker.clients.arm import ArmClient
from ..worker.clients.timing import TimingClient
from ..worker.process import Worker
from ..worker.services.timing import BuildRequest, VisitRequest
from .backend_info import info_of
from .batch import timing_batch
from .best_choice import Choice, chosen_among
from .cache import cache_folder
from .plan import Case
from .pool import spawn, start_request, worker_cpus
from .reporter import Reporter
from .settings import Settings

BUDGET_S = 120.0
"""For all modes of one arm together: starts, compilations and calls."""
ROUNDS, FEWEST_ROUNDS = 25, 3
"""The fewest where the budget ends before all."""
VISIT_S = 0.005
LEAST_S = 5.0
"""What a visit may take where the budget is spent: a worker that is ready is not thrown away."""


@dataclass(frozen=True)
class Measuring:
    """What a mode is chosen for."""

    cases: Sequence[Case]
    datasets: Mapping[str, Dataset]
    settings: Settings

    def phases(self, case: Case) -> tuple[Phase, ...]:
        """Those that will be timed of a case."""
        only_infers = case.workload.inference_only
        wanted = self.settings.phases
        return tuple(phase for phase in wanted if phase is Phase.INFER or not only_infers)


@dataclass(frozen=True)
class BestModes:
    """Arms with a mode in place of each `best`, each arm once, and why some are not ranked.

    choices: by the arm's name as it was written   sentences: one of each choice
    """

    arms: tuple[Arm, ...]
    unequal: dict[Arm, str]
    choices: Mapping[str, Choice]
    sentences: tuple[str, ...]


def with_best_modes(
    arms: Sequence[Arm], unequal: Mapping[Arm, str], measuring: Measuring, report: Reporter
) -> BestModes:
    """The arms of a plan, the mode of each `best` found.  WorkerError if a default mode fails."""
    chosen: dict[Arm, Arm] = {}
    choices: dict[str, Choice] = {}
    sentences: list[str] = []
    for arm in arms:
        chosen[arm] = arm
        if arm.mode == BEST:
            choice = choices[arm.name] = _choice(arm, measuring, report)
            chosen[arm] = replace(arm, mode=choice.mode)
            sentences.append(choice.sentence(arm.name, chosen[arm].name))
    return BestModes(
        tuple(dict.fromkeys(chosen.values())),
        {chosen[arm]: why for arm, why in unequal.items()},
        choices,
        tuple(sentences),
    )


def _choice(arm: Arm, measuring: Measuring, report: Reporter) -> Choice:
    """The one that is kept, else a new one.

    Of another environment none is kept: which versions lie there is not known before it is asked.
    """
    modes = info_of(arm).modes
    if len(modes) == 1:
        return Choice(modes[0], {modes[0]: 1.0})
    path = cache_folder() / "best" / f"{_key(arm, measuring)}.json"
    kept = None if arm.environment else _kept(path)
    if kept is not None:
        return kept
    with machine_lock():
        choice = _measured(arm, measuring, report)
    if not arm.environment:
        _keep(choice, path)
    return choice


def _key(arm: Arm, measuring: Measuring) -> str:
    """Digest of all that a choice depends on."""
    info = info_of(arm)
    cases = [(c.workload.spec_hash, c.workload.task.model_dump_json(), c.batch_size)
             for c in measuring.cases]  # fmt: skip
    parts = (
        arm.to_json(), info.modes, [(name, version(name)) for name in info.requires],
        cpu_model(), cpu_signature(), cases, measuring.settings.phases, measuring.settings.memory,
    )  # fmt: skip
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()[:32]


def _kept(path: Path) -> Choice | None:
    """None where nothing is kept that can be read."""
    from pydantic import TypeAdapter

    try:
        return TypeAdapter(Choice).validate_json(path.read_bytes())
    except (OSError, ValueError):  # pydantic's error is a ValueError
        return None


def _keep(choice: Choice, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with NamedTemporaryFile("w", dir=path.parent, suffix=".unfinished", delete=False) as unfinished:
        json.dump(asdict(choice), unfinished)
    Path(unfinished.name).replace(path)


def _measured(arm: Arm, measuring: Measuring, report: Reporter) -> Choice:
    """Each mode in a process of its own, made ready with the default first while the budget lasts,
    then visited in turn: what the machine does meanwhile, it does to all.
    """
    info, end, memory = info_of(arm), now() + BUDGET_S, measuring.settings.memory
    modes = sorted(info.modes, key=lambda mode: mode != info.default_mode)
    report.stage(f"finding the fastest mode of {arm.name}", len(modes) + 1)
    ready: dict[str, _Candidate] = {}
    left_out: dict[str, str] = {}
    with ExitStack() as stack:
        for mode in modes:
            report.advance(1, f"{arm.name}: {mode}")
            try:
                candidate = stack.enter_context(_started(replace(arm, mode=mode), end, memory))
                candidate.prepare(measuring)
                ready[mode] = candidate
            except WorkerError as error:
                left_out[mode] = str(error).splitlines()[0]
        for number in range(ROUNDS):
            if number >= FEWEST_ROUNDS and now() >= end:
                break
            left_out |= _round(ready, left_out, measuring.settings.timing)
    call_s = {mode: one.call_s for mode, one in ready.items() if mode not in left_out}
    return chosen_among(info.default_mode, call_s, left_out)


def _round(
    ready: Mapping[str, "_Candidate"], left_out: Mapping[str, str], timing: Timing
) -> dict[str, str]:
    """Every mode visited once; why some could not be."""
    lost = {}
    for mode, candidate in ready.items():
        try:
            if mode not in left_out:
                candidate.visit(timing)
        except WorkerError as error:
            lost[mode] = str(error).splitlines()[0]
    return lost


@dataclass
class _Candidate:
    """A mode in its worker, which has until `end`.

    calls: calls of a visit by cell   call_s: seconds a call, by cell and round; cells bear the
    mode `best`
    """

    arm: Arm
    worker: Worker
    end: float
    calls: dict[CellKey, int] = field(default_factory=dict)
    call_s: dict[CellKey, list[float]] = field(default_factory=dict)

    def prepare(self, measuring: Measuring) -> None:
        """Build every case and warm it up.  WorkerError where that takes longer than there is."""
        settings, named = measuring.settings, replace(self.arm, mode=BEST)
        for case in measuring.cases:
            own, phases = case.of(self.arm), measuring.phases(case)
            batch = timing_batch(measuring.datasets[own.data], case.batch_size, settings.seed)
            built = self._timing().build(
                BuildRequest(case.name, own.workload, own.weights, batch, settings.seed, phases)
            )
            for phase in phases:
                if phase not in built.missing:
                    self._timing().first_call(case.name, phase)
                    warm = self._timing().warm_up(case.name, phase)
                    key = CellKey(named, case.key, phase)
                    self.calls[key] = max(1, round(VISIT_S / warm.seconds))
                    self.call_s[key] = []
        if not self.calls:
            raise WorkerError("it has none of the phases")

    def visit(self, timing: Timing) -> None:
        """Every cell once."""
        for key, calls in self.calls.items():
            request = VisitRequest(str(key.case), key.phase, calls, timing)
            seconds = self._timing().visit(request).seconds
            self.call_s[key].append(seconds / calls)

    def _timing(self) -> TimingClient:
        return TimingClient(self.worker).within(max(self.end - now(), LEAST_S))


@contextmanager
def _started(arm: Arm, end: float, memory: str) -> Iterator[_Candidate]:
    left_s = end - now()
    if left_s <= 0:
        raise WorkerError(f"no time was left of {BUDGET_S:.0f} s")
    with spawn(arm, f"best-{arm.name}", memory, cpus=worker_cpus(arm.threads)) as worker:
        ArmClient(worker).within(left_s).start(start_request(arm))
        yield _Candidate(arm, worker, end)
