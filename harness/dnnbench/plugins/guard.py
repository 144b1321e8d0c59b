"""Plugins' code, run so that it can neither end this process, nor hold it up,
nor print among its data.
"""

import os
import reprlib
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout

LIMIT_S = 30.0
"""For an import, a hook or a builder: dnnbench's own take milliseconds, and none should import
a framework.
"""


class PluginStopped(Exception):
    """A plugin's code was ended by its time limit, or tried to end this process; says which."""


class _OutOfTime(BaseException):
    """Raised inside a plugin's code, past its `except Exception`."""


@contextmanager
def plugin_code() -> Iterator[None]:
    """Run a plugin's code: what it prints goes to stderr, and whatever it raises leaves
    as an Exception.

    PluginStopped for `sys.exit` and its kind, and after LIMIT_S seconds. Ctrl-C passes.
    """
    try:
        with _stdout_to_stderr(), _time_limit(LIMIT_S):
            yield
    except (Exception, KeyboardInterrupt):
        raise
    except _OutOfTime:
        raise PluginStopped(f"did not end within {LIMIT_S:g} s") from None
    except BaseException as error:
        raise PluginStopped(f"raised {in_words(error)}") from None


def glimpse(value: object) -> str:
    """Some dozens of characters of what a plugin gave.

    Its type where its repr does not come to an end of its own.
    """
    try:
        with plugin_code():
            return reprlib.repr(value)
    except Exception:
        return f"<{type(value).__name__}>"


def what_happened(error: Exception) -> str:
    """How a plugin's code ended, as a predicate: `raised KeyError: 'gone'`,
    `did not end within 30 s`.
    """
    return str(error) if isinstance(error, PluginStopped) else f"raised {in_words(error)}"


def in_words(error: BaseException) -> str:
    """Kind and text of an exception; the kind alone where its own text cannot be made."""
    kind = type(error).__name__
    try:
        with plugin_code():
            return f"{kind}: {error}"
    except PluginStopped as fault:
        return f"{kind}, whose text {fault}"
    except Exception as fault:
        return f"{kind}, whose text raises {type(fault).__name__}"


@contextmanager
def _time_limit(seconds: float) -> Iterator[None]:
    """Raise _OutOfTime after so many seconds.

    No limit outside the main thread, which alone gets signals.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def stop(*_signal: object) -> None:
        raise _OutOfTime

    handler = signal.signal(signal.SIGALRM, stop)
    timer = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, *timer)
        signal.signal(signal.SIGALRM, handler or signal.SIG_DFL)


@contextmanager
def _stdout_to_stderr() -> Iterator[None]:
    """Python's stdout and file descriptor 1, which C code and child processes write to."""
    with redirect_stdout(sys.stderr):
        stdout = _replaced_by_stderr()
        try:
            yield
        finally:
            if stdout is not None:
                os.dup2(stdout, 1)
                os.close(stdout)


def _replaced_by_stderr() -> int | None:
    """A copy of descriptor 1, which is now the same file as 2; None where one of them is closed."""
    try:
        os.fstat(2)
        stdout = os.dup(1)
    except OSError:
        return None
    os.dup2(2, 1)
    return stdout
