"""What many tests share: one cache, one tier of workers a session."""

import gc
import os
import signal
from pathlib import Path

import pytest
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.worker.__main__ import SERVICE
from helpers.kept_caches import kept_folder, lend, remove_unused

LASTING = ("module", "class")
CHEAP = {"quick_compilation"}
"""Fixtures that last as long as a file's tests and cost nothing to make twice."""


def pytest_itemcollected(item):
    """Tests that share what is made once for their file stay in one process: parted, each of two
    would make it.
    """
    if item.get_closest_marker("xdist_group") is None and shares(item):
        item.add_marker(pytest.mark.xdist_group(item.path.stem))


def shares(item):
    """Whether a test asks for a fixture that lasts longer than the test and less than a session."""
    fixtures = getattr(item, "_fixtureinfo", None)
    if fixtures is None:
        return False
    asked = {name: made[-1] for name, made in fixtures.name2fixturedefs.items()}
    return any(asked[name].scope in LASTING for name in asked.keys() - CHEAP)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config, items):
    """Refuse an xdist that does not know the groups: tests of one group share a process and what
    it has made.
    """
    grouped = next((item for item in items if item.get_closest_marker("xdist_group")), None)
    if grouped and config.getoption("loadgroup", False) and "@" not in grouped.nodeid:
        raise pytest.UsageError(
            f"pytest {pytest.__version__} and its xdist ignore groups: "
            "install what constraints.txt pins"
        )


def pytest_collection_finish():
    """Leave ten thousand tests, and what their files import, out of every garbage collection."""
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def terminal():
    """xdist sets COLUMNS, and readline behind Python's back, which would cut the tables
    that commands print here.
    """
    os.environ.pop("COLUMNS", None)
    os.unsetenv("COLUMNS")


@pytest.fixture(scope="session", autouse=True)
def interrupts():
    """Shells without job control and nohup start a program with signals ignored,
    and every child inherits that.
    """
    usual = {
        signal.SIGINT: signal.default_int_handler,
        signal.SIGQUIT: signal.SIG_DFL,
        signal.SIGHUP: signal.SIG_DFL,
    }
    for number, handler in usual.items():
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, handler)


@pytest.fixture(scope="session", autouse=True)
def cache(tmp_path_factory):
    """References and compile caches of this session, shared by all of its pytest processes, and
    a lock for each of them: no test is refused because one of another process measures.

    References and compile caches are kept for later sessions, as helpers.kept_caches says.
    """
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if os.environ.get("PYTEST_XDIST_WORKER") else own
    kept = kept_folder()
    lend(kept, shared / "cache")
    remove_unused(kept.parent)
    os.environ["DNNBENCH_CACHE"] = str(shared / "cache")
    os.environ["DNNBENCH_LOCK"] = str(own / "lock")
    return Path(os.environ["DNNBENCH_CACHE"])


class Workers:
    """Worker processes by backend, mode and element type, each started once."""

    def __init__(self):
        self._open = {}

    def get(self, backend: str, mode: str = "", dtype: str = "float32", service: str = SERVICE):
        """The started worker of an arm."""
        from dnnbench.execution.pool import spawn, start_request
        from dnnbench.worker.clients.arm import ArmClient

        info = plugins().backends[backend]
        arm = Arm(backend, mode or info.default_mode, dtype=dtype)
        apart = dtype if info.float64_apart else ""
        key = (arm.name, apart, service)
        if key not in self._open:
            worker = spawn(arm, f"test-{arm.name}", service=service)
            self._open[key] = worker
            ArmClient(worker, 120).start(start_request(arm))
        return self._open[key]

    def close(self):
        for worker in self._open.values():
            worker.close()


@pytest.fixture(scope="session")
def workers():
    """Started workers, closed at the session's end."""
    pool = Workers()
    yield pool
    pool.close()


def pytest_terminal_summary(terminalreporter):
    """What test_faults recorded: faults caught, honest checks without alarm, and how clearly."""
    told = {}
    for report in (*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")):
        for name, value in report.user_properties:
            told.setdefault((name, report.outcome), set()).add(
                tuple(value) if isinstance(value, list) else value
            )
    missed, alarms = (
        told.get((name, "failed"), set()) for name in ("planted fault", "honest check")
    )
    caught, quiet = (
        told.get((name, "passed"), set()) - bad
        for name, bad in (("planted fault", missed), ("honest check", alarms))
    )
    if caught or missed:
        faults = f"planted faults caught: {len(caught)} of {len(caught | missed)}"
        terminalreporter.write_line(
            f"{faults}; honest checks without alarm: {len(quiet)} of {len(quiet | alarms)}"
        )
    for dtype in ("float64", "float32"):
        for what, choose in (("mildest fault", min), ("worst honest", max)):
            if found := told.get((f"{what} {dtype}", "passed")):
                ratio, where = choose(found)
                terminalreporter.write_line(f"{what} in {dtype}: {ratio:.3g} allowances ({where})")
