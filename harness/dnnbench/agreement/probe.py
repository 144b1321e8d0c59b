"""How exact matrix products really are, whatever a framework's switches say."""

from collections.abc import Callable

import numpy as np

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.builder import Builder
from ..spec.data import Synthetic
from ..spec.losses import Mse
from ..spec.weights import generator
from ..spec.workload import Task, Workload
from .deviation import rms, rmse
from .keys import outputs_of

SIDE = 64
"""Rows, inner size and columns of the product: a multiple of what tensor cores work on."""


def product_bits(build: Callable[[Workload, dict[str, np.ndarray]], Program]) -> float:
    """Bits to which one product is right: -log2(rms error / rms), of random full-length fractions.

    build(workload, weights) -> Program. About 8 for bfloat16, 11 for TF32 and float16, 22 to 26 for
    float32, 52 and more for float64.
    """
    net = Builder("product_probe")
    model = net.build(net.dense(net.input("x", (SIDE,)), units=SIDE, bias=False, name="product"))
    task = Task(loss=Mse(), data=Synthetic(), metric="loss")
    workload = Workload(name="product_probe", model=model, task=task, batch_size=SIDE)
    draw = generator(0, "product_probe")
    x, weight = (draw.uniform(-1, 1, (SIDE, SIDE)).astype(np.float32) for _ in range(2))
    program = build(workload, {"product.weight": weight})
    try:
        result = program.infer(program.put(Batch({"x": x}, np.zeros_like(x))))
        product = outputs_of(program.get(result))["product"]
    finally:
        program.close()
    # float32 fractions multiply exactly in float64, whose sums are far finer than what is measured.
    exact = x.astype(np.float64) @ weight
    return float(-np.log2(max(rmse(product, exact) / rms(exact), 2.0**-60)))
