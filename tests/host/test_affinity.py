import os
import subprocess
import sys

import pytest
from dnnbench.errors import UsageError
from dnnbench.host.affinity import (
    choose_cpus,
    confine,
    core_of,
    current_mask,
    parent_cpus,
    parse,
    spell,
    starting_places,
)


def core(cpu):
    """Four cores of two threads: 0 and 4, 1 and 5, ..."""
    return str(cpu % 4)


@pytest.mark.parametrize(
    ("mask", "threads", "chosen"),
    [
        ([0], 1, [0]),
        ([0, 1, 2, 3, 4, 5, 6, 7], 1, [7]),
        ([0, 1, 2, 3, 4, 5, 6, 7], 4, [4, 5, 6, 7]),
        ([0, 1, 2, 3, 4, 5, 6, 7], 5, [3, 4, 5, 6, 7]),
        ([0, 4, 1], 2, [1, 4]),
        ([0, 4], 2, [0, 4]),
    ],
)
def test_one_cpu_of_each_core_first_and_high_numbers_first(mask, threads, chosen):
    assert choose_cpus(mask, threads, core) == chosen


def test_siblings_beside_each_other_are_distinguished_too():
    assert choose_cpus([0, 1, 2, 3], 2, lambda cpu: str(cpu // 2)) == [1, 3]


@pytest.mark.parametrize("threads", [0, -1, 3])
def test_more_threads_than_cpus(threads):
    with pytest.raises(UsageError, match=rf"--threads {threads}: .* 2 CPUs \(0,4\)"):
        choose_cpus([0, 4], threads, core)


@pytest.mark.parametrize(
    ("mask", "cpus", "places"),
    [
        ([0, 1], [0, 1], [[0, 1]]),
        ([0, 1], [1], [[1], [0]]),
        ([0, 1, 2], [1, 2], [[1, 2]]),
        ([0, 1, 2, 3, 4, 5], [5], [[5], [4]]),
        ([0, 1, 2, 3, 4, 5], [0, 3], [[0, 3], [1, 2]]),
    ],
)
def test_workers_start_beside_each_other_in_the_nodes_where_they_are_timed(mask, cpus, places):
    """Nodes of four CPUs."""
    assert starting_places(mask, cpus, lambda cpu: str(cpu // 4)) == places


def test_the_parent_goes_where_no_worker_is_if_it_can():
    assert parent_cpus([0, 1, 2], [2]) == [0, 1]
    assert parent_cpus([0, 1], [0, 1]) == [0, 1]


def test_cpus_as_text_and_back():
    for cpus in ([], [3], [0, 2, 11]):
        assert parse(spell(cpus)) == cpus


def test_siblings_are_read_from_the_system_or_taken_as_cores(tmp_path):
    (tmp_path / "cpu1/topology").mkdir(parents=True)
    (tmp_path / "cpu1/topology/thread_siblings_list").write_text("0-1\n")
    assert core_of(1, tmp_path) == "0-1"
    assert core_of(2, tmp_path) == "2"


def test_confining_this_process():
    mask = current_mask()
    try:
        assert confine([mask[0]]) == [mask[0]] == current_mask()
        assert confine([]) == [mask[0]]
    finally:
        os.sched_setaffinity(0, mask)


STRAYING = """
import os, sys, threading
from dnnbench.host.affinity import confine, confine_threads, threads_mask

first, second = map(int, sys.argv[1:])
finished, away = threading.Event(), threading.Event()

def stray():
    os.sched_setaffinity(threading.get_native_id(), {second})
    away.set()
    finished.wait()

confine([first])
print(threads_mask())
threading.Thread(target=stray).start()
away.wait()
print(threads_mask())
confine_threads([second])
print(threads_mask())
finished.set()
"""


@pytest.mark.skipif(len(current_mask()) < 2, reason="needs two CPUs")
def test_a_thread_that_was_bound_elsewhere_shows_and_moves_with_all_others():
    first, second = current_mask()[:2]
    process = subprocess.run(
        [sys.executable, "-c", STRAYING, str(first), str(second)], capture_output=True, text=True
    )
    masks = [str([first]), str([first, second]), str([second])]
    assert process.stdout.splitlines() == masks, process.stderr
