"""How a session is made, and what it does: counted and tried, as it tells neither."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from dnnbench.exchange.graph import Graph
from dnnbench.exchange.network import Network, Port
from dnnbench.exchange.proto import model_proto
from onnxruntime import (
    ExecutionMode,
    GraphOptimizationLevel,
    InferenceSession,
    OrtValue,
    SessionOptions,
)

from . import device

LEVELS = {
    "full": GraphOptimizationLevel.ORT_ENABLE_ALL,
    "extended": GraphOptimizationLevel.ORT_ENABLE_EXTENDED,
    "basic": GraphOptimizationLevel.ORT_ENABLE_BASIC,
    "unoptimized": GraphOptimizationLevel.ORT_DISABLE_ALL,
}
"""Of graph optimisation, by mode."""
LARGE_BYTES = 1024
"""What is larger is not copied into the graph: 553 MB are built in a fifth of the time."""
SETTINGS = {
    "session.force_spinning_stop": "1",  # threads sleep once the last call has returned
    "session.set_denormal_as_zero": "1",  # as TensorFlow and XLA do on the CPU, unasked
}


class Session(NamedTuple):
    """ONNX Runtime's session of a network, and the threads that its kernels run on."""

    session: InferenceSession
    threads: int


def make_session(network, arm, profile=""):
    """The network optimised and ready; threads as the arm has them, the caller's among them.

    profile: beginning of the path of a file that says what the session did; empty for none.
    Large arrays are handed over in memory, and must live as long as the session.
    """
    large = {n: a for n, a in network.graph.arrays.items() if a.nbytes > LARGE_BYTES}
    options = _options(arm)
    if profile:
        options.enable_profiling, options.profile_file_prefix = True, profile
    options.add_external_initializers(
        list(large), [OrtValue.ortvalue_from_numpy(array) for array in large.values()]
    )
    before = _threads()
    session = InferenceSession(
        model_proto(network, apart=large).SerializeToString(),
        options,
        providers=[device.resolve(arm.device)],
    )
    return Session(session, 1 + _threads() - before)


def denormals(arm):
    """What becomes of numbers below the smallest normal one, by trial."""
    graph = Graph(np.dtype(arm.dtype))
    graph.publish(graph.run("Mul", "x", graph.constant(0.5)), "y")
    ports = (Port(name, (), str(arm.dtype)) for name in ("x", "y"))
    halving = Network("halving", graph, (next(ports),), (next(ports),))
    least = np.full(1, np.finfo(graph.dtype).tiny, graph.dtype)
    [half] = make_session(halving, arm).session.run(["y"], {"x": least})
    return "kept" if half[0] > 0 else "flushed to zero"


def _options(arm):
    options = SessionOptions()
    options.intra_op_num_threads = arm.threads
    options.inter_op_num_threads = 1
    options.execution_mode = ExecutionMode.ORT_SEQUENTIAL
    options.graph_optimization_level = LEVELS[arm.mode]
    for name, value in SETTINGS.items():
        options.add_session_config_entry(name, value)
    return options


def _threads():
    """Of this process."""
    return len(list(Path("/proc/self/task").iterdir()))
