"""Every op of the spec means the same in ONNX: by ONNX's own evaluator, in float64."""

import numpy as np
import pytest
from dnnbench.exchange import ops
from dnnbench.exchange.network import network
from dnnbench.spec.ops import OPS
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import evaluated, reference, weights_of

IN_FLOAT32 = {"elu", "gelu"}
"""What onnx's evaluator computes with a number in float32, whatever it is given."""


def test_every_op_is_written():
    drawn = {kind for kind, op in OPS.items() if op.random}
    assert set(ops.__all__) == set(OPS) - drawn


@pytest.mark.parametrize("case", CASES)
def test_onnx_computes_what_the_reference_computes(case):
    workload = CASES[case]()
    weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=3)
    wanted = reference(workload, weights, batch)
    result = evaluated(workload, weights, batch)
    rounding = 1e-7 if case in IN_FLOAT32 else 1e-12
    for name, value in result.items():
        np.testing.assert_allclose(
            value, wanted[name], rtol=rounding, atol=rounding * abs(wanted[name]).max()
        )
    assert set(result) >= set(workload.model.outputs)


def unread(case):
    """Arrays of a file that no operator reads: ONNX Runtime warns of each."""
    workload = CASES[case]()
    graph = network(workload, weights_of(workload), "float32").graph
    return set(graph.arrays) - {name for step in graph.steps for name in step.inputs}


def test_every_array_is_read():
    assert {case: names for case in CASES if (names := unread(case))} == {}
