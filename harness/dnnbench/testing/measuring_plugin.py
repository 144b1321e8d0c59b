"""What dnnbench gives to any pytest session: a mark and three fixtures.

    @pytest.mark.dnnbench("mlp_digits", backend="torch")   a workload, built in this process
    dnnbench_program       what the mark names: program, batch, workload, arm
    dnnbench_measure       measures a function, a program, or what the mark names
    assert_not_slower      fails for a slowdown that is certain, over fresh processes

A session that uses none of them imports nothing of dnnbench but this file.
"""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..protocol.batch import Batch
    from .in_process import Measurement
    from .marked import Backends, MarkedProgram
    from .not_slower import NotSlower

MARK = "dnnbench"
BENCHMARK = "benchmark"
"""pytest-benchmark's name among pytest's plugins, of its fixture, and of its mark."""
USERS = ("dnnbench_program", "dnnbench_measure")
"""Fixtures that read the mark."""


def pytest_configure(config: pytest.Config) -> None:
    """Announce the mark; the fixture that measures feeds pytest-benchmark where that is."""
    config.addinivalue_line(
        "markers", 'dnnbench(workload, backend="NAME"): what dnnbench_measure measures here'
    )
    feeding = config.pluginmanager.hasplugin(BENCHMARK)
    config.pluginmanager.register(Feeding() if feeding else Alone(), "dnnbench_measuring")


def pytest_itemcollected(item: pytest.Item) -> None:
    """pytest-benchmark shall take its seconds from dnnbench, whatever else its mark says."""
    if "dnnbench_measure" not in getattr(item, "fixturenames", ()):
        return
    if item.config.pluginmanager.hasplugin(BENCHMARK):
        from .replay import replay

        mark = item.get_closest_marker(BENCHMARK)
        options = dict(mark.kwargs) if mark else {}
        item.add_marker(pytest.mark.benchmark(**options | {"timer": replay}), append=False)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """A mark that nothing reads, or that cannot be meant, fails its test with the reason."""
    mark = item.get_closest_marker(MARK)
    if mark is None:
        return
    if not set(USERS) & set(getattr(item, "fixturenames", ())):
        pytest.fail(
            f"{item.name} is marked dnnbench and takes none of {', '.join(USERS)}: the mark would "
            "measure nothing; add one as an argument",
            pytrace=False,
        )
    from ..errors import DnnbenchError
    from .marked import read_mark

    try:
        item.stash[_MARKED] = read_mark(mark)
    except DnnbenchError as error:
        pytest.fail(str(error), pytrace=False)


_MARKED = pytest.StashKey[Any]()


@pytest.fixture(scope="session")
def _dnnbench_backends() -> "Backends":
    from .marked import Backends

    return Backends()


@pytest.fixture
def dnnbench_program(
    request: pytest.FixtureRequest, _dnnbench_backends: "Backends"
) -> "Iterator[MarkedProgram]":
    """What the mark names, built in this process: `.program`, `.batch`, `.workload`, `.arm`."""
    from ..errors import DnnbenchError

    marked = request.node.stash.get(_MARKED, None)
    if marked is None:
        from .marked import EXAMPLE

        pytest.fail(f"{request.node.name} is not marked; mark it, as {EXAMPLE}", pytrace=False)
    try:
        built = _dnnbench_backends.build(marked)
    except DnnbenchError as error:
        pytest.fail(str(error), pytrace=False)
    yield built
    built.program.close()


@pytest.fixture
def assert_not_slower(request: pytest.FixtureRequest) -> "NotSlower":
    """assert_not_slower(f, than=g, by="5%"): fails if f is slower than g for certain.

    Runs the test, by its node id, in six or more fresh processes.
    """
    from .not_slower import NotSlower

    return NotSlower(request.node)


class Alone:
    """The fixture where pytest-benchmark is not."""

    @pytest.fixture
    def dnnbench_measure(self, request: pytest.FixtureRequest) -> "Measure":
        """dnnbench_measure(f): a function, measured in this process by dnnbench's engine."""
        return Measure(request)


class Feeding:
    """The fixture where pytest-benchmark is: it gets the figures, as one of its benchmarks."""

    @pytest.fixture
    def dnnbench_measure(self, request: pytest.FixtureRequest, benchmark: Any) -> "Measure":
        """dnnbench_measure(f): a function, measured in this process by dnnbench's engine, and
        among pytest-benchmark's results.
        """
        return Measure(request, benchmark)


class Measure:
    """Measures once in a test.  benchmark: pytest-benchmark's fixture, if it is there."""

    def __init__(self, request: pytest.FixtureRequest, benchmark: Any = None) -> None:
        self._request, self._benchmark, self._used = request, benchmark, False

    def __call__(
        self,
        target: Any = None,
        batch: "Batch | None" = None,
        *,
        phase: str = "infer",
        wait: Callable[[Any], Any] | None = None,
        seconds: float = 1.0,
    ) -> "Measurement":
        """Visits for so many seconds, after first calls and warm-up.

        target: a function without arguments; a Program, with its batch; left out, what the mark
        names.  phase: of a program.  wait: called with what a function gives; returns when that
        is computed.  Under --benchmark-disable it is called once, and not measured.
        """
        __tracebackhide__ = True
        from ..errors import DnnbenchError

        try:
            return self._measure(target, batch, phase, wait, seconds)
        except DnnbenchError as error:
            pytest.fail(f"dnnbench_measure: {error}", pytrace=False)

    def _measure(
        self,
        target: Any,
        batch: "Batch | None",
        phase: str,
        wait: Callable[[Any], Any] | None,
        seconds: float,
    ) -> "Measurement":
        from ..errors import UsageError
        from ..host.lock import machine_lock
        from .in_process import measurement, one_visit, visits_in_turn
        from .not_slower import LOCK_S
        from .targets import bench_of

        if self._used:
            raise UsageError("a test has one measurement; parametrize the test for several")
        self._used = True
        marked = self._marked() if target is None else None
        bench, chosen = bench_of(target, batch, phase, wait, marked)
        if self._benchmark is not None and self._benchmark.disabled:
            return measurement(self._request.node.name, one_visit(bench, chosen))
        with machine_lock(wait_s=LOCK_S):
            visits = visits_in_turn({"": bench}, chosen, seconds)
        result = measurement(self._request.node.name, visits)
        if self._benchmark is not None:
            self._feed(result)
        return result

    def _marked(self) -> "MarkedProgram":
        marked: MarkedProgram = self._request.getfixturevalue("dnnbench_program")
        return marked

    def _feed(self, result: "Measurement") -> None:
        from .replay import replay

        facts = {"contended": result.contended, "processes": 1}
        self._benchmark.extra_info["dnnbench"] = facts
        replay.play(self._benchmark, result.call_s, result.calls)
