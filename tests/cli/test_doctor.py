"""What doctor finds here, and what it advises for machines that this one is not."""

import copy

import pytest
from dnnbench.cli.advice import advice
from dnnbench.cli.doctor import examine
from dnnbench.cli.preflight import LOOKED_AT, preflight

QUIET = {
    "backends": [{"title": "NumPy", "installed": True, "status": "installed", "version": "2"}],
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
    "measures": {
        "absent_counters": [],
        "peak_memory": "",
        "memory_setting": "steady",
        "clock_resolution_s": 5e-8,
    },
    "contention": {
        "steal": False,
        "steal_share": 0.0,
        "pressure": False,
        "pressure_share": 0.1,
        "throttled": False,
    },
}
GPU = {"processes": 0, "throttle_reasons": 0x1}
SYSTEM = ("machine", "system")

FINDINGS = {
    "a framework missing": (
        ("backends",),
        [{"title": "JAX", "installed": False, "status": "jax is not installed", "version": None}],
        "JAX cannot run: jax is",
    ),
    "a broken plugin": (
        ("broken_plugins",),
        {"x": "KeyError: 1"},
        "plugin 'x' is broken (KeyError: 1)",
    ),
    "a saving governor": (
        (*SYSTEM, "governor"),
        "powersave",
        "'powersave', so clocks follow the load",
    ),
    "a quota": (
        (*SYSTEM, "cpu_quota"),
        1.5,
        "a quota of 1.5 CPUs stops threads on 4: use --threads 1",
    ),
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
        "gpu:1 is held below its clock (heat (hardware))",
    ),
    "a capped GPU": (
        (*SYSTEM, "gpus"),
        [{**GPU, "power_limit_mw": 300000, "power_limit_default_mw": 700000}],
        "gpu:0 is capped at 300 W, its default is 700 W",
    ),
    "uneven clocks": ((*SYSTEM, "frequencies_mhz"), [3000.0, 2000.0], "run at 2000 to 3000 MHz"),
    "boost": ((*SYSTEM, "boost"), True, "turn boost off"),
    "a flag": ((*SYSTEM, "flags"), {"XLA_FLAGS": "--x"}, "XLA_FLAGS change how libraries compute"),
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
    "a GPU that tells nothing": (
        (*SYSTEM, "gpus"),
        [{"processes": None, "throttle_reasons": None}],
    ),
    "even clocks": ((*SYSTEM, "frequencies_mhz"), [3000.0, 2990.0]),
    "no boost": ((*SYSTEM, "boost"), False),
    "a generous quota": ((*SYSTEM, "cpu_quota"), 8.0),
}


@pytest.mark.parametrize("path, value", HARMLESS.values(), ids=HARMLESS)
def test_what_the_system_does_not_tell_gives_no_advice(path, value):
    assert advice(with_finding(path, value)) == []


def test_examine_finds_this_machine():
    found = examine(watch_s=0.05)
    assert {"numpy", "torch", "tensorflow", "jax"} <= {row["name"] for row in found["backends"]}
    assert found["machine"]["system"]["affinity"]
    assert len(found["machine_id"]) == 16
    assert 0 < found["measures"]["clock_resolution_s"] < 1
    assert 0 < found["measures"]["clock_read_cost_s"] < 1
    assert found["contention"]["watched_s"] >= 0.05
    assert isinstance(found["advice"], list)


SPOKEN = {
    "cores": (("machine", "hardware", "logical_cpus"), 8, "4 cores, 8 logical CPUs"),
    "SMT siblings": ((*SYSTEM, "smt_siblings"), [[0, 1], [2, 3]], "0 and 1; 2 and 3"),
    "frequency": ((*SYSTEM, "frequencies_mhz"), [3000.0, 2000.0], "2000 to 3000 MHz"),
    "ASLR": ((*SYSTEM, "aslr"), "2", "on"),
    "steal": (("contention", "steal_share"), 0.025, "2.5%"),
    "throttling": (("contention", "throttled"), None, "absent"),
    "governor": ((*SYSTEM, "governor"), None, "absent"),
    "quota": ((*SYSTEM, "cpu_quota"), 1.5, "1.5 CPUs"),
    "GPU clocks": (
        (*SYSTEM, "gpus"),
        [{**GPU, "sm_clock_mhz": 345, "sm_clock_max_mhz": 1980}, {**GPU, "sm_clock_mhz": None}],
        "gpu:0 345 of 1980 MHz; gpu:1 absent",
    ),
    "GPU throttle reasons": (
        (*SYSTEM, "gpus"),
        [{**GPU, "throttle_reasons": 0x1004}],
        "gpu:0 power cap, 0x1000",
    ),
}


@pytest.mark.parametrize("name", SPOKEN)
def test_a_fact_is_told_in_words(name):
    path, value, expected = SPOKEN[name]
    [fact] = [fact for fact in preflight(with_finding(path, value)) if fact.name == name]
    assert fact.text == expected
    assert fact.to_json()["absent"] == (expected == "absent")


def test_each_piece_of_advice_stands_with_its_fact():
    found = with_finding((*SYSTEM, "governor"), "powersave")
    assert [fact.name for fact in preflight(found) if fact.to_do] == ["governor"]
    placed = {
        path: [f for f in preflight(with_finding(path, value)) if f.to_do]
        for path, value, _ in FINDINGS.values()
    }
    assert {path for path, facts in placed.items() if not facts} == {
        ("backends",),
        ("broken_plugins",),
    }


def test_every_fact_of_this_machine_has_words_and_a_meaning():
    facts = examine(watch_s=0.05)["preflight"]
    assert [fact["name"] for fact in facts] == list(LOOKED_AT)
    assert all(fact["told"] for fact in facts)
    assert all(fact["meaning"] for fact in facts)
    assert all((fact["told"] == "absent") == fact["absent"] for fact in facts)
