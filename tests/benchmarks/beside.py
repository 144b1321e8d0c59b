"""A worker's service: dnnbench's Program and the same network written by hand, in one process,
visited in turn.
"""

import gc
import importlib
import math
from dataclasses import dataclass
from statistics import median

import numpy as np
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.execution.rounds import schedule
from dnnbench.host.clock import now
from dnnbench.host.placement import Placement, place, waited_share
from dnnbench.plugins.discovery import load_backend
from dnnbench.spec.phases import PHASES
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.worker.bench import MUTATING, Bench, settle
from dnnbench.worker.services.arm import StartRequest
from dnnbench.worker.services.timing import Visit
from equal import require_equal

SIDES = ("dnnbench", "handwritten")
STEPS = 3
"""Training steps after which the weights are compared."""
WARM_VISITS = 20
VISIT_S = 4e-4
"""Shorter than dnnbench's own visits, which are stored one by one:
on a busy machine fewer of them are interrupted.
"""
NAMES = ("outputs/logits", "loss")


class ByHand:
    """A handwritten Trainer at the bench, in the plainest loop that times it."""

    def __init__(self, trainer, images, labels):
        self.trainer, self.calls = trainer, trainer.phases(images, labels)
        self._placements: dict[str, Placement] = {}

    def warm_up(self, phase: str) -> None:
        """As `Bench.warm_up`, as far as the threads go."""
        self._placements[phase] = place(self.calls[phase])

    def visit(self, phase: str, calls: int) -> Visit:
        """As `Bench.visit`."""
        call, placement = self.calls[phase], self._placements[phase]
        if phase in MUTATING:
            self.trainer.restart()
        with placement.held():
            settle(call, wait=lambda _: None)
            gc.disable()
            before = placement.waits_s()
            start = now()
            for _ in range(calls):
                call()
            elapsed = now() - start
            after = placement.waits_s()
            gc.enable()
        return Visit(elapsed, waited_share(before, after, elapsed))

    def read(self, phase: str) -> dict[str, np.ndarray]:
        """One call's result, named as `Program.get` names it."""
        result = self.calls[phase]()
        names = (
            ("outputs/logits", "prediction")
            if phase == "infer"
            else NAMES[: 1 if phase == "forward" else 2]
        )
        found = {name: _array(value) for name, value in zip(names, result, strict=False)}
        if phase == "gradients":
            found |= {
                f"gradients/{name}": array
                for name, array in self.trainer.gradients_in(result).items()
            }
        return found


@dataclass
class Pair:
    """Both sides of one workload, and how many calls make a visit of each phase."""

    sides: dict[str, Bench | ByHand]
    calls: dict[str, int]


@dataclass(frozen=True)
class SideVisit:
    """One visit of one side: its place in the rounds, and the seconds of its calls."""

    workload: str
    phase: str
    side: str
    round: int
    position: int
    calls: int
    seconds: float


class Beside:
    """One arm's two sides."""

    def __init__(self):
        self._pairs: dict[str, Pair] = {}

    def start(self, request: StartRequest) -> dict[str, str]:
        """Import the framework; its versions."""
        self._arm = request.arm
        self._backend = load_backend(request.target)
        self._backend.configure(self._arm)
        self._handwritten = importlib.import_module(f"handwritten.{self._arm.backend}")
        return self._backend.versions()

    def build(self, spec: Workload, phases: tuple[str, ...]) -> None:
        """Build both sides, make sure that they agree, warm them up."""
        weights = initial_weights(spec.model, 0)
        batch = timing_batch(load(spec), spec.batch_size, 0)
        trainer = self._handwritten.Trainer(spec.name, self._arm.mode, weights)
        by_hand = ByHand(trainer, batch.inputs["image"], batch.targets)
        program = self._backend.build(spec, weights, self._arm, 0)
        bench = Bench(program, batch)
        compare_sides(program, program.put(batch), by_hand)
        sides = dict(zip(SIDES, (bench, by_hand), strict=True))
        self._pairs[spec.name] = Pair(sides, {phase: _calls(sides, phase) for phase in phases})

    def rounds(self, seconds: float, seed: int) -> list[SideVisit]:
        """Visits for so many seconds."""
        cells = {
            f"{name} {phase}": list(SIDES)
            for name, pair in self._pairs.items()
            for phase in pair.calls
        }
        visits, end = [], now() + seconds
        for number, phases in enumerate(schedule(cells, seed)):
            for cell, order in phases:
                visits += self._visits(*cell.split(), order, number)
            if now() >= end:
                return visits

    def _visits(self, name, phase, order, number):
        pair = self._pairs[name]
        calls = pair.calls[phase]
        return [
            SideVisit(
                name,
                phase,
                side,
                number,
                position,
                calls,
                pair.sides[side].visit(phase, calls).seconds,
            )
            for position, side in enumerate(order)
        ]


def compare_sides(program, placed, by_hand: ByHand) -> None:
    """Raise Unequal unless every phase gives both sides the same tensors,
    and training the same weights.
    """
    for phase in PHASES:
        require_equal(phase, program.get(getattr(program, phase)(placed)), by_hand.read(phase))
    for _ in range(STEPS - 1):
        program.wait(program.train_step(placed))
        by_hand.calls["train_step"]()
    require_equal(f"weights after {STEPS} steps", program.weights(), by_hand.trainer.weights())


def _calls(sides: dict, phase: str) -> int:
    """One number for both sides, so that both spread the clock's cost over as many calls."""
    return math.ceil(VISIT_S / min(_warm_s(side, phase) for side in sides.values()))


def _warm_s(side: Bench | ByHand, phase: str) -> float:
    """Seconds of a call of a side whose threads have their places."""
    side.warm_up(phase)
    return median(side.visit(phase, 1).seconds for _ in range(WARM_VISITS))


def _array(tensor) -> np.ndarray:
    return np.array(tensor.detach() if hasattr(tensor, "detach") else tensor)
