import mmap

import numpy as np
import pytest
from dnnbench.execution.pool import started
from dnnbench.host.memory import read_memory, reset_peak
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.weights import initial_weights
from dnnbench.worker.clients.timing import TimingClient
from dnnbench.worker.environment import default_memory
from dnnbench.worker.services.timing import BuildRequest

SIZE = 64 << 20


def fill_and_release():
    with mmap.mmap(-1, SIZE) as block:
        block.write(b"x" * SIZE)


def test_the_peak_follows_what_was_held_and_starts_again_after_a_reset():
    fill_and_release()
    before = read_memory()
    assert before.peak_rss_bytes >= before.rss_bytes + SIZE // 2
    assert reset_peak() == ""
    after = read_memory()
    assert after.peak_rss_bytes < before.peak_rss_bytes - SIZE // 2
    assert after.peak_rss_bytes >= after.rss_bytes - (1 << 20)


def test_what_is_absent_is_none_with_a_reason(tmp_path):
    reading = read_memory(tmp_path)
    assert (reading.rss_bytes, reading.peak_rss_bytes) == (None, None)
    assert "VmHWM" in reading.reason
    (tmp_path / "status").write_text("Name:\tx\nVmRSS:\t     100 kB\n")
    reading = read_memory(tmp_path)
    assert reading.rss_bytes == 102400
    assert reading.peak_rss_bytes is None
    assert reading.reason
    assert "cannot be reset" in reset_peak(tmp_path / "missing")


def peak_of_batch_8(before: list[int]) -> int:
    """Peak of a worker in an inference of cnn_digits at batch 8, after it has trained at the batch
    sizes before.
    """
    workload = find_workload("cnn_digits")
    arm = Arm("numpy", "eager", threads=1)
    model, weights = workload.model, initial_weights(workload.model, 0)
    with started(arm, "peaks", memory="steady") as worker:
        timing = TimingClient(worker, 60)
        for size in (*before, 8):
            image = np.zeros((size, *model.inputs[0].shape), np.float32)
            batch = Batch({model.inputs[0].name: image}, np.zeros(size, np.int32))
            timing.build(BuildRequest("w", workload, weights, batch, seed=0))
            timing.first_call("w", "train_step")
            timing.first_call("w", "infer")
            peak_bytes = timing.peak_memory("w", "infer").peak_rss_bytes
            timing.drop("w")
    return peak_bytes


@pytest.mark.skipif(
    default_memory() != "steady", reason="only glibc can be asked to give memory back"
)
def test_the_peak_of_a_small_case_is_its_own_after_a_large_one():
    assert peak_of_batch_8([1024]) < peak_of_batch_8([]) + (8 << 20)
