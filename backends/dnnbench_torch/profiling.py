"""Looking into calls with PyTorch's own profiler: a trace, and the time of each node."""

from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

import torch
from dnnbench.protocol.profile import CHROME, Profile, Trace

MARK = "dnnbench node: "
"""Before a node's name, in the mark that stands around its code."""
FUSED = "torch.compile makes one piece of code of several nodes; the trace names its kernels"
FORWARD, BACKWARD = 0, 1
"""Scopes of an event: a function's, and that of a function of backpropagation."""


def enter(node):
    """Begin a node's mark."""
    mark = torch.profiler.record_function(f"{MARK}{node}")
    mark.__enter__()
    return mark


def leave(mark):
    """End it."""
    mark.__exit__(None, None, None)


def profiled(call, calls, on_gpu, marked):
    """A profile of so many calls.

    call: a call with its wait   marked: whether nodes have marks around their code.
    """
    activities = [torch.profiler.ProfilerActivity.CPU]
    activities += [torch.profiler.ProfilerActivity.CUDA] if on_gpu else []
    call()  # what is written, and compiled, at a first call
    with torch.profiler.profile(activities=activities) as profiler:
        begin = perf_counter()
        for _ in range(calls):
            call()
        seconds = perf_counter() - begin
    events = profiler.events()
    forward, backward = _by_node(events, calls, on_gpu) if marked else ({}, {})
    return Profile(
        call_s=seconds / calls,
        forward_s=forward,
        backward_s=backward,
        no_nodes="" if forward else FUSED,
        trace=_trace(profiler),
    )


def _by_node(events, calls, on_gpu):
    """(seconds a call of each node, of its gradients)

    A function of backpropagation bears the sequence number of the one forwards that it belongs to.
    """
    forward, backward, node_of = {}, {}, {}
    for event in events:
        if event.name.startswith(MARK) and event.cpu_parent is None:
            node = event.name.removeprefix(MARK)
            forward[node] = forward.get(node, 0.0) + _seconds(event, on_gpu) / calls
    for event in events:
        node = _marked(event)
        if node is not None and event.sequence_nr >= 0 and event.scope == FORWARD:
            node_of[event.sequence_nr] = node
    for event in events:
        if event.scope == BACKWARD and _is_outermost(event):
            node = node_of.get(event.sequence_nr)
            if node is not None:
                backward[node] = backward.get(node, 0.0) + _seconds(event, on_gpu) / calls
    return forward, backward


def _marked(event):
    """The node in whose mark an event lies; None where it lies in none."""
    while event is not None:
        if event.name.startswith(MARK):
            return event.name.removeprefix(MARK)
        event = event.cpu_parent
    return None


def _is_outermost(event):
    parent = event.cpu_parent
    return parent is None or parent.scope != BACKWARD


def _seconds(event, on_gpu):
    """Of a GPU the time of the kernels that the event started; else the CPU's."""
    return (_kernels_us(event) if on_gpu else event.cpu_time_total) / 1e6


def _kernels_us(event):
    inside = sum(map(_kernels_us, event.cpu_children))
    return inside + sum(kernel.duration for kernel in event.kernels)


def _trace(profiler):
    with TemporaryDirectory() as folder:
        path = Path(folder) / "trace.json"
        profiler.export_chrome_trace(str(path))
        return Trace(path.read_bytes(), "json", CHROME)
