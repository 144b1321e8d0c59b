"""Energy counters: read as the kernel writes them, wrapped around, absent."""

import pytest
from dnnbench.host.energy import meter
from dnnbench.protocol.device import Device


def zone(root, name, label, energy_uj, range_uj=1_000_000):
    folder = root / name
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in (
        ("name", label),
        ("energy_uj", energy_uj),
        ("max_energy_range_uj", range_uj),
    ):
        (folder / file).write_text(f"{text}\n")


def test_packages_are_added_up_and_their_parts_are_not_counted_twice(tmp_path):
    for i in (0, 1):
        zone(tmp_path, f"intel-rapl:{i}", f"package-{i}", 100_000 * i)
    zone(tmp_path, "intel-rapl:0:0", "core", 77)
    counter = meter(Device("cpu"), tmp_path)
    before = counter.read()
    assert before == pytest.approx([0.0, 0.1])
    zone(tmp_path, "intel-rapl:0", "package-0", 250_000)
    zone(tmp_path, "intel-rapl:1", "package-1", 300_000)
    assert counter.joules_since(before) == pytest.approx(0.45)


def test_a_counter_that_wrapped_around_still_counts_up(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", 900_000)
    counter = meter(Device("cpu"), tmp_path)
    before = counter.read()
    zone(tmp_path, "intel-rapl:0", "package-0", 100_000)
    assert counter.joules_since(before) == pytest.approx(0.2)


def test_no_counter_is_none(tmp_path):
    assert meter(Device("cpu"), tmp_path) is None
    assert meter(Device("tpu"), tmp_path) is None


def test_a_counter_that_may_not_be_read_is_none(tmp_path):
    zone(tmp_path, "intel-rapl:0", "package-0", "secret")
    assert meter(Device("cpu"), tmp_path) is None
