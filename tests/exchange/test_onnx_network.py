"""What an exported network looks like: names, orders of axes, arrays, any number of examples."""

from collections import Counter

import numpy as np
import pytest
from dnnbench.exchange.network import network
from dnnbench.exchange.proto import OPSET, model_proto
from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import BceWithLogits, Mse
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Task, Workload


def exported(build, shape, task=None, dtype="float32"):
    """The graph of what `build` makes of an input x and a Builder."""
    net = Builder("drawn")
    outputs = build(net, net.input("x", shape))
    model = net.build(*([outputs] if isinstance(outputs, str) else outputs))
    workload = Workload(name="drawn", model=model, task=task or Task())
    return network(workload, initial_weights(model, 0), dtype)


def kinds(exported_network):
    return Counter(step.kind for step in exported_network.graph.steps)


def two_convolutions(net, x):
    y = net.relu(net.batch_norm(net.conv2d(x, filters=4, kernel=3, name="first")))
    y = net.max_pool2d(net.relu(net.conv2d(y, filters=6, kernel=3, name="second")), window=2)
    return net.dense(net.flatten(net.add(y, y)), units=3, name="logits")


def test_a_chain_of_convolutions_is_transposed_at_its_ends_alone():
    assert kinds(exported(two_convolutions, (8, 8, 3)))["Transpose"] == 2


def test_an_image_of_one_channel_is_not_moved():
    assert kinds(exported(two_convolutions, (8, 8, 1)))["Transpose"] == 1


def test_a_tensor_is_transposed_once_for_all_that_read_it():
    def branches(net, x):
        both = [net.conv2d(x, filters=3, kernel=1), net.conv2d(x, filters=3, kernel=3)]
        return net.flatten(net.add(*both))

    assert kinds(exported(branches, (8, 8, 3)))["Transpose"] == 2


def test_recurrent_layers_hand_on_their_sequences_as_they_are():
    def stacked(net, x):
        y = net.lstm(net.dropout(net.lstm(x, units=4)), units=4)
        return net.dense(y, units=2)

    assert kinds(exported(stacked, (5, 3)))["Transpose"] == 2


@pytest.mark.parametrize(
    ("queries", "keys", "inputs", "causal"), [(4, 4, 3, 1), (2, 4, 4, 0), (1, 4, 3, 0)]
)
def test_the_causal_triangle_ends_at_the_lower_right(queries, keys, inputs, causal):
    """As many queries as keys: ONNX's own; fewer: a mask; one, which sees every key: nothing."""

    def after_a_cache(net, x):
        q = net.slice(x, start=keys - queries)
        return net.dense(net.attention(q, x, x, heads=2, causal=True), units=2)

    steps = exported(after_a_cache, (keys, 6)).graph.steps
    [step] = [step for step in steps if step.kind == "Attention"]
    assert (len(step.inputs), step.attributes["is_causal"]) == (inputs, causal)


def test_weights_keep_their_names_and_are_stored_as_onnx_reads_them():
    arrays = exported(two_convolutions, (8, 8, 3)).graph.arrays
    shapes = {name: array.shape for name, array in arrays.items() if "/" not in name}
    assert shapes["first.weight"] == (4, 3, 3, 3)
    assert shapes["logits.weight"] == (96, 3)
    assert {"first.bias", "batch_norm1.mean", "batch_norm1.variance"} <= set(shapes)


def test_a_shared_table_is_kept_once():
    def tied(net, x):
        ids = net.input("ids", (5,), "int32")
        y = net.embedding(ids, vocabulary=7, features=4, name="table")
        y = net.add(y, x)
        return net.dense(y, units=7, transposed=True, bias=False, share={"weight": "table.weight"})

    arrays = exported(tied, (5, 4)).graph.arrays
    assert [name for name, array in arrays.items() if array.size == 28] == ["table.weight"]


def test_outputs_bear_the_networks_names_with_any_number_of_examples():
    def two(net, x):
        hidden = net.relu(net.dense(x, units=4), name="hidden")
        return net.dense(net.dropout(hidden), units=2, name="logits"), hidden

    model = model_proto(exported(two, (3,)))
    shapes = {
        o.name: [d.dim_param or d.dim_value for d in o.type.tensor_type.shape.dim]
        for o in model.graph.output
    }
    assert shapes == {"logits": ["N", 2], "hidden": ["N", 4], "prediction": ["N"]}


def test_an_output_may_be_an_input_or_an_output_under_another_name():
    def passed_on(net, x):
        logits = net.dense(x, units=2, name="logits")
        return net.dropout(logits, name="kept"), logits, net.dropout(x, name="fed")

    result = exported(passed_on, (3,))
    assert [port.name for port in result.outputs] == ["kept", "logits", "fed", "prediction"]
    made = [name for step in result.graph.steps for name in step.outputs]
    assert {"kept", "logits", "fed"} <= set(made)


@pytest.mark.parametrize(
    ("loss", "metric", "outputs"),
    [(BceWithLogits(), "accuracy", ["y", "prediction"]), (Mse(), "loss", ["y"])],
)
def test_a_prediction_is_an_output_where_it_is_a_class(loss, metric, outputs):
    task = Task(loss=loss, metric=metric)
    result = exported(lambda net, x: net.dense(x, units=2, name="y"), (3,), task)
    assert [port.name for port in result.outputs] == outputs


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_everything_that_floats_has_one_type(dtype):
    arrays = exported(two_convolutions, (8, 8, 3), dtype=dtype).graph.arrays.values()
    assert {array.dtype for array in arrays if array.dtype.kind == "f"} == {np.dtype(dtype)}


def test_the_opset_is_fixed():
    model = model_proto(exported(two_convolutions, (8, 8, 3)), {"spec_hash": "0123"})
    assert [(opset.domain, opset.version) for opset in model.opset_import] == [("", OPSET)]
    assert {p.key: p.value for p in model.metadata_props} == {"spec_hash": "0123"}


def test_an_array_kept_apart_is_named_and_shaped():
    model = model_proto(exported(two_convolutions, (8, 8, 3)), apart=["first.weight"])
    [apart] = [t for t in model.graph.initializer if t.name == "first.weight"]
    assert (tuple(apart.dims), len(apart.raw_data)) == ((4, 3, 3, 3), 0)
