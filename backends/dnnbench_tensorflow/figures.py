"""What is counted of a call: operations of its graph, or that run one by one, and FLOPs."""

from itertools import chain

import tensorflow as tf
from dnnbench.protocol.figures import Figure
from tensorflow.python.framework import op_callbacks

NO_WORK = frozenset({"Placeholder", "Const", "Identity", "NoOp"})
"""Operations of a graph that compute nothing."""


def of_graph(function, traces):
    """Figures of a concrete function.  traces: of the program, whatever it was traced for."""
    operators = sum(kind not in NO_WORK for kind in _kinds(function.graph))
    return [
        Figure("operators", operators, "operators"),
        Figure("flops", _flops(function.graph), "FLOP"),
        Figure("compilations", traces, "graphs"),
    ]


def of_call(call):
    """Figures of a call that runs op by op."""
    kinds = []

    def seen(kind, inputs, attrs, outputs, op_name=None, graph=None):
        kinds.append(kind)

    op_callbacks.add_op_callback(seen)
    try:
        call()
    finally:
        op_callbacks.remove_op_callback(seen)
    return [Figure("operators", len(kinds), "operators")]


def _kinds(graph):
    """What each operation of a graph is, and of every function that it may call."""
    definition = graph.as_graph_def()
    nodes = [definition.node, *(called.node_def for called in definition.library.function)]
    return [node.op for node in chain.from_iterable(nodes)]


def _flops(graph):
    """By TensorFlow's own formulas."""
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    return tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
