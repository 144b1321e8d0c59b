"""Asks a worker process of itself."""

from ..services.process import Hello, ProcessService
from .base import Client


class ProcessClient(Client, ProcessService):
    """`ProcessService` of a worker."""

    def hello(self) -> Hello:
        return self.asker.ask(ProcessService.hello, self.timeout_s)

    def end_first(self) -> None:
        return self.asker.ask(ProcessService.end_first, self.timeout_s)

    def move(self, cpus: tuple[int, ...]) -> None:
        return self.asker.ask(ProcessService.move, self.timeout_s, cpus)

    def close(self) -> None:
        return self.asker.ask(ProcessService.close, self.timeout_s)
