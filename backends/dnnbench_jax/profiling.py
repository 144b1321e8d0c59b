"""Looking into calls with JAX's own profiler: a trace, and the time of each node.

XLA says of each of its kernels what it came from, and a name stands around each node. A kernel that
was fused of several nodes counts for the one that its last operation belongs to.
"""

import gzip
import json
import re
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import jax
from dnnbench.protocol.profile import CHROME, NodeClock, Profile, Trace

SCOPE = "dnnbench."
"""Before a node's name, in the name that stands around its operations."""
NO_KERNELS = "the trace names no kernel of a node"
TRACED = "op by op, JAX differentiates tracers, and not node by node; --profile of jax:jit tells"
_FROM = re.compile(r'^\s*(?:ROOT )?%?(?P<kernel>[\w.-]+) = .*op_name="(?P<origin>[^"]*)"', re.M)
_NODE = re.compile(re.escape(SCOPE) + r"(?P<node>[A-Za-z_][\w.]*)")


def scoped(apply):
    """`apply` under the name of its node."""

    def named(node, *arguments):
        with jax.named_scope(f"{SCOPE}{node.name}"):
            return apply(node, *arguments)

    return named


def of_compiled(function, arguments, calls):
    """A profile of calls of a function, compiled under the names of `scoped`."""
    compiled = jax.jit(function).lower(*arguments).compile()
    origins = {m["kernel"]: m["origin"] for m in _FROM.finditer(compiled.as_text())}

    def call():
        jax.block_until_ready(compiled(*arguments))

    seconds, content = _traced(call, calls)
    forward, backward = _by_node(content, origins, calls)
    return Profile(
        call_s=seconds / calls,
        forward_s=forward,
        backward_s=backward,
        no_nodes="" if forward else NO_KERNELS,
        trace=Trace(content, "json.gz", CHROME),
    )


def op_by_op(make_function, arguments, calls, is_inference):
    """A profile of calls that compile nothing.

    make_function: of what is to stand around the computation of each node.
    """
    clock = NodeClock(jax.block_until_ready)
    if is_inference:
        function = make_function(lambda apply: clock.around("forward", apply))
    else:
        function = make_function(lambda apply: apply)

    def call():
        jax.block_until_ready(function(*arguments))

    call()
    clock.forget()
    seconds, content = _traced(call, calls)
    return Profile(
        call_s=seconds / calls,
        forward_s=clock.seconds("forward", calls),
        no_nodes="" if is_inference else TRACED,
        trace=Trace(content, "json.gz", CHROME),
    )


def _traced(call, calls):
    """(seconds of all calls, the trace of them)"""
    call()
    with TemporaryDirectory() as folder:
        with _tracing(folder):
            begin = perf_counter()
            for _ in range(calls):
                call()
            seconds = perf_counter() - begin
        [path] = Path(folder).rglob("perfetto_trace.json.gz")
        return seconds, path.read_bytes()


@contextmanager
def _tracing(folder):
    """Without the calls of Python, which would be most of the trace."""
    options = jax.profiler.ProfileOptions()
    options.python_tracer_level = 0
    jax.profiler.start_trace(folder, create_perfetto_trace=True, profiler_options=options)
    try:
        yield
    finally:
        jax.profiler.stop_trace()


def _by_node(content, origins, calls):
    """(seconds a call of each node, of its gradients), from the kernels of a trace."""
    forward, backward = {}, {}
    for event in json.loads(gzip.decompress(content))["traceEvents"]:
        kernel = (event.get("args") or {}).get("hlo_op")
        match = _NODE.search(origins.get(kernel, "")) if kernel else None
        if match and event.get("dur"):
            sums = backward if "transpose(" in origins[kernel] else forward
            sums[match["node"]] = sums.get(match["node"], 0.0) + event["dur"] / 1e6 / calls
    return forward, backward
