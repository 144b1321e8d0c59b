"""What the harness itself costs: a call, a message, a command, a run's time outside visits, and the CPU of idle workers."""

import resource
import subprocess
import sysconfig
from pathlib import Path

import pytest
from dnnbench.execution.generation import Generation
from dnnbench.execution.pool import spawn, worker_cpus
from dnnbench.execution.record import Record
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.host.affinity import current_mask
from dnnbench.host.idle import idle_shares
from dnnbench.plugins.catalog import default_workloads
from dnnbench.protocol.arm import Arm
from dnnbench.worker.bench import Bench, whole_visit_s
from dnnbench.worker.environment import default_memory
from dnnbench.worker.noop import NoopProgram
from replay import replay

VISITS, IDLE_WINDOWS = 200, 10
COMMANDS = (("--help",), ("list", "backends"))


@pytest.mark.benchmark(timer=replay, group="null arm, a call")
@pytest.mark.parametrize("phase", ("infer", "train_step"))
@pytest.mark.parametrize("calls", (1, 10, 100, 10_000))
def test_null_arm(benchmark, phase, calls):
    """Seconds a call that Bench reports for a Program that does nothing: loop, wait, and its share of the clock."""
    bench = Bench(NoopProgram(), None, settle_s=0.0)
    seconds = [bench.visit(phase, calls).seconds / calls for _ in range(VISITS)]
    replay.play(benchmark, seconds)


@pytest.fixture
def null_worker(worker_path):
    with spawn(Arm("null", "none"), "null", default_memory(), "null:Null", worker_cpus(1)) as worker:
        worker.call("nothing", 60)
        yield worker


@pytest.mark.benchmark(group="null arm, a message")
@pytest.mark.parametrize(
    ("method", "arguments"),
    [("nothing", {}), ("visit", {"key": "mlp_digits/64", "phase": "infer", "calls": 1})],
    ids=("nothing", "visit"),
)
def test_round_trip(benchmark, null_worker, method, arguments):
    """Wall time from asking a worker to its answer."""
    benchmark.pedantic(lambda: null_worker.call(method, 10, **arguments), rounds=2000, warmup_rounds=50)


def cpu_of_children_s() -> float:
    """User and system seconds of every child process that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.benchmark(timer=cpu_of_children_s, group="commands, CPU time")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command(benchmark, words):
    """CPU seconds of a command that must answer at once."""
    command = [str(Path(sysconfig.get_path("scripts")) / "dnnbench"), *words]
    benchmark.pedantic(lambda: subprocess.run(command, check=True, capture_output=True), rounds=11, warmup_rounds=1)


class Rounds(Silent):
    """Keeps the seconds of each round: the only steps of a generation that have a length."""

    def __init__(self):
        self.seconds: list[float] = []

    def advance(self, done, text=""):
        if done:
            self.seconds.append(done)


def default_plan(report: Silent):
    """(plan, datasets) of `dnnbench run --backend all`."""
    return make_plan(Request(tuple(default_workloads()), ("all",), Settings(threads=len(current_mask()))), report)


@pytest.mark.benchmark(timer=replay, group="a run's rounds")
def test_share_of_visits(benchmark, cache):
    """Wall time of the rounds of one generation with the defaults, and the share of it that visits take.

    A visit is its k timed calls and the untimed ones before them; the rest is restoring, messages, the control arm.
    """
    rounds = Rounds()
    plan, datasets = default_plan(rounds)
    rounds.seconds.clear()
    record = Record()
    Generation(plan, datasets, 0, {}, set(), record, rounds).run(plan.settings.max_time_s / plan.settings.generations)
    assert not record.failures
    visits = [visit for rows in record.visits.values() for visit in rows]
    visits += record.control
    visiting_s = sum(whole_visit_s(visit.seconds, visit.calls) for visit in visits)
    benchmark.extra_info |= {"share": visiting_s / sum(rounds.seconds), "arms": len(plan.arms), "visits": len(visits)}
    replay.play(benchmark, rounds.seconds)


class Resting(Generation):
    """A generation that leaves its workers alone when all are warm, and watches them."""

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.idle_s: list[float] = []

    def _visit_rounds(self, pool, case, seconds):
        for _ in range(IDLE_WINDOWS):
            shares = idle_shares({str(pid): pid for pid in pool.pids()}, 1.0)
            assert len(shares) == len(self._plan.arms) + 1, "a worker whose CPU time is not told would count as idle"
            self.idle_s.append(sum(shares.values()))


@pytest.mark.benchmark(timer=replay, group="idle workers, CPU time a second")
def test_idle_workers(benchmark, cache):
    """CPU seconds a second of all workers of a default run together, the control's too, built, warm and waiting."""
    plan, datasets = default_plan(Silent())
    record = Record()
    resting = Resting(plan, datasets, 0, {}, set(), record, Silent())
    resting.run(0.0)
    assert not record.failures
    benchmark.extra_info |= {"arms": len(plan.arms)}
    replay.play(benchmark, resting.idle_s)
