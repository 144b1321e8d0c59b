"""The largest batch that fits: the search, and a real worker that is ended in time."""

import json
from pathlib import Path

import pytest
from dnnbench.cli.main import main
from dnnbench.data.dataset import load
from dnnbench.data.free_memory import available_bytes
from dnnbench.execution import find_batch
from dnnbench.execution.find_batch import MOST, STEP, Largest, Tried, bisect, try_batch
from dnnbench.execution.pool import started
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.report.largest_batch import largest_batches
from dnnbench.spec.phases import Phase
from dnnbench.worker.clients.process import ProcessClient

NUMPY = Arm("numpy", "eager")


def up_to(most):
    """An attempt that fits up to a size, and what was tried."""
    sizes = []

    def attempt(size):
        sizes.append(size)
        return Tried(size, size, "" if size <= most else "ended")

    return attempt, sizes


@pytest.mark.parametrize("most", [1, 3, 64, 777, 50_000, MOST - 1])
def test_the_search_ends_beside_the_largest_that_fits(most):
    attempt, sizes = up_to(most)
    fits, beyond = bisect(attempt, 64)
    assert fits.batch_size <= most < beyond.batch_size
    assert beyond.batch_size - fits.batch_size <= 1 or beyond.batch_size / fits.batch_size <= STEP
    assert len(sizes) == len(set(sizes)), "nothing is tried twice"


def test_where_no_example_fits_there_is_none():
    fits, beyond = bisect(up_to(0)[0], 64)
    assert fits is None
    assert beyond.batch_size == 1


def test_the_largest_batch_of_all_ends_the_search():
    fits, beyond = bisect(up_to(MOST)[0], 64)
    assert (fits.batch_size, beyond) == (MOST, None)


def attempt(size, spare):
    workload = find_workload("mlp_digits")
    dataset = load(workload, None)
    return try_batch(NUMPY, workload, dataset, Phase.TRAIN_STEP, size, 0, spare)


def test_a_batch_that_fits_has_the_peak_of_its_worker():
    tried = attempt(64, spare=0)
    assert tried.reason == ""
    assert tried.peak_rss_bytes > 10_000_000


def test_a_worker_that_leaves_too_little_is_ended_and_says_so():
    """Everything that is free now is to be left free: the worker takes some of it."""
    tried = attempt(64, spare=available_bytes() * 2)
    assert tried.reason.startswith("ended when ")
    assert tried.peak_rss_bytes is None


def test_the_kernel_would_end_such_a_worker_first(tmp_path):
    with started(NUMPY, "first") as worker:
        ProcessClient(worker).end_first()
        assert Path(f"/proc/{worker.pid}/oom_score_adj").read_text().strip() == "1000"


def test_what_the_spec_says_cannot_fit_is_not_tried():
    tried = attempt(10**9, spare=0)
    assert "are free" in tried.reason


def test_a_row_says_where_memory_ended():
    row = Largest("a", "w", Phase.INFER, Tried(96, 10**9), Tried(100, None, "ended"), 10**8)
    texts = [cell.text for cell in largest_batches([row]).tables[0].rows[0]]
    assert texts == ["w", "inference", "a", "96", "1.00 GB", "100 MB", "100", "ended"]


def test_the_command_says_the_largest_batch_and_takes_no_time(tmp_path, monkeypatch, capsys):
    """The search alone: what an attempt does is held above, and this machine is not filled."""
    fitting, sizes = up_to(777)
    monkeypatch.setattr(find_batch, "try_batch", lambda *words: fitting(words[4]))
    monkeypatch.chdir(tmp_path)
    words = ["run", "mlp_digits", "--backend", "numpy", "--phase", "infer", "--find-batch"]
    assert main(words) == 0
    said = capsys.readouterr().out
    assert "The largest batch that fits" in said
    assert f"{max(size for size in sizes if size <= 777)}" in said
    assert not (tmp_path / "results").exists()
    assert main([*words, "--json"]) == 0
    (row,) = json.loads(capsys.readouterr().out)["largest_batches"]
    assert row["fits"]["batch_size"] <= 777 < row["beyond"]["batch_size"]
