"""A test run again by its node id, each time in a pytest process of its own.

The process that is asked for a measurement writes its visits into the file that VARIABLE names, and
ends the test there.
"""

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import pytest

from ..errors import UsageError
from ..wording import without_middle
from .in_process import SideVisit

VARIABLE = "DNNBENCH_FRESH_PROCESS"
"""Set in a fresh process: `NUMBER CALL PATH`, the generation, which of the test's assertions it
measures, and the file that it writes.
"""
LIMIT_S = 1800.0
"""For one process, imports and compilations included: one that hangs does not hang the suite."""
LONGEST_OUTPUT = 2000


@dataclass(frozen=True)
class Request:
    """What a fresh process is asked for."""

    generation: int
    call: int
    path: Path

    @classmethod
    def of_environment(cls) -> "Request | None":
        """None in a process that nobody asked."""
        text = os.environ.get(VARIABLE)
        if text is None:
            return None
        generation, call, path = text.split(" ", 2)
        return cls(int(generation), int(call), Path(path))

    def answer(self, visits: Sequence[SideVisit]) -> None:
        """Write what was measured."""
        self.path.write_text(json.dumps({"visits": [asdict(visit) for visit in visits]}))

    def refuse(self, reason: str) -> None:
        """Write why nothing was."""
        self.path.write_text(json.dumps({"refused": reason}))


def refusal_here(config: pytest.Config) -> str:
    """Why no test of this session can be measured; empty where it can."""
    count = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    if count > 1:
        return f"pytest-xdist runs {count} processes beside it; run this test with -n 0"
    if config.option.collectonly:
        return "tests are only collected"
    return ""


def tracer() -> str:
    """What slows every line of this process down: a tracer, a profiler, coverage; empty if nothing.

    Python's own hooks for it, and those of 3.12's sys.monitoring.
    """
    if sys.gettrace() is not None:
        return "a tracer is set, as coverage and debuggers do"
    if sys.getprofile() is not None:
        return "a profiler is set"
    monitoring = getattr(sys, "monitoring", None)
    tools = [monitoring.get_tool(number) for number in range(6)] if monitoring else []
    named = [tool for tool in tools if tool]
    return f"{named[0]} watches this process" if named else ""


def generations(item: pytest.Item, call: int, count: int) -> Iterator[list[SideVisit]]:
    """The visits of one fresh process after the other; UsageError, with the reason, if one fails
    to measure.
    """
    with tempfile.TemporaryDirectory(prefix="dnnbench-") as folder:
        for number in range(count):
            yield _run(item, Request(number, call, Path(folder) / f"{number}.json"))


def _run(item: pytest.Item, request: Request) -> list[SideVisit]:
    config = item.config
    variables = {name: value for name, value in os.environ.items() if not _of_this_test(name)}
    variables[VARIABLE] = f"{request.generation} {request.call} {request.path}"
    try:
        done = subprocess.run(
            command(item),
            cwd=config.invocation_params.dir,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise UsageError(f"a fresh process did not end within {LIMIT_S:.0f} s") from None
    if not request.path.exists():
        raise UsageError(_why_nothing(item, done))
    answer = json.loads(request.path.read_text())
    if reason := answer.get("refused"):
        raise UsageError(reason)
    return [SideVisit(**visit) for visit in answer["visits"]]


def _of_this_test(name: str) -> bool:
    return name == "PYTEST_CURRENT_TEST" or name.startswith("PYTEST_XDIST_")


def command(item: pytest.Item) -> list[str]:
    """The command line of a pytest that runs this test alone, configured as this session is.

    Options of the project's own conftest keep their defaults, or what `addopts` says.
    """
    config, plugins = item.config, item.config.pluginmanager
    words = [sys.executable, "-m", "pytest", f"--rootdir={config.rootpath}"]
    words += ["-c", str(config.inipath)] if config.inipath else []
    for name in config.option.plugins or ():
        words += ["-p", name]
    for text in config.option.override_ini or ():
        words += ["-o", text]
    words += [f"--import-mode={config.option.importmode}"]
    words += ["-n", "0"] if plugins.hasplugin("xdist") else []
    words += ["--no-cov"] if plugins.hasplugin("_cov") else []
    # The last of several counts: whatever addopts selects, this one test is meant.
    words += ["-m", "", "-k", "", "-q", "-p", "no:randomly"]
    return [*words, f"{item.path}::{item.nodeid.partition('::')[2]}"]


def _why_nothing(item: pytest.Item, done: "subprocess.CompletedProcess[str]") -> str:
    output = without_middle(done.stdout.strip(), LONGEST_OUTPUT)
    if done.returncode in (pytest.ExitCode.USAGE_ERROR, pytest.ExitCode.NO_TESTS_COLLECTED):
        return (
            f"a fresh process finds no test {item.nodeid}: an id must be the same in every "
            f"process, so give parameters ids of their own; it said:\n{output}"
        )
    return (
        f"a fresh process ended with exit code {done.returncode} before it measured; "
        f"it said:\n{output}"
    )
