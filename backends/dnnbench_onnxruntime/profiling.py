"""Looking into calls with ONNX Runtime's own profiler: a trace, and the time of each node."""

import json
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from dnnbench.protocol.profile import CHROME, Profile, Trace

from .session import make_session

KERNEL = "_kernel_time"
"""Behind the name of an operator, in the name of an event."""
FUSED = "the optimised graph has no operator of a node's name"


def profiled(network, arm, nodes, run, calls):
    """A profile of so many calls, of a session of its own that writes down what it does.

    nodes: names of the spec's; an operator is called after the node that it is part of, one that
    was fused of several after one of them.
    run: calls a session once, with its wait.
    """
    with TemporaryDirectory() as folder:
        session = make_session(network, arm, profile=str(Path(folder) / "trace")).session
        run(session)
        begin = perf_counter()
        for _ in range(calls):
            run(session)
        seconds = perf_counter() - begin
        content = Path(session.end_profiling()).read_bytes()
    by_node = _by_node(json.loads(content), set(nodes), 1 + calls)
    return Profile(
        call_s=seconds / calls,
        forward_s=by_node,
        no_nodes="" if by_node else FUSED,
        trace=Trace(content, "json", CHROME),
    )


def _by_node(events, nodes, calls):
    """Seconds a call of each node, the first call among them."""
    sums = {}
    for event in events:
        name = event.get("name", "")
        if event.get("cat") == "Node" and name.endswith(KERNEL):
            node = name.partition("/")[0]
            if node in nodes:
                sums[node] = sums.get(node, 0.0) + event["dur"] / 1e6 / calls
    return sums
