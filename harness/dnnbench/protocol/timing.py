"""How the calls of a visit follow each other."""

from enum import StrEnum


class Timing(StrEnum):
    """When a visit waits for the device."""

    LATENCY = "latency"
    """For each call, before the next."""
    THROUGHPUT = "throughput"
    """Once, after all of a visit's calls were handed over."""
