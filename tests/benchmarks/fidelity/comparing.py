"""A network's program and its twins, made from the same weights, and whether they compute the same
before any time is taken.

Dropout is compared at rate 0, in a program and in twins made for that alone: no two frameworks
share a generator. The programs that are timed are compared in inference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.backend import Backend
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from equal import ROUNDING, require_equal, rms

from .networks import Network, Sizes, unthinned
from .sides import PROGRAM, ProgramSide, TwinSide
from .styles import Style

STEPS = 3
"""Training steps after which the weights are compared."""
LEFT_OUT = (".variance", ".key.bias", ".project.norm.bias", ".expand.norm.mean", "head.norm.mean")
"""Running variances, which frameworks keep by conventions of their own, and what exact arithmetic
leaves where it was, so that rounding alone moves it: the biases of keys, which softmax takes out
again; in mobilenet_v2 the biases of its linear batch norms, which the next batch norm takes out,
and the means behind them, which are of what has mean 0.
"""


@dataclass(frozen=True)
class Equality:
    """Largest differences of one twin from the program, as shares of what they may be."""

    outputs: float
    weights: float


def sides_of(
    network: Network, sizes: Sizes, styles: Mapping[str, Style], backend: Backend, arm: Arm
) -> tuple[dict[str, ProgramSide | TwinSide], dict[str, Equality]]:
    """The program and its twins, ready to be timed, and by twin how equal they are.

    Unequal where a twin computes something else.
    """
    workload = network.workload(sizes)
    make = _maker(workload, network, sizes, styles, backend, arm)
    sides = make(workload, {})
    if any(node.op.random for node in workload.model.nodes):
        still = make(unthinned(workload), {"dropout": 0.0})
        equality = _compare(still, workload, styles, network.rounding)
        for name, side in sides.items():
            _compare_inference(name, sides[PROGRAM], side)
    else:
        equality = _compare(sides, workload, styles, network.rounding)
    return sides, equality


def _maker(workload, network, sizes, styles, backend, arm) -> Callable:
    weights = initial_weights(workload.model, 0)
    batch = timing_batch(load(workload), workload.batch_size, 0)
    of_net = {name: value for name, value in sizes.items() if name != "batch"}

    def make(workload: Workload, changed: Sizes) -> dict:
        sides = {PROGRAM: ProgramSide(backend.build(workload, weights, arm, 0), batch)}
        for name, style in styles.items():
            twin = style.load()(
                network.zoo, of_net | changed, weights, workload.task, style.options
            )
            sides[name] = TwinSide(twin, batch, workload.model.outputs[0])
        return sides

    return make


def _compare(
    sides: Mapping, workload: Workload, styles: Mapping, rounding: float
) -> dict[str, Equality]:
    first = initial_weights(workload.model, 0)
    ours = _results(sides[PROGRAM])
    equality = {}
    for name, side in sides.items():
        if name == PROGRAM:
            continue
        theirs = _results(side)
        outputs = max(
            require_equal(
                f"{name}, {where}", _those(ours.tensors[where], tensors), tensors, rounding
            )
            for where, tensors in theirs.tensors.items()
        )
        weights = _compare_weights(name, ours.weights, theirs.weights, first, styles[name].way)
        equality[name] = Equality(outputs, weights)
    return equality


def _those(ours: Mapping, theirs: Mapping) -> Mapping:
    """What the twin gives as well: `fit` tells the loss alone."""
    return {name: array for name, array in ours.items() if name in theirs}


@dataclass(frozen=True)
class _Results:
    """What a side computes: results by phase, and its weights after `STEPS` steps."""

    tensors: Mapping[str, Mapping[str, np.ndarray]]
    weights: Mapping[str, np.ndarray]


def _results(side) -> _Results:
    side.begin("infer")
    tensors = {"infer": _called(side, "infer")}
    side.begin("train_step")
    tensors["train_step"] = _called(side, "train_step")
    for _ in range(STEPS - 1):
        _called(side, "train_step")
    return _Results(tensors, side.weights())


def _called(side, phase: str) -> dict[str, np.ndarray]:
    result = side.call(phase)
    side.wait(result)
    return side.read(phase, result)


def _compare_inference(name: str, program, side) -> None:
    program.begin("infer")
    side.begin("infer")
    require_equal(f"{name}, infer as timed", _called(program, "infer"), _called(side, "infer"))


def _compare_weights(
    name: str, ours: Mapping, theirs: Mapping, first: Mapping, most: float
) -> float:
    """Each by the way that training moved it; those that it cannot move by their size."""
    compared = {name: a for name, a in ours.items() if not name.endswith(LEFT_OUT)}
    others = {name: a for name, a in theirs.items() if not name.endswith(LEFT_OUT)}
    way = {name: max(rms(array - first[name]), ROUNDING * rms(array) / most)
           for name, array in compared.items()}  # fmt: skip
    return require_equal(f"{name}, weights after {STEPS} steps", compared, others, most, way)
