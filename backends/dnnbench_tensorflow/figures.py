"""What is counted of a call: operations of its graph, or that run one by one, and FLOPs."""

import tensorflow as tf
from dnnbench.protocol.figures import Figure
from tensorflow.python.framework import op_callbacks

NO_WORK = frozenset({"Placeholder", "Const", "Identity", "NoOp"})
"""Operations of a graph that compute nothing."""


def of_graph(function, traces):
    """Figures of a concrete function.  traces: of the program, whatever it was traced for."""
    operations = list(_operations(function.graph))
    return [
        Figure("operators", sum(op.type not in NO_WORK for op in operations), "operators"),
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


def _operations(graph):
    """Of a graph, and of every function that it may call."""
    yield from graph.get_operations()
    for definition in graph.as_graph_def().library.function:
        yield from (_Node(node.op) for node in definition.node_def)


class _Node:
    def __init__(self, type):
        self.type = type


def _flops(graph):
    """By TensorFlow's own formulas."""
    builder = tf.compat.v1.profiler.ProfileOptionBuilder
    options = builder(builder.float_operation()).with_empty_output().build()
    return tf.compat.v1.profiler.profile(graph, options=options).total_float_ops
