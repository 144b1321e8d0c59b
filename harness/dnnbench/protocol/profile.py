"""What a framework's own tools see inside a call: time by node of the network, and a trace."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, Literal, NamedTuple, Self, TypeVar

from ..spec.model import Node

CHROME = "Perfetto (ui.perfetto.dev) or chrome://tracing"
"""What shows a trace in Chrome's format."""
Direction = Literal["forward", "backward"]
T = TypeVar("T")


@dataclass(frozen=True)
class Trace:
    """A file that a framework's profiler wrote, whole; `opens` names what shows it."""

    content: bytes = field(repr=False)
    suffix: str
    """Of its name, as its viewer wants it: `json`, `json.gz`, `xplane.pb`."""
    opens: str


@dataclass(frozen=True)
class Profile:
    """A few calls of one phase, looked into; none of them is timed for a comparison.

    Looking makes calls slower, small nodes above all: read shares, not seconds.
    A part that a program cannot give has its reason, a sentence that users read in its place.
    """

    call_s: float
    """Seconds a call while it was looked into."""
    forward_s: Mapping[str, float] = field(default_factory=dict)
    """Seconds a call of each node's own computation, by the node's name."""
    backward_s: Mapping[str, float] = field(default_factory=dict)
    """The same of its gradients."""
    no_nodes: str = ""
    """Why there is no time by node, or not of all; empty where there is."""
    trace: Trace | None = None
    no_trace: str = ""
    """Why there is no trace; empty where there is."""

    def __post_init__(self) -> None:
        if not (self.forward_s or self.no_nodes):
            raise TypeError("Profile: it has no time by node, and no_nodes does not say why")
        if not (self.trace or self.no_trace):
            raise TypeError("Profile: it has no trace, and no_trace does not say why")

    @classmethod
    def none(cls, reason: str) -> Self:
        """Nothing was looked into."""
        return cls(float("nan"), no_nodes=reason, no_trace=reason)


class NodeClock:
    """Times nodes that are computed one after the other, each waited for before the next.

    A backend wraps what computes a node, calls a phase, and asks for the profile.
    """

    def __init__(self, wait: Callable[[Any], object] = lambda value: None) -> None:
        """wait: returns when a node's value is there."""
        self._wait = wait
        self._spans: list[_Span] = []

    def around(self, direction: Direction, compute: Callable[..., T]) -> Callable[..., T]:
        """`compute(node, ...)` of a node or of its gradients, with a clock around it."""

        def timed(node: Node, *arguments: Any, **named: Any) -> T:
            begin = perf_counter()
            value = compute(node, *arguments, **named)
            self._wait(value)
            self._spans.append(_Span(direction, node.name, begin, perf_counter()))
            return value

        return timed

    def profile(self, seconds: float, calls: int) -> Profile:
        """Of so many calls that took so many seconds; the trace is what this clock saw."""
        return Profile(
            call_s=seconds / calls,
            forward_s=self.seconds("forward", calls),
            backward_s=self.seconds("backward", calls),
            trace=self._trace(),
        )

    def forget(self) -> None:
        """Begin anew: a first call is not like the others."""
        self._spans.clear()

    def seconds(self, direction: Direction, calls: int) -> dict[str, float]:
        """A call, by the node's name."""
        sums: dict[str, float] = {}
        for span in self._spans:
            if span.direction == direction:
                sums[span.node] = sums.get(span.node, 0.0) + (span.end - span.begin) / calls
        return sums

    def _trace(self) -> Trace:
        """Chrome's trace events, times in microseconds from the first."""
        first = self._spans[0].begin if self._spans else 0.0
        events = [
            {
                "name": span.node,
                "cat": span.direction,
                "ph": "X",
                "pid": 0,
                "tid": span.direction,
                "ts": (span.begin - first) * 1e6,
                "dur": (span.end - span.begin) * 1e6,
            }
            for span in self._spans
        ]
        return Trace(json.dumps({"traceEvents": events}).encode(), "json", CHROME)


class _Span(NamedTuple):
    direction: str
    node: str
    begin: float
    end: float
