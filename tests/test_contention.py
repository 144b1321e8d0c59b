import pytest
from dnnbench.measure.affinity import current_mask
from dnnbench.measure.contention import Counters, Sampler, flags

QUIET = Counters(100.0, 1.0, 1.0, 1.0)


def after(window_s=0.1, steal_s=0.0, pressure_s=0.0, throttled_s=0.0):
    return Counters(100.0 + window_s, 1.0 + steal_s, 1.0 + pressure_s, 1.0 + throttled_s)


@pytest.mark.parametrize(
    ("later", "bits"),
    [
        (after(), 0),
        (after(steal_s=0.01), 1),
        (after(window_s=1.5, steal_s=0.01), 0),
        (after(window_s=1.5, steal_s=0.02), 1),
        (after(pressure_s=0.04), 0),
        (after(pressure_s=0.06), 2),
        (after(throttled_s=1e-6), 4),
        (after(steal_s=0.05, pressure_s=0.09, throttled_s=0.05), 7),
        (after(window_s=0.0), 0),
    ],
)
def test_flags_by_counter(later, bits):
    assert flags(QUIET, later) == bits


def test_an_absent_counter_flags_nothing_and_is_listed():
    blind = Counters(0.0, None, None, None)
    assert flags(blind, Counters(1.0, 5.0, 5.0, 5.0)) == 0 == flags(QUIET, blind)
    assert blind.absent == ["steal_s", "pressure_s", "throttled_s"] and QUIET.absent == []


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


STAT = """cpu  10 0 5 99 0 0 0 90 0 0
cpu0 10 0 5 99 0 0 0 50 0 0
cpu1 10 0 5 99 0 0 0 40 0 0
cpu10 10 0 5 99 0 0 0 7 0 0
intr 5
"""
PRESSURE = "some avg10=0.18 avg60=0.22 avg300=0.20 total=3291293\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"


def test_counters_are_read_for_the_given_cpus_only(tmp_path):
    write(tmp_path, proc__stat=STAT, proc__pressure__cpu=PRESSURE)
    reading = Sampler([1], tmp_path).read()
    assert reading.steal_s == pytest.approx(0.4) and reading.pressure_s == pytest.approx(3.291293)
    assert Sampler([0, 1], tmp_path).read().steal_s == pytest.approx(0.9)
    assert reading.throttled_s is None and reading.absent == ["throttled_s"]


GROUPS = {
    "version 2": ("0::/box\n", "sys/fs/cgroup/box/cpu.stat", "usage_usec 9\nthrottled_usec 2500\n"),
    "version 2, seen as root": (
        "0::/box\n",
        "sys/fs/cgroup/cpu.stat",
        "nr_throttled 1\nthrottled_usec 2500\n",
    ),
    "version 1": (
        "5:cpuset:/\n3:cpu,cpuacct:/box\n0::/\n",
        "sys/fs/cgroup/cpu/box/cpu.stat",
        "nr_periods 0\nthrottled_time 2500000\n",
    ),
    "version 1, seen as root": (
        "1:cpu:/far/away\n",
        "sys/fs/cgroup/cpu/cpu.stat",
        "nr_periods 0\nthrottled_time 2500000\n",
    ),
}


@pytest.mark.parametrize(("group", "path", "text"), GROUPS.values(), ids=GROUPS.keys())
def test_throttling_is_found_in_both_versions_of_control_groups(tmp_path, group, path, text):
    write(tmp_path, **{"proc__self__cgroup": group, path.replace("/", "__"): text})
    assert Sampler([0], tmp_path).read().throttled_s == pytest.approx(0.0025)


def test_nothing_at_all_is_nothing(tmp_path):
    assert Sampler([0], tmp_path).read().absent == ["steal_s", "pressure_s", "throttled_s"]


def test_the_real_counters_never_go_back():
    sampler = Sampler(current_mask())
    earlier, later = sampler.read(), sampler.read()
    for name in ("at_s", "steal_s", "pressure_s", "throttled_s"):
        if name not in earlier.absent:
            assert getattr(later, name) >= getattr(earlier, name)
