"""What is counted of a call: computations of nodes, and the most memory that it takes."""

import tracemalloc

from dnnbench.protocol.figures import Figure, FigureKind


class NodeCounter:
    """Counts computations of nodes and of their gradients; stands where a NodeClock would."""

    def __init__(self):
        self.count = 0

    def around(self, direction, compute):
        """`compute`, counted."""

        def counted(*arguments, **named):
            self.count += 1
            return compute(*arguments, **named)

        return counted


def of_call(call, counter):
    """Figures of a call whose program asks `counter` around each node."""
    counter.count = 0
    tracemalloc.start()
    try:
        call()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return [
        Figure("operators", counter.count, "operators"),
        Figure("peak_bytes", peak, "B", FigureKind.COUNTED),
    ]
