"""What every worker process answers, whatever service it was started with."""

from abc import ABC, abstractmethod
from dataclasses import dataclass


@dataclass(frozen=True)
class Hello:
    """Who answers: process id, Python's version, and the CPUs that the process is confined to."""

    pid: int
    python: str
    cpus: tuple[int, ...]


class ProcessService(ABC):
    """The process itself; asking it imports no framework."""

    @abstractmethod
    def hello(self) -> Hello:
        """Who answers."""

    @abstractmethod
    def end_first(self) -> None:
        """Have the kernel end this process before any other, should memory run out."""

    @abstractmethod
    def move(self, cpus: tuple[int, ...]) -> None:
        """Confine the process, with every thread that it has, to other CPUs."""

    @abstractmethod
    def close(self) -> None:
        """End the process after this answer."""
