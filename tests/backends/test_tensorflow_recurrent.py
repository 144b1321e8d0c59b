"""Recurrent layers in TensorFlow: where inputs are multiplied, in the steps or before the first."""

from contextlib import nullcontext

import numpy as np
import pytest
from dnnbench.protocol.device import Device
from dnnbench.spec.ops import OPS
from helpers.in_this_process import TENSORFLOW

pytestmark = [TENSORFLOW, pytest.mark.slow]
N, T, I, H = 2, 5, 3, 4
GATES = {"lstm": 4, "gru": 3}


def layer(kind, mode, inferred, device="cpu"):
    """(the layer as a function of the inputs, traced for this mode and device, the inputs)"""
    import tensorflow as tf
    from dnnbench_tensorflow import ops
    from dnnbench_tensorflow.kernels import in_context, inferring

    draw = np.random.default_rng(0)
    shapes = {"weight": (I, GATES[kind] * H), "recurrent": (H, GATES[kind] * H)}
    shapes |= {"bias": (GATES[kind] * H,)} | ({"hidden_bias": (H,)} if kind == "gru" else {})
    parameters = {n: tf.constant(draw.normal(size=s), tf.float32) for n, s in shapes.items()}
    x = tf.constant(draw.normal(size=(N, T, I)), tf.float32)
    op = OPS[kind](units=H)

    def states(x):
        with inferring() if inferred else nullcontext():
            return getattr(ops, kind)(op, x, **parameters)

    traced = tf.function(in_context(mode, Device(device), states))
    return traced.get_concrete_function(x), x


def products_of_a_step(graph):
    """How many products the body of each loop has."""
    bodies = [f for f in graph.graph.as_graph_def().library.function if "body" in f.signature.name]
    return [sum(node.op == "MatMul" for node in body.node_def) for body in bodies]


@pytest.mark.parametrize("kind", GATES)
def test_a_layer_inferred_under_xla_multiplies_inputs_in_its_steps(kind):
    graph, _ = layer(kind, "xla", inferred=True)
    assert products_of_a_step(graph) == [2]


@pytest.mark.parametrize("kind", GATES)
@pytest.mark.parametrize(
    ("inferred", "device"), [(False, "cpu"), (True, "gpu")], ids=["trained", "on a GPU"]
)
def test_others_multiply_them_before(kind, inferred, device):
    graph, _ = layer(kind, "xla", inferred, device)
    assert products_of_a_step(graph) == [1]


@pytest.mark.parametrize("kind", GATES)
def test_both_ways_and_steps_that_are_written_out_give_the_same_states(kind):
    in_steps, x = layer(kind, "xla", inferred=True)
    before, _ = layer(kind, "xla", inferred=False)
    written_out, _ = layer(kind, "graph", inferred=True)
    np.testing.assert_allclose(in_steps(x), written_out(x), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(before(x), written_out(x), rtol=1e-5, atol=1e-6)
