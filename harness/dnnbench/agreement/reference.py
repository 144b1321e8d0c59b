"""What contenders are held against: NumPy in float64, and how far honest rounding strays."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Protocol

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import trainable
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .deviation import largest, most, rmse
from .keys import Group, TensorKey, Tensors, keyed
from .level import level_norms
from .observing import Build, Initial, observe

BuildIn = Callable[[str, str], Build]
"""(mode, dtype) -> build(workload)"""
InitialIn = Callable[[str, str], Initial]
"""(mode, dtype) -> how a program is built to be timed"""


class Look(Protocol):
    """What is observed of a network: `observe`, or `nodes.observe_nodes`."""

    def __call__(
        self,
        build: Build,
        workload: Workload,
        batches: Sequence[Batch],
        steps: Sequence[int],
        *,
        phases: Collection[Phase],
    ) -> Tensors:
        """Tensors by key; no phase but these is called."""


@dataclass(frozen=True)
class Reference:
    """By key: the values R, sigma, peak, sigma_kink, and where R is zero whatever the rounding.

    level: norms that take equal values together in the first training pass.
    timed: R of the batch that is timed, where it was evaluated whole
    timed_sigma, timed_peak, timed_kink: of that batch, below float64: which choices nearly tie
    there is not told by a smaller one; in float64 too of one row whose norms take one value each
    timed_level: norms that take equal values together there
    gradient_norm: of the first batch, over all parameters; None where no gradient was asked for
    """

    tensors: Tensors
    sigma: Mapping[TensorKey, float]
    peak: Mapping[TensorKey, float]
    sigma_kink: Mapping[TensorKey, float]
    zero: Mapping[TensorKey, np.ndarray]
    level: tuple[str, ...] = ()
    timed: Tensors = field(default_factory=dict)
    timed_sigma: Mapping[TensorKey, float] = field(default_factory=dict)
    timed_peak: Mapping[TensorKey, float] = field(default_factory=dict)
    timed_kink: Mapping[TensorKey, float] = field(default_factory=dict)
    timed_level: tuple[str, ...] = ()
    gradient_norm: float | None = None

    def strayed(self, key: TensorKey) -> float:
        """Below float64: rmse of the honest evaluation that lies farthest off.

        After a step the weights of two honest evaluations differ by its rounding, so that from the
        second step on either side of a choice that nearly ties is honest: the flipped evaluation
        counts.
        """
        if key.step < 2:
            return self.sigma[key]
        return most(self.sigma[key], self.sigma_kink[key])


def make_reference(
    build_in: BuildIn,
    workload: Workload,
    batches: Sequence[Batch],
    steps: Sequence[int],
    dtype: str,
    look: Look | None = None,
    phases: Collection[Phase] = PHASES,
    initial_in: InitialIn | None = None,
) -> Reference:
    """Five evaluations: R in float64, three honest ones in `dtype`, and R with close
    choices flipped.

    look: what is observed of each; None for all that a check observes
    phases: those that are called, and no other. sigma, peak = worst rmse, and largest single error,
    against R in `dtype` with the batch permuted, inner dimensions summed in blocks, and reversed;
    NaN where any of them is. sigma_kink = rmse between R and the flipped evaluation;
    a lower precision's sigma holds its flips already.
    initial_in: as `observe` takes them; None where nothing is observed of initial weights
    """
    norm = _norm_to_clip(build_in, workload, batches[0], phases) if look is None else None

    def run(mode: str, dtype: str, batches: Sequence[Batch]) -> Tensors:
        build = build_in(mode, dtype)
        if look is not None:
            return look(build, workload, batches, steps, phases=phases)
        initial = None if initial_in is None else initial_in(mode, dtype)
        return observe(build, workload, batches, steps, phases=phases, initial=initial, norm=norm)

    # Another order of the examples: sums over the batch round otherwise.
    permuted = [batch.rows(_another_order(batch.size)) for batch in batches]
    tensors = run("eager", "float64", batches)
    trains = bool(set(phases) - {Phase.INFER})
    flipped = run("flipped", "float64", batches)
    honest = [
        _unpermuted(run("eager", dtype, permuted)),
        run("blocked", dtype, batches),
        run("reversed", dtype, batches),
    ]
    builds = [build_in("eager", "float64")]
    if initial_in is not None:
        builds.append(initial_in("eager", "float64").build)
    norms = [level_norms(build, workload, batches[0]) for build in builds if trains]
    return Reference(
        tensors,
        sigma=worst_errors(rmse, tensors, honest),
        peak=worst_errors(largest, tensors, honest),
        sigma_kink=flip_errors(flipped, tensors),
        zero={key: _zero_in_all(key, [tensors, flipped, *honest]) for key in tensors},
        level=tuple(dict.fromkeys(chain.from_iterable(norms))),
        gradient_norm=_gradient_norm(tensors),
    )


def flip_errors(flipped: Tensors, tensors: Tensors) -> dict[TensorKey, float]:
    """sigma_kink: rmse between an evaluation whose close choices are flipped and R."""
    return {key: rmse(flipped[key], r) for key, r in tensors.items()}


def _norm_to_clip(
    build_in: BuildIn, workload: Workload, batch: Batch, phases: Collection[Phase]
) -> float | None:
    """Of the first batch's gradients, where an optimizer clips by it."""
    if workload.task.optimizer.clip_norm is None or Phase.TRAIN_STEP not in phases:
        return None
    program = trainable(build_in("eager", "float64")(workload))
    try:
        gradients = program.get(program.gradients(program.put(batch)))
    finally:
        program.close()
    return _gradient_norm(keyed(gradients, Phase.GRADIENTS))


def _gradient_norm(tensors: Tensors) -> float | None:
    at_start = [key for key in tensors if key.at_start]
    gradients = [tensors[key] for key in at_start if key.group is Group.GRADIENTS]
    if not gradients:
        return None
    return float(np.sqrt(sum(float(np.sum(np.square(r))) for r in gradients)))


def worst_errors(
    error: Callable[[np.ndarray, np.ndarray], float], tensors: Tensors, honest: Sequence[Tensors]
) -> dict[TensorKey, float]:
    """The largest error of the honest evaluations, by key."""
    worst = {}
    for key, r in tensors.items():
        errors = [error(evaluation[key], r) for evaluation in honest]
        worst[key] = most(*errors)
    return worst


def _zero_in_all(key: TensorKey, evaluations: Sequence[Tensors]) -> np.ndarray:
    zeros = [evaluation[key] == 0 for evaluation in evaluations]
    everywhere: np.ndarray = np.logical_and.reduce(zeros)
    return everywhere


def _another_order(size: int) -> np.ndarray:
    return np.roll(np.arange(size)[::-1], 1)


def _unpermuted(tensors: Tensors) -> Tensors:
    """Undo the permutation of examples where a tensor has one row for each."""
    return {key: _in_order(array) if key.by_example else array for key, array in tensors.items()}


def _in_order(array: np.ndarray) -> np.ndarray:
    in_order: np.ndarray = array[np.argsort(_another_order(len(array)))]
    return in_order
