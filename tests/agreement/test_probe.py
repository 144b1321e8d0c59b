"""The probe of products tells precisions apart, by what they compute and not by what they say."""

import numpy as np
import pytest
from dnnbench.agreement.probe import product_bits
from dnnbench.protocol.arm import Arm
from dnnbench_numpy import ops
from dnnbench_numpy.backend import NumpyBackend


def numpy_bits(dtype):
    return product_bits(
        lambda workload, weights: NumpyBackend().build(
            workload, weights, Arm("numpy", "eager", dtype=dtype)
        )
    )


@pytest.mark.parametrize(
    ("dtype", "lowest", "highest"),
    [
        ("float64", 50, 61),
        ("float32", 21, 26),
        ("tf32", 10, 14),
        ("float16", 10, 14),
        ("bfloat16", 7, 11),
    ],
)
def test_bits_of_each_precision(dtype, lowest, highest):
    assert lowest < numpy_bits(dtype) < highest


def test_a_product_that_is_secretly_coarse_is_seen(monkeypatch):
    honest = ops.dense
    monkeypatch.setattr(
        ops, "dense", lambda op, x, weight: honest(op, x.astype(np.float16).astype(x.dtype), weight)
    )
    assert numpy_bits("float32") < 14
