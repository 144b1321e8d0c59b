"""What this machine can do at best, measured through the same programs that are compared:
the roofline's two lines.

The share of peak (MFU) of a cell divides by the best rate that any arm of the run
reached on its device and in its type: a peak that was measured, under the same noise,
and no figure from a data sheet.
Source: Williams, Waterman & Patterson 2009, "Roofline".
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ..host.clock import now
from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.builder import Builder
from ..spec.data import Synthetic
from ..spec.losses import Mse
from ..spec.model import Model
from ..spec.weights import initial_weights
from ..spec.workload import Task, Workload

Build = Callable[[Workload, dict[str, np.ndarray]], Program]
SIDES = (1024, 4096)
"""Rows, inner size and columns of the product: the second is tried where the first is over
in a blink (a GPU).
"""
ELEMENTS = 2**24
"""Of the tensor that is streamed: 64 MB in float32, beyond the last cache of most machines."""
BLINK_S = 2e-3
CALLS = 5


@dataclass(frozen=True)
class Peaks:
    """Best rates of one arm, per second, and how they were measured."""

    flops_per_s: float
    bytes_per_s: float
    product: str
    stream: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def measure_peaks(build: Build, itemsize: int) -> Peaks:
    """The best of a few calls of one large product, and of one pass over a large tensor.

    itemsize: bytes of an activation. About a second on a CPU core, of which building is most.
    """
    side, seconds = SIDES[0], _best_s(build, _product(SIDES[0]), SIDES[0])
    if seconds < BLINK_S:
        side, seconds = SIDES[1], _best_s(build, _product(SIDES[1]), SIDES[1])
    streamed = _best_s(build, _stream(), 1)
    return Peaks(
        2 * side**3 / seconds,
        2 * ELEMENTS * itemsize / streamed,
        f"product of two {side} x {side} matrices",
        f"relu over {ELEMENTS * itemsize / 2**20:.0f} MiB, read and written",
    )


def _product(side: int) -> Model:
    net = Builder("peak_product")
    return net.build(net.dense(net.input("x", (side,)), units=side, bias=False, name="y"))


def _stream() -> Model:
    net = Builder("peak_stream")
    return net.build(net.relu(net.input("x", (ELEMENTS,)), name="y"))


def _best_s(build: Build, model: Model, rows: int) -> float:
    """Seconds of the quickest of a few inferences, after one that is not counted."""
    task = Task(loss=Mse(), data=Synthetic(), metric="loss")
    workload = Workload(name=model.name, model=model, task=task, batch_size=rows)
    program = build(workload, initial_weights(model, 0))
    try:
        x = np.full((rows, *model.inputs[0].shape), 0.5, np.float32)
        batch = program.put(Batch({"x": x}, np.zeros_like(x)))
        program.wait(program.infer(batch))
        return min(_timed(program, batch) for _ in range(CALLS))
    finally:
        program.close()


def _timed(program: Program, batch: Any) -> float:
    begin = now()
    program.wait(program.infer(batch))
    return now() - begin
