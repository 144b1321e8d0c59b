"""Threads that compute at once get a CPU each for the time of a visit.

How long a thread waits for one is read.
"""

import hashlib
import os
import queue
import subprocess
import sys
import threading
from contextlib import ExitStack, contextmanager

import pytest
from dnnbench.host import placement
from dnnbench.host.affinity import current_mask
from dnnbench.host.placement import ALONE, BOUND, PLACED, UNKNOWN, Placement, place, waited_share
from dnnbench.spec.phases import Phase
from dnnbench.worker.bench import SETTLE_S, Bench, whole_visit_s
from dnnbench.worker.noop import NoopProgram

TEXT = bytes(1 << 20)
"""Hashing it takes about a millisecond, without the interpreter's lock."""

pytestmark = pytest.mark.skipif(
    len(current_mask()) < 2, reason="threads are placed where there are two CPUs"
)


def compute():
    hashlib.sha256(TEXT).digest()


class Partner:
    """A thread that computes when it is asked, and is waited for."""

    def __init__(self, work=compute, mask=None):
        self._requests, self._answers, self._work, self._mask = (
            queue.Queue(),
            queue.Queue(),
            work,
            mask,
        )
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()
        self.ask()
        self.answer()

    @property
    def id(self) -> int:
        return self._thread.native_id

    def ask(self):
        self._requests.put(True)

    def answer(self):
        self._answers.get()

    def end(self):
        self._requests.put(False)
        self._thread.join()

    def _serve(self):
        if self._mask:
            os.sched_setaffinity(0, self._mask)
        while self._requests.get():
            self._work()
            self._answers.put(True)


@contextmanager
def partners(count, **options):
    with ExitStack() as stack:
        made = [Partner(**options) for _ in range(count)]
        for partner in made:
            stack.callback(partner.end)
        yield made


def at_once(partner):
    partner.ask()
    compute()
    partner.answer()


def test_threads_that_compute_at_once_get_a_cpu_each():
    with partners(1) as (partner,):
        placed = place(lambda: at_once(partner))
    assert placed.outcome == PLACED
    assert set(placed.cpus) == {threading.get_native_id(), partner.id}
    assert len(set(placed.cpus.values())) == 2


SINGLE = """
import hashlib
from dnnbench.host.placement import place

text = bytes(1 << 20)
placed = place(lambda: hashlib.sha256(text).digest())
print(placed.outcome, *placed.cpus, sep=";")
"""


def test_a_single_thread_is_left_alone():
    """In a process that has no other: on a busy machine, threads of pytest wait for a CPU too."""
    done = subprocess.run([sys.executable, "-c", SINGLE], capture_output=True, text=True)
    assert done.stdout == f"{ALONE}\n", done.stderr


def test_no_more_threads_are_placed_than_there_are_cpus():
    with partners(3) as several:

        def call():
            for partner in several:
                partner.ask()
            compute()
            for partner in several:
                partner.answer()

        placed = place(call, current_mask())
    assert len(placed.cpus) == min(len(current_mask()), 4)
    assert len(placed.watched) >= 4, "a thread of an earlier test may still be busy"


def test_threads_that_their_library_bound_stay_where_they_are():
    with partners(1, mask={current_mask()[0]}) as (partner,):
        placed = place(lambda: at_once(partner))
    assert placed.outcome == BOUND
    assert placed.cpus == {}


def test_a_placed_thread_has_its_cpu_for_the_visit_and_its_mask_afterwards():
    before, seen = os.sched_getaffinity(0), []
    here = threading.get_native_id()
    cpu = current_mask()[-1]
    with Placement(PLACED, (here,), {here: cpu}, frozenset(before)).held():
        seen.append(os.sched_getaffinity(0))
    assert seen == [{cpu}]
    assert os.sched_getaffinity(0) == before


def test_a_thread_that_has_ended_costs_nothing():
    ended = subprocess.Popen(["true"])
    ended.wait()
    placed = Placement(
        PLACED, (ended.pid,), {ended.pid: current_mask()[0]}, frozenset(current_mask())
    )
    with placed.held():
        assert placed.waits_s() == (0.0,)


def test_a_thread_that_shares_its_cpu_is_seen_to_wait():
    with partners(1) as (partner,):
        threads = (threading.get_native_id(), partner.id)
        together = Placement(
            PLACED, threads, dict.fromkeys(threads, current_mask()[0]), frozenset(current_mask())
        )
        with together.held():
            before = together.waits_s()
            for _ in range(30):
                at_once(partner)
            after = together.waits_s()
    assert waited_share(before, after, sum(after) - sum(before)) > 0.1


def test_where_the_kernel_tells_nothing_of_threads_nobody_is_placed(monkeypatch, tmp_path):
    monkeypatch.setattr(placement, "TASKS", tmp_path / "none")
    with partners(1) as (partner,):
        placed = place(lambda: at_once(partner))
    assert placed == Placement(UNKNOWN)


def test_the_longest_wait_of_one_thread_counts():
    assert waited_share((1.0, 2.0), (1.1, 2.4), 2.0) == pytest.approx(0.2)


def test_nobody_watched_waits_for_nothing():
    assert waited_share((), (), 1.0) == 0.0


class Recording(NoopProgram):
    """Notes on which CPUs its calls may run."""

    def __init__(self, partner):
        super().__init__()
        self.masks, self._partner = [], partner

    def infer(self, batch):
        at_once(self._partner)
        self.masks.append(os.sched_getaffinity(0))

    def get(self, result):
        return {}

    def facts(self):
        return {"compilations": 0}


def test_visits_are_made_where_the_warm_up_placed_the_threads():
    with partners(1) as (partner,):
        program = Recording(partner)
        bench = Bench(program, None, {Phase.INFER})
        bench.warm_up("infer")
        program.masks.clear()
        bench.visit("infer", 2)
    assert {len(mask) for mask in program.masks} == {1}


def test_calls_outside_the_visits_run_on_every_cpu():
    with partners(1) as (partner,):
        program = Recording(partner)
        bench = Bench(program, None, {Phase.INFER})
        bench.warm_up("infer")
        program.masks.clear()
        bench.first_call("infer")
    assert {len(mask) for mask in program.masks} == {len(current_mask())}


def test_facts_tell_what_became_of_the_threads():
    with partners(1) as (partner,):
        bench = Bench(Recording(partner), None, {Phase.INFER})
        bench.warm_up("infer")
        assert bench.describe(24.0, "0").placement == {"infer": PLACED}


def test_a_process_is_called_until_its_speed_is_steady():
    with partners(1) as (partner,):
        program = Recording(partner)
        Bench(program, None, {Phase.INFER}, settle_s=0.02).visit("infer", 1)
    assert len(program.masks) > 2


@pytest.mark.parametrize(
    ("seconds", "calls", "untimed_s"),
    [(0.001, 10, SETTLE_S), (0.02, 1, 0.02)],
    ids=("short calls", "one long call"),
)
def test_the_untimed_calls_are_part_of_what_a_visit_takes(seconds, calls, untimed_s):
    assert whole_visit_s(seconds, calls) == pytest.approx(seconds + untimed_s)


def test_cpus_that_were_taken_away_meanwhile_cost_no_visit():
    thread = threading.get_native_id()
    gone = os.cpu_count() + 64
    with Placement(PLACED, (thread,), {thread: gone}, frozenset(current_mask())).held():
        compute()
    assert set(os.sched_getaffinity(thread)) == set(current_mask())
