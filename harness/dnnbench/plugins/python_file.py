"""A network in a user's Python file, `net.py:make_net`.

Its faults are told with the file's own lines.
"""

import linecache
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from inspect import isfunction
from pathlib import Path
from types import ModuleType
from typing import Any

from ..errors import SpecError, UsageError
from ..regular import home_expanded, read_regular
from ..spec.model import Model
from ..spec.workload import Workload
from ..wording import listed, near_miss, shortened
from .guard import PluginStopped, in_words, plugin_code
from .networks import WANTED, as_workload, why

MOST_BYTES = 2**22
MOST_SHOWN = 60
"""Characters of a source line in a message."""
_PLACE = re.compile(r"(?P<path>.*\.py)(?::(?P<name>.*))?", re.DOTALL | re.IGNORECASE)


def is_python_file(text: str) -> bool:
    """Whether the text has the form of `net.py` or `net.py:NAME`."""
    return _PLACE.fullmatch(text) is not None


def workload_in_file(text: str) -> Workload:
    """The workload that `net.py:NAME` names: a Workload, a Model, or a function that makes one.

    The file is executed in this process, as a module that is not `__main__`, with its folder first
    on the path; what it prints goes to stderr.  UsageError where it has no such name, SpecError for
    what it raises, with the innermost line of the file.
    """
    path, name = place_of(text)
    path = home_expanded(path)
    source = _read(path)
    if not name:
        raise UsageError(f"{path}: name what to take of it, as {path}:NAME: {WANTED}")
    with _blamed_on(path), plugin_code(), _beside(path):
        module = _executed(path, source)
        return as_workload(_named(module, path, name), f"{path}:{name}")


def place_of(text: str) -> tuple[Path, str | None]:
    """The file that a text names, and the name in it; no name where the text has none."""
    match = _PLACE.fullmatch(text)
    return Path(match["path"] if match else text), match["name"] if match else None


def _read(path: Path) -> bytes:
    try:
        return read_regular(path, MOST_BYTES)
    except OSError as error:
        reason = error.strerror or "it is no file"
        raise UsageError(
            f"{shortened(str(path), 1000)}: cannot be read: {reason}; give FILE.py:NAME"
        ) from None


def _executed(path: Path, source: bytes) -> ModuleType:
    """A fresh module, however often the file was executed before."""
    linecache.checkcache(str(path))
    module = ModuleType(f"dnnbench_file_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module  # where dataclasses look their module up
    exec(compile(source, str(path), "exec"), module.__dict__)
    return module


def _named(module: ModuleType, path: Path, name: str) -> Any:
    """The value of that name in the module; UsageError with what there is."""
    if name in vars(module):
        return vars(module)[name]
    there = _networks(module)
    choices = f"it has {listed(there)}" if there else "it has none"
    hint = near_miss(name, there)
    raise UsageError(f"{path}: nothing is called '{shortened(name)}' in it{hint} ({choices})")


def _networks(module: ModuleType) -> list[str]:
    """Names of what may be meant: networks, and functions that the file itself defines."""
    public = {name: value for name, value in vars(module).items() if not name.startswith("_")}
    return [name for name, value in public.items() if _may_be_meant(value, module.__name__)]


def _may_be_meant(value: Any, module: str) -> bool:
    return isinstance(value, Workload | Model) or (isfunction(value) and value.__module__ == module)


@contextmanager
def _beside(path: Path) -> Iterator[None]:
    """The file's folder first on the path, for what lies beside it."""
    before = list(sys.path)
    sys.path.insert(0, str(path.resolve().parent))
    try:
        yield
    finally:
        sys.path[:] = before


@contextmanager
def _blamed_on(path: Path) -> Iterator[None]:
    """What the file raises as a SpecError that tells its line; ours, and Ctrl-C, pass."""
    try:
        yield
    except (SpecError, UsageError) as error:
        if _line_of(error, path) is None:
            raise
        raise _blamed(error, path) from error
    except Exception as error:
        raise _blamed(error, path) from error


def _blamed(error: Exception, path: Path) -> SpecError:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return SpecError(f"{path}, line {error.lineno}: not Python: {error.msg}; mend the file")
    line = _line_of(error, path)
    place = str(path) if line is None else f"{path}, line {line}{_shown(path, line)}"
    return SpecError(f"{place}: {_sentence(error)}")


def _sentence(error: Exception) -> str:
    if isinstance(error, PluginStopped):
        return str(error)
    text = why(error) if isinstance(error, ValueError) else ""
    return f"{type(error).__name__}: {shortened(text)}" if text else shortened(in_words(error))


def _line_of(error: BaseException, path: Path) -> int | None:
    """The innermost line of the file that the exception came through; None if it came not by it."""
    raised = error.__context__ if isinstance(error, PluginStopped) else error
    line, trace = None, raised.__traceback__ if raised else None
    while trace is not None:
        if trace.tb_frame.f_code.co_filename == str(path):
            line = trace.tb_lineno
        trace = trace.tb_next
    return line


def _shown(path: Path, line: int) -> str:
    text = linecache.getline(str(path), line).strip()
    return f" ({shortened(text, MOST_SHOWN)})" if text else ""
