"""What doctor finds here, and what it advises for machines that this one is not."""

import copy

import pytest
from dnnbench.cli.advice import advice
from dnnbench.cli.doctor import examine

QUIET = {
    "backends": [{"title": "NumPy", "installed": True, "status": "installed"}],
    "broken_plugins": {},
    "machine": {
        "hardware": {"physical_cores": 4, "logical_cpus": 4},
        "system": {
            "affinity": [0, 1, 2, 3],
            "cpu_quota": None,
            "governor": "performance",
            "load_1min": 0.1,
            "gpus": [],
        },
    },
    "measures": {"absent_counters": [], "peak_memory": ""},
    "contention": {"steal": False, "pressure": False, "throttled": False},
}
GPU = {"processes": 0, "throttle_reasons": 0x1}
SYSTEM = ("machine", "system")

FINDINGS = {
    "a framework missing": (
        ("backends",),
        [{"title": "JAX", "installed": False, "status": "jax is not installed"}],
        "JAX cannot run: jax is",
    ),
    "a broken plugin": (("broken_plugins",), {"x": "KeyError: 1"}, "plugin 'x' is broken (KeyError: 1)"),
    "a saving governor": ((*SYSTEM, "governor"), "powersave", "'powersave', so clocks follow the load"),
    "a quota": ((*SYSTEM, "cpu_quota"), 1.5, "a quota of 1.5 CPUs stops threads on 4: use --threads 1"),
    "one CPU": ((*SYSTEM, "affinity"), [2], "one CPU is shared"),
    "hyperthreads": (
        ("machine", "hardware", "physical_cores"),
        2,
        "4 CPUs share 2 cores and slow each other: use --threads 2",
    ),
    "other work": ((*SYSTEM, "load_1min"), 2.5, "other work is running (load 2.5 on 4 CPUs)"),
    "pressure": (("contention", "pressure"), True, "tasks wait for a CPU"),
    "steal": (("contention", "steal"), True, "the hypervisor takes CPU time away"),
    "throttling": (("contention", "throttled"), True, "quota stops this process"),
    "a blind spot": (("measures", "absent_counters"), ["pressure_s"], "does not count pressure"),
    "a peak that stays": (
        ("measures", "peak_memory"),
        "cannot be reset",
        "peak memory is not exact: cannot be reset",
    ),
    "a busy GPU": ((*SYSTEM, "gpus"), [{**GPU, "processes": 2}], "gpu:0 has 2 other process(es)"),
    "a hot GPU": (
        (*SYSTEM, "gpus"),
        [GPU, {**GPU, "throttle_reasons": 0x40}],
        "gpu:1 is held below its clock",
    ),
}


def with_finding(path, value):
    found = copy.deepcopy(QUIET)
    place = found
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = value
    return found


def test_a_quiet_machine_needs_nothing():
    assert advice(QUIET) == []


@pytest.mark.parametrize("path, value, expected", FINDINGS.values(), ids=FINDINGS)
def test_each_finding_has_its_advice_and_no_other(path, value, expected):
    [sentence] = advice(with_finding(path, value))
    assert expected in sentence


UNTOLD = [(*SYSTEM, "governor"), (*SYSTEM, "load_1min"), ("machine", "hardware", "physical_cores")]
HARMLESS = {
    **{".".join(path): (path, None) for path in UNTOLD},
    "an idle GPU": ((*SYSTEM, "gpus"), [GPU]),
    "a GPU that tells nothing": ((*SYSTEM, "gpus"), [{"processes": None, "throttle_reasons": None}]),
    "a generous quota": ((*SYSTEM, "cpu_quota"), 8.0),
}


@pytest.mark.parametrize("path, value", HARMLESS.values(), ids=HARMLESS)
def test_what_the_system_does_not_tell_gives_no_advice(path, value):
    assert advice(with_finding(path, value)) == []


def test_examine_finds_this_machine():
    found = examine(watch_s=0.05)
    assert {"numpy", "torch", "tensorflow", "jax"} <= {row["name"] for row in found["backends"]}
    assert found["machine"]["system"]["affinity"] and len(found["machine_id"]) == 16
    assert 0 < found["measures"]["clock_resolution_s"] < 1 and 0 < found["measures"]["clock_read_cost_s"] < 1
    assert found["contention"]["watched_s"] >= 0.05 and isinstance(found["advice"], list)
