import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import pynvml
import pytest
from dnnbench.host.affinity import current_mask
from dnnbench.host.contention import Counters, Sampler, flags, switches_per_s
from dnnbench.host.gpus import GpuState, GpuWatch, gpus, watch
from dnnbench.stats.estimates import CONTENDED
from dnnbench.worker.server.offer import WorkerServices

STILL = GpuState(0x0, 0)
QUIET = Counters(100.0, 1.0, 1.0, 1.0, 7, STILL, pauses=3, asleep_s=50.0)


def after(
    window_s=0.1,
    steal_s=0.0,
    pressure_s=0.0,
    throttled_s=0.0,
    switches=0,
    gpu=STILL,
    pauses=0,
    asleep_s=0.0,
):
    counted = {
        "switches": 7 + switches,
        "gpu": gpu,
        "pauses": 3 + pauses,
        "asleep_s": 50.0 + asleep_s,
    }
    return Counters(100.0 + window_s, 1.0 + steal_s, 1.0 + pressure_s, 1.0 + throttled_s, **counted)


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
        (after(switches=9), 0),
        (after(switches=11), 16),
        (after(gpu=GpuState(0x40, 0)), 32),
        (after(gpu=GpuState(0x5, 0)), 0),
        (after(gpu=GpuState(0x0, 1)), 64),
        (after(gpu=GpuState(None, None)), 0),
        (after(gpu=None), 0),
        (after(pauses=1), 128),
        (after(asleep_s=0.1), 0),
        (after(asleep_s=60.0), 128),
    ],
)
def test_flags_by_counter(later, bits):
    assert flags(QUIET, later) == bits


def test_an_absent_counter_flags_nothing_and_is_listed():
    blind = Counters(0.0, None, None, None)
    assert flags(blind, Counters(1.0, 5.0, 5.0, 5.0)) == 0 == flags(QUIET, blind)
    assert switches_per_s(blind, QUIET) is None
    assert blind.absent == ["steal_s", "pressure_s", "throttled_s"]
    assert QUIET.absent == []


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
PRESSURE = (
    "some avg10=0.18 avg60=0.22 avg300=0.20 total=3291293\n"
    "full avg10=0.00 avg60=0.00 avg300=0.00 total=7\n"
)


def test_counters_are_read_for_the_workers_cpus_only(tmp_path):
    write(tmp_path, proc__stat=STAT, proc__pressure__cpu=PRESSURE)
    reading = Sampler([1], tmp_path).read()
    assert reading.steal_s == pytest.approx(0.4)
    assert reading.pressure_s == pytest.approx(3.291293)
    assert Sampler([0, 1], tmp_path).read().steal_s == pytest.approx(0.9)
    assert reading.throttled_s is None
    assert reading.absent == ["throttled_s"]


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
def test_throttling_is_read_from_both_versions_of_control_groups(tmp_path, group, path, text):
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


def test_a_gpu_that_was_hot_when_the_window_began_flags_it_too():
    hot = replace(QUIET, gpu=GpuState(0x20, 0))
    assert flags(hot, after()) == 32
    assert CONTENDED & 32
    assert CONTENDED & 64


def test_a_pause_drops_its_round():
    assert CONTENDED & flags(QUIET, after(pauses=1))


def test_switches_alone_drop_no_round():
    assert not CONTENDED & flags(QUIET, after(switches=10_000))


def test_switches_are_counted_per_second_of_the_window():
    assert switches_per_s(QUIET, after(window_s=0.5, switches=20)) == pytest.approx(40)
    assert switches_per_s(QUIET, after(window_s=0.5, switches=-20)) == 0  # a worker was replaced


def test_a_process_that_loses_its_cpu_is_seen_to():
    service = WorkerServices().timing
    before = service.switches()
    rivals = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in current_mask()]
    try:
        while service.switches() == before:  # with a rival on every CPU it must come
            sum(range(100_000))
    finally:
        for rival in rivals:
            rival.kill()
            rival.wait()
    assert service.switches() > before


class RecordedNvml:
    """NVML as its documentation says it answers: recorded, since no test machine has a GPU.

    Untested here: that a real driver gives these answers, and that its process ids are those
    that we see.
    """

    NVMLError, NVMLError_NotFound = pynvml.NVMLError, pynvml.NVMLError_NotFound

    def __init__(
        self, reasons=0x0, running=(11,), used=(), refused=(), error=pynvml.NVML_ERROR_NOT_SUPPORTED
    ):
        self._answers = {
            "nvmlDeviceGetCurrentClocksThrottleReasons": reasons,
            "nvmlDeviceGetComputeRunningProcesses": [
                SimpleNamespace(pid=pid, usedGpuMemory=1 << 30) for pid in running
            ],
            "nvmlDeviceGetProcessUtilization": [
                SimpleNamespace(pid=pid, smUtil=share, timeStamp=stamp)
                for pid, share, stamp in used
            ],
        }
        self._refused, self._error, self.timestamps = refused, error, []

    def __getattr__(self, name):
        def answer(_handle, *arguments):
            if name in self._refused:
                raise pynvml.NVMLError(self._error)
            self.timestamps += arguments
            return self._answers[name]

        return answer


RECORDED = {
    "ours alone": ({"used": [(11, 80, 5)]}, GpuState(0x0, 0)),
    "a stranger at work": (
        {"running": (11, 99), "used": [(11, 80, 5), (99, 20, 6), (99, 30, 7)]},
        GpuState(0x0, 1),
    ),
    "a stranger at rest": (
        {"running": (11, 99), "used": [(11, 80, 5), (99, 0, 6)]},
        GpuState(0x0, 0),
    ),
    "another namespace": ({"running": (4011,), "used": [(4011, 80, 5)]}, GpuState(0x0, None)),
    "heat": ({"reasons": 0x40}, GpuState(0x40, 0)),
    "nothing told": (
        {
            "refused": (
                "nvmlDeviceGetCurrentClocksThrottleReasons",
                "nvmlDeviceGetComputeRunningProcesses",
            )
        },
        GpuState(None, None),
    ),
    "no shares of time told": (
        {"refused": ("nvmlDeviceGetProcessUtilization",)},
        GpuState(0x0, None),
    ),
    "nothing since": (
        {"refused": ("nvmlDeviceGetProcessUtilization",), "error": pynvml.NVML_ERROR_NOT_FOUND},
        GpuState(0x0, 0),
    ),
}


@pytest.mark.parametrize("name", RECORDED)
def test_a_recorded_answer_of_nvml_is_read(name):
    answers, state = RECORDED[name]
    assert GpuWatch(RecordedNvml(**answers), "gpu", lambda: [11, 12]).read() == state


def test_each_reading_asks_for_what_is_new():
    nvml = RecordedNvml(used=[(11, 80, 5), (11, 80, 9)])
    reader = GpuWatch(nvml, "gpu", lambda: [11])
    reader.read(), reader.read()
    assert nvml.timestamps == [0, 9]


def test_nobody_watches_where_there_is_no_gpu():
    assert gpus() or watch(0, list) is None


def test_a_gpu_that_fell_off_the_bus_is_none(monkeypatch):
    def lost():
        raise pynvml.NVMLError(pynvml.NVML_ERROR_GPU_IS_LOST)

    for name in ("nvmlInit", "nvmlShutdown"):
        monkeypatch.setattr(pynvml, name, lambda: None)
    monkeypatch.setattr(pynvml, "nvmlDeviceGetCount", lost)
    assert gpus() == []
