"""All networks of the zoo are written in ONNX: tiny ones by value, published ones as they stand."""

import numpy as np
import onnx
import pytest
from dnnbench.exchange.network import network
from dnnbench.exchange.proto import model_proto
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import evaluated, reference, weights_of

WHOLE = [workload.name for workload in find_workloads("all")]
TINY = [workload.name for workload in find_workloads("all[tiny]")]
WITHOUT_A_TINY_ONE = ["mlp_digits", "cnn_digits"]


def test_the_zoo_is_whole():
    assert len(WHOLE) == 26
    assert {name.partition("[")[0] for name in [*TINY, *WITHOUT_A_TINY_ONE]} == {
        name.partition("[")[0] for name in WHOLE
    }


@pytest.mark.parametrize("name", [*WITHOUT_A_TINY_ONE, *TINY])
def test_tiny_networks_are_exported_with_their_values(name):
    workload = find_workload(name)
    weights, [batch] = weights_of(workload), batches_of(workload, count=1, size=2)
    wanted = reference(workload, weights, batch)
    result = evaluated(workload, weights, batch)
    assert set(result) >= set(workload.model.outputs)
    for output, value in result.items():
        rounding = 1e-6 * abs(wanted[output]).max()  # gelu in onnx's evaluator is float32's
        np.testing.assert_allclose(value, wanted[output], rtol=1e-6, atol=rounding)


def structure(workload):
    """The model with its arrays as inputs: their shapes are checked, their bytes are not."""
    model = workload.model
    zeros = {
        name: np.zeros(array.shape, np.float32)
        for name, array in {**model.parameters, **model.state}.items()
    }
    exported = network(workload, zeros, "float32")
    large = {n: a for n, a in exported.graph.arrays.items() if a.dtype.kind == "f" and a.ndim}
    for name in large:
        del exported.graph.arrays[name]
    proto = model_proto(exported)
    for name, array in large.items():
        kind = onnx.TensorProto.FLOAT
        proto.graph.input.append(onnx.helper.make_tensor_value_info(name, kind, array.shape))
    return proto


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", WHOLE)
def test_published_networks_are_exported_as_onnx_wants_them(name):
    workload = find_workload(name)
    proto = structure(workload)
    onnx.checker.check_model(proto, full_check=True)
    assert {output.name for output in proto.graph.output} >= set(workload.model.outputs)
