"""What the harness itself costs: a call, a message, a command, a run's time outside visits,
and the CPU of idle workers.
"""

import os
import resource
import subprocess
import sysconfig
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest
from dnnbench.execution.cells import Cells
from dnnbench.execution.generation import Generation
from dnnbench.execution.pool import WorkerPool, spawn, worker_cpus
from dnnbench.execution.preparing import Preparing
from dnnbench.execution.record import Record
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.host.affinity import current_mask
from dnnbench.host.clock import now, read_cost_s
from dnnbench.host.idle import idle_shares
from dnnbench.plugins.catalog import default_workloads
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.timing import Timing
from dnnbench.spec.phases import Phase
from dnnbench.testing.replay import replay
from dnnbench.worker.bench import whole_visit_s
from dnnbench.worker.environment import default_memory
from dnnbench.worker.noop import noop_bench
from dnnbench.worker.services.timing import VisitRequest
from messages import Messages, PlainWorker

VISITS, ROUND_TRIPS, IDLE_WINDOWS = 200, 2000, 10
MOST_TIMES_PLAIN = 1.2
"""How much longer a visit may take to ask for and to answer than in plain dicts, by the median."""
COMMANDS = (("--help",), ("list", "backends"))
COMPLETED = ("dnnbench ru", "dnnbench run ml", "dnnbench run --backend to", "dnnbench compare la")


@pytest.mark.benchmark(timer=replay, group="no-op program, a call")
@pytest.mark.parametrize("phase", ("infer", "train_step"))
@pytest.mark.parametrize("calls", (1, 10, 100, 10_000))
def test_noop_program(benchmark, phase, calls):
    """Seconds a call that Bench reports for a Program that does nothing:
    loop, wait, and its share of the clock.
    """
    bench = noop_bench()
    seconds = [bench.visit(phase, calls).seconds / calls for _ in range(VISITS)]
    replay.play(benchmark, seconds)


@pytest.fixture
def noop_workers(worker_path):
    """noop_workers(): one more worker, on the CPU of the others."""
    with ExitStack() as opened:

        def start():
            arm, cpus = Arm("noop", "none"), worker_cpus(1)
            worker = opened.enter_context(
                spawn(arm, "noop", default_memory(), "messages:Messages", cpus)
            )
            worker.ask(Messages.nothing, 60)
            return worker

        yield start


@pytest.mark.benchmark(group="no-op program, a message")
def test_empty_round_trip(dnnbench_measure, noop_workers):
    """Wall time from asking a worker for nothing to its answer."""
    worker = noop_workers()
    dnnbench_measure(lambda: worker.ask(Messages.nothing, 10))


@pytest.mark.benchmark(timer=replay, group="no-op program, a message")
def test_round_trip_of_a_visit(benchmark, noop_workers):
    """Wall time from asking a worker for a visit to its answer, in turn with the same visit asked
    in a plain dict.
    """
    request = VisitRequest("mlp_digits/64", Phase.INFER, 1, Timing.LATENCY)
    fields = {"program": "mlp_digits/64", "phase": "infer", "calls": 1, "timing": "latency"}
    typed, plain = noop_workers(), PlainWorker(noop_workers())
    typed_s, plain_s = [], []
    for _ in range(ROUND_TRIPS):
        typed_s.append(seconds_of(lambda: typed.ask(Messages.visit, 10, request)))
        plain_s.append(seconds_of(lambda: plain.call("visit", 10, **fields)))
    times_plain = median(typed_s) / median(plain_s)
    benchmark.extra_info |= {"plain_s": median(plain_s), "times_plain": times_plain}
    assert times_plain <= MOST_TIMES_PLAIN
    replay.play(benchmark, typed_s)


def seconds_of(call):
    begin = now()
    call()
    return now() - begin


def cpu_of_children_s() -> float:
    """User and system seconds of every child process that has ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@pytest.mark.benchmark(timer=cpu_of_children_s, group="commands, CPU time")
@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_command(benchmark, words):
    """CPU seconds of a command that must answer at once."""
    command = [str(Path(sysconfig.get_path("scripts")) / "dnnbench"), *words]
    benchmark.pedantic(
        lambda: subprocess.run(command, check=True, capture_output=True), rounds=11, warmup_rounds=1
    )


@pytest.mark.benchmark(timer=cpu_of_children_s, group="commands, CPU time")
@pytest.mark.parametrize("line", COMPLETED)
def test_completion(benchmark, line):
    """CPU seconds of a shell's question for the last word of a line."""
    asked = {
        "_DNNBENCH_COMPLETE": "bash_complete",
        "COMP_WORDS": line,
        "COMP_CWORD": str(len(line.split()) - 1),
    }
    command = [str(Path(sysconfig.get_path("scripts")) / "dnnbench")]
    environment = os.environ | asked
    benchmark.pedantic(
        lambda: subprocess.run(command, check=True, capture_output=True, env=environment),
        rounds=11,
        warmup_rounds=1,
    )


class Rounds(Silent):
    """Keeps the seconds of each round: the only steps of a generation that have a length."""

    def __init__(self):
        self.seconds: list[float] = []

    def advance(self, done, text=""):
        if done:
            self.seconds.append(done)


def default_plan(report: Silent):
    """(plan, datasets) of `dnnbench run --backend all`."""
    return make_plan(
        Request(tuple(default_workloads()), ("all",), Settings(threads=(len(current_mask()),))),
        report,
    )


@pytest.mark.benchmark(timer=replay, group="a run's rounds")
def test_share_of_visits(benchmark, cache):
    """Wall time of the rounds of one generation with the defaults, and the share of it
    that visits take.

    A visit is its k timed calls and the untimed ones before them;
    the rest is restoring, messages, the control arm.
    """
    rounds = Rounds()
    plan, datasets = default_plan(rounds)
    rounds.seconds.clear()
    record = Record()
    Generation(plan, datasets, 0, {}, set(), record, rounds).run(
        plan.settings.max_time_s / plan.settings.generations
    )
    assert not record.failures
    visits = [visit for rows in record.visits.values() for visit in rows]
    visits += record.control
    visiting_s = sum(whole_visit_s(visit.seconds, visit.calls) for visit in visits)
    benchmark.extra_info |= {
        "share": visiting_s / sum(rounds.seconds),
        "arms": len(plan.arms),
        "visits": len(visits),
    }
    replay.play(benchmark, rounds.seconds)


@pytest.mark.benchmark(timer=replay, group="idle workers, CPU time a second")
def test_idle_workers(benchmark, cache):
    """CPU seconds a second of all workers of a default run together, the control's too, built,
    warm and waiting.
    """
    plan, datasets = default_plan(Silent())
    record, report = Record(), Silent()
    cells, idle_s = Cells(plan, {}, set(), record, report), []
    with WorkerPool(plan, "idle") as pool:
        pool.start()
        preparing = Preparing(plan, datasets, pool, cells, record, report, read_cost_s())
        for case in plan.cases:
            preparing.prepare(case)
            for _ in range(IDLE_WINDOWS):
                shares = idle_shares({str(pid): pid for pid in pool.pids()}, 1.0)
                assert len(shares) == len(plan.arms) + 1, (
                    "a worker whose CPU time is not told would count as idle"
                )
                idle_s.append(sum(shares.values()))
            for arm in plan.arms:
                pool.timing(arm).drop(case.name)
    assert not record.failures
    benchmark.extra_info |= {"arms": len(plan.arms)}
    replay.play(benchmark, idle_s)
