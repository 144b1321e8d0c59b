"""Looking into calls with TensorFlow's own profiler: a trace, and the time of each node."""

import re
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import tensorflow as tf
from dnnbench.protocol.profile import NodeClock, Profile, Trace

SCOPE = "dnnbench."
"""Before a node's name, in the scope of its operations."""
OPENS = "XProf or TensorBoard's profiler plugin"
FUSED = "the trace names no operation of a node: XLA makes one piece of code of all"
NO_TAPE = "gradients: op by op, the tape does not say which node they belong to"
_NODE = re.compile(re.escape(SCOPE) + r"(?P<node>[A-Za-z_][\w.]*)/")


def scoped(apply):
    """`apply` in the scope of its node."""

    def named(node, *arguments):
        with tf.name_scope(f"{SCOPE}{node.name}"):
            return apply(node, *arguments)

    return named


def of_graph(call, calls):
    """A profile of calls of a graph that was traced under the names of `scoped`."""
    seconds, content = _traced(call, calls)
    forward, backward = _by_node(content, calls)
    return Profile(
        call_s=seconds / calls,
        forward_s=forward,
        backward_s=backward,
        no_nodes="" if forward else FUSED,
        trace=Trace(content, "xplane.pb", OPENS),
    )


def op_by_op(call, clock, calls, is_inference):
    """A profile of calls in which `clock` stands around every node."""
    call()
    clock.forget()
    seconds, content = _traced(call, calls)
    return Profile(
        call_s=seconds / calls,
        forward_s=clock.seconds("forward", calls),
        no_nodes="" if is_inference else NO_TAPE,
        trace=Trace(content, "xplane.pb", OPENS),
    )


def eager_clock():
    """TensorFlow has finished an op when it returns, unless a GPU computes it."""
    return NodeClock(lambda value: tf.test.experimental.sync_devices())


def _traced(call, calls):
    """(seconds of all calls, the trace of them)"""
    with TemporaryDirectory() as folder:
        options = tf.profiler.experimental.ProfilerOptions(python_tracer_level=0)
        tf.profiler.experimental.start(folder, options=options)
        try:
            begin = perf_counter()
            for _ in range(calls):
                call()
            seconds = perf_counter() - begin
        finally:
            tf.profiler.experimental.stop()
        [path] = Path(folder).rglob("*.xplane.pb")
        return seconds, path.read_bytes()


def _by_node(content, calls):
    """(seconds a call of each node, of its gradients), from the operations of a trace."""
    from tensorflow.tsl.profiler.protobuf.xplane_pb2 import XSpace

    forward, backward = {}, {}
    for plane in XSpace.FromString(content).planes:
        for line in plane.lines:
            for event in line.events:
                name = plane.event_metadata[event.metadata_id].name
                match = _NODE.search(name)
                if match:
                    sums = backward if "gradient_tape/" in name else forward
                    seconds = event.duration_ps / 1e12 / calls
                    sums[match["node"]] = sums.get(match["node"], 0.0) + seconds
    return forward, backward
