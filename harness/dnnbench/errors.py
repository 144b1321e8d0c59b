"""What can go wrong, as seen by a user: each kind carries the exit code of the command
that meets it.
"""


class DnnbenchError(Exception):
    """Something a user can mend.

    Its text says where, what was got, what was wanted and what to do.
    """

    exit_code = 2
    result: object = None
    """What a call from Python would have returned, where it had that before it failed."""


class UsageError(DnnbenchError):
    """A request that cannot be meant: unknown name, impossible combination of options."""


class SpecError(DnnbenchError):
    """A model or workload that breaks a rule.

    `problems` holds every one found, not only the first.
    """

    def __init__(self, problems: str | list[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class BuildError(DnnbenchError):
    """A revision of a project that cannot be installed."""

    exit_code = 1


class DataError(DnnbenchError):
    """A data or weights file that cannot be read, or does not fit the workload."""


class PluginError(DnnbenchError):
    """A backend that is missing, broken or not able to do what was asked."""


class StoreError(DnnbenchError):
    """A store of results that cannot be opened, read or written."""


class StoreAway(StoreError):
    """A store that may come back by itself: a server that restarts, a file that another
    process has locked.
    """


class WorkerError(DnnbenchError):
    """A worker process that failed.

    `kind` is the child's exception type, `log` the tail of what it printed.
    """

    exit_code = 1

    def __init__(self, message: str, kind: str = "", log: str = "") -> None:
        super().__init__(message)
        self.kind = kind
        self.log = log


class NothingMeasured(DnnbenchError):
    """A run from which not a single number came."""

    exit_code = 4


class Interrupted(KeyboardInterrupt):
    """Ctrl-C in a call from Python; `result` is what the call returns, as far as it came.

    A KeyboardInterrupt, so that a loop around the call ends, too, unless it says otherwise.
    """

    def __init__(self, message: str, result: object = None) -> None:
        super().__init__(message)
        self.result = result
