"""A network's program and its twins, made from the same weights, and whether they compute the same
before any time is taken.

Programs and twins made for that alone are compared where those that are timed must differ: dropout
at rate 0, since no two frameworks share a generator, and beside Keras by an optimizer without what
Keras's mean otherwise. The programs that are timed are compared in inference.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.dtypes import DType
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from equal import honest, require_equal, rms

from .networks import HARDLY_AN_EPSILON, Network, Sizes, plainly_trained, unthinned
from .rounding import NOT_MOVED, STEPS, TWICE, Results, called, moved_by_rounding, results_of
from .sides import PROGRAM, ProgramSide, TwinSide
from .styles import Style

LEFT_OUT = (".variance", ".key.bias", ".project.norm.bias", ".expand.norm.mean", "head.norm.mean")
"""Running variances, which frameworks keep by conventions of their own, and what exact arithmetic
leaves where it was, so that rounding alone moves it: the biases of keys, which softmax takes out
again; in mobilenet_v2 the biases of its linear batch norms, which the next batch norm takes out,
and the means behind them, which are of what has mean 0.
"""


@dataclass(frozen=True)
class Equality:
    """Largest differences of one twin from the program, as shares of what they may be.

    moved: the largest way that roundings of the first weights move a weight, of the way that
    training moves it: above a few per cent, equal weights prove little. 0 where they were not
    asked, since both sides have the same kernels and must round alike.
    """

    outputs: float
    weights: float
    moved: float


def sides_of(
    network: Network, sizes: Sizes, styles: Mapping[str, Style], backend: Backend, arm: Arm
) -> tuple[dict[str, ProgramSide | TwinSide], dict[str, Equality]]:
    """The program and its twins, ready to be timed, and by twin how equal they are.

    Unequal where a twin computes something else.
    """
    workload = network.workload(sizes)
    make = _maker(workload, network, sizes, styles, backend, arm)
    sides = make(workload, {})
    draws = any(node.op.random for node in workload.model.nodes)
    alike = unthinned(workload) if draws else workload
    if any(style.own_optimizers for style in styles.values()):
        alike = plainly_trained(alike)
    if alike is not workload:
        compared = make(alike, {"dropout": 0.0} if draws else {})
        equality = _compare(compared, alike, styles, arm)
        for name, side in sides.items():
            _compare_inference(name, sides[PROGRAM], side)
    else:
        equality = _compare(sides, workload, styles, arm)
    return sides, equality


def _maker(workload, network, sizes, styles, backend, arm) -> Callable:
    weights = _first_weights(workload, arm)
    batch = _in_type(timing_batch(load(workload), workload.batch_size, 0), arm)
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


def _first_weights(workload: Workload, arm: Arm) -> dict[str, np.ndarray]:
    arrays = initial_weights(workload.model, 0)
    return {name: array.astype(arm.precision.weights) for name, array in arrays.items()}


def _in_type(batch: Batch, arm: Arm) -> Batch:
    """What of a batch is no id, mask or label in the arm's type."""
    inputs = {
        name: array.astype(arm.precision.weights) if array.dtype.kind == "f" else array
        for name, array in batch.inputs.items()
    }
    return Batch(inputs, batch.targets, batch.masks)


def _compare(sides: Mapping, workload: Workload, styles: Mapping, arm: Arm) -> dict[str, Equality]:
    first = _first_weights(workload, arm)
    ours = results_of(sides[PROGRAM])
    alike = all(style.same_kernels for style in styles.values())
    rounding = NOT_MOVED if alike else moved_by_rounding(sides[PROGRAM], first, ours)
    equality = {}
    for name, side in sides.items():
        if name == PROGRAM:
            continue
        theirs = results_of(side)
        outputs = max(
            require_equal(
                f"{name}, {where}",
                _those(ours.tensors[where], tensors),
                tensors,
                moved=_doubled(rounding.tensors[where]),
            )
            for where, tensors in theirs.tensors.items()
        )
        allowed = _doubled(rounding.weights)
        style = styles[name]
        most = style.exact_way if arm.dtype == DType.FLOAT64 else style.way
        strays = _strays(workload)
        weights, way = _compare_weights(name, ours, theirs, first, most, allowed, strays)
        moved = max(rounding.weights.get(n, 0.0) / way[n] for n in way)
        equality[name] = Equality(outputs, weights, moved)
    return equality


def _strays(workload: Workload) -> int:
    """How many elements of a large weight may move anywhere: one where next to nothing is added to
    the root, so that Adam goes a whole step in whichever direction a rounding of 0 points.
    """
    epsilon = getattr(workload.task.optimizer, "epsilon", None)
    return int(epsilon == HARDLY_AN_EPSILON)


def _those(ours: Mapping, theirs: Mapping) -> Mapping:
    """What the twin gives as well: `fit` tells the loss alone."""
    return {name: array for name, array in ours.items() if name in theirs}


def _doubled(moved: Mapping[str, float]) -> dict[str, float]:
    return {name: TWICE * way for name, way in moved.items()}


def _compare_inference(name: str, program, side) -> None:
    program.begin("infer")
    side.begin("infer")
    require_equal(f"{name}, infer as timed", called(program, "infer"), called(side, "infer"))


def _compare_weights(
    name: str,
    ours: Results,
    theirs: Results,
    first: Mapping,
    most: float,
    allowed: Mapping,
    strays: int,
) -> tuple[float, dict[str, float]]:
    """(largest difference as a share of what it may be, the way of every weight that is compared):
    how far training moved it; those that it cannot move are compared by their size.

    allowed: rms that each may differ by besides.  strays: elements of each that may lie anywhere.
    """
    compared = {n: array for n, array in ours.weights.items() if not n.endswith(LEFT_OUT)}
    others = {n: array for n, array in theirs.weights.items() if not n.endswith(LEFT_OUT)}
    way = {
        n: max(rms(array - first[n]), honest(array.dtype) * rms(array) / most)
        for n, array in compared.items()
    }
    where = f"{name}, weights after {STEPS} steps"
    return require_equal(where, compared, others, most, way, allowed, strays), way
