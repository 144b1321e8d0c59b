"""A network too large for the machine can be read and shown, and is refused before it is built."""

import pytest
from dnnbench.data.free_memory import available_bytes
from dnnbench.errors import UsageError
from dnnbench.execution.memory_guard import pairing, refuse_if_too_large
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.device import CPU, Device
from dnnbench.spec.builder import Builder
from dnnbench.spec.costs import training_step
from dnnbench.spec.workload import Workload


def wide(features, units):
    net = Builder("wide")
    x = net.relu(net.dense(net.input("x", (features,)), units=units, name="giant"))
    return Workload(name="wide", model=net.build(net.dense(x, units=2, name="small")))


def test_a_network_of_terabytes_is_refused_with_its_largest_node():
    with pytest.raises(UsageError) as caught:
        refuse_if_too_large(wide(500_000, 500_000), 64, itemsize=4, copies=1)
    text = str(caught.value)
    assert "'wide' at batch size 64 needs about 3,00" in text
    assert "'giant' (250,000,500,000 parameters" in text


def test_a_small_network_passes():
    refuse_if_too_large(find_workload("cnn_digits"), 64, itemsize=8, copies=4)


@pytest.mark.parametrize(
    "batch_size, itemsize, copies", [(10**12, 4, 1), (1, 4, 10**12), (1, 10**12, 1)]
)
def test_batch_size_element_size_and_copies_all_count(batch_size, itemsize, copies):
    refuse_if_too_large(wide(100, 100), 1, 4, 1)
    with pytest.raises(UsageError):
        refuse_if_too_large(wide(100, 100), batch_size, itemsize, copies)


def test_arms_that_do_not_fit_together_are_measured_in_pairs(monkeypatch):
    sized = [(wide(100, 100), 1), (wide(10, 10), 1)]
    one = training_step(wide(100, 100), 1).memory_bytes
    monkeypatch.setattr("dnnbench.execution.memory_guard.available_bytes", lambda: 3 * one)
    assert pairing(sized, 4, CPU, [CPU] * 2) == ""
    assert pairing(sized, 4, CPU, [CPU] * 3).startswith("4 arms on cpu need about")
    monkeypatch.setattr("dnnbench.execution.memory_guard.available_bytes", lambda: 1.5 * one)
    with pytest.raises(UsageError, match=r"2 program\(s\), but cpu has only"):
        pairing(sized, 4, CPU, [CPU] * 3)


def test_a_gpu_has_memory_of_its_own():
    sized = [(wide(100, 100), 1)]
    one = training_step(wide(100, 100), 1).memory_bytes
    small, large, untold = (
        Device("gpu", memory_bytes=bytes_) for bytes_ in (int(1.5 * one), 2 * one, None)
    )
    assert pairing(sized, 4, large, [large, CPU]) == "" == pairing(sized, 4, untold, [untold] * 9)
    assert pairing(sized, 4, large, [large] * 2).startswith("3 arms on gpu need about")
    assert pairing(sized, 4, CPU, [small] * 2).startswith("2 arms on gpu need about"), (
        "one at a time beside a base elsewhere"
    )
    with pytest.raises(UsageError, match=r"2 program\(s\), but gpu has only"):
        pairing(sized, 4, small, [small])


def cgroup(tmp_path, **files):
    for name, text in files.items():
        (tmp_path / f"memory.{name}").write_text(text)
    return tmp_path


def test_a_container_limit_counts_and_its_cached_files_do_not(tmp_path):
    limited = cgroup(
        tmp_path, max="5000000\n", current="4000000\n", stat="anon 1000000\nfile 3000000\n"
    )
    assert available_bytes(limited) == 4_000_000


@pytest.mark.parametrize(
    "files",
    [{}, {"max": "max\n", "current": "5\n", "stat": "file 1\n"}],
    ids=["absent", "unlimited"],
)
def test_without_a_limit_the_machine_decides(tmp_path, files):
    assert available_bytes(cgroup(tmp_path, **files)) > 10_000_000
