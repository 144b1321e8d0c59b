import json
import os
import socket
import subprocess
import sys

import pytest
from dnnbench.host import machine
from dnnbench.host.machine import (
    blas,
    boost,
    cpu_model,
    cpu_quota,
    flags,
    frequencies_mhz,
    hardware,
    host_hash,
    machine_facts,
    smt_siblings,
    system,
)
from dnnbench.store.identity import IDENTITY, machine_class, machine_id


def test_facts_are_plain_data_and_say_what_this_machine_is():
    facts = machine_facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["hardware"]["logical_cpus"] >= 1
    assert facts["hardware"]["memory_gib"] >= 1
    assert facts["system"]["affinity"]


KNOWN = {name: f"its {name}" for name in IDENTITY}


def test_a_new_fact_renames_no_machine():
    assert machine_id(KNOWN | {"a fact that nobody knows yet": 1}, "h") == machine_id(KNOWN, "h")


def test_a_name_is_kept_for_ever():
    """This very text stands in stores: another needs another IDENTITY_VERSION, and a migration."""
    assert machine_id(KNOWN, "h") == "d2cbd05cf72596c7"


@pytest.mark.parametrize("name", IDENTITY)
def test_every_fact_of_the_identity_names_the_machine(name):
    assert machine_id(KNOWN | {name: "another"}, "h") != machine_id(KNOWN, "h")


def test_machines_alike_share_a_name_whatever_their_host():
    assert machine_id(KNOWN, "one") == machine_id(KNOWN, "two")


@pytest.mark.parametrize(
    "unknown", [KNOWN | {"caches": None}, {n: v for n, v in KNOWN.items() if n != "caches"}]
)
def test_unknown_is_not_equal_to_unknown(unknown):
    assert machine_id(unknown, "one") == machine_id(unknown, "one")
    assert machine_id(unknown, "one") != machine_id(unknown, "two")


def test_this_machine_keeps_its_name():
    assert machine_id(machine_facts()["hardware"], host_hash()) == machine_id(
        hardware(), host_hash()
    )


def test_a_class_is_processor_cores_and_memory_and_nothing_else():
    facts = {"cpu_model": "A 9000", "physical_cores": 2, "memory_gib": 7}
    assert machine_class(facts) == machine_class(facts | {"caches": {}}) == "A 9000, 2 cores, 7 GiB"
    assert machine_class(facts | {"memory_gib": None}) is None


CPUINFO = (
    "processor : 0\n"
    "vendor_id : AuthenticAMD\n"
    "cpu family\t: {}\n"
    "model\t\t: 17\n"
    "model name\t: AMD EPYC\n"
    "stepping\t: 1\n"
)


def test_processors_that_share_a_name_are_distinguished(tmp_path):
    machines = []
    for family, size in ((25, "1024K"), (26, "2048K")):
        root = tmp_path / str(family)
        (root / "proc").mkdir(parents=True)
        (root / "proc/cpuinfo").write_text(CPUINFO.format(family))
        for place, texts in {
            "index0": ("1", "Data", "32K"),
            "index2": ("2", "Unified", size),
        }.items():
            cache = root / "sys/devices/system/cpu/cpu0/cache" / place
            cache.mkdir(parents=True)
            for name, text in zip(("level", "type", "size"), texts, strict=True):
                (cache / name).write_text(text + "\n")
        machines.append(hardware(root))
    zen4, zen5 = machines
    assert zen4["cpu_model"] == zen5["cpu_model"] == "AMD EPYC"
    assert zen4["cpu_signature"] == "family 25 model 17 stepping 1"
    assert zen5["cpu_signature"].startswith("family 26")
    assert zen4["caches"] == {"L1 Data": "32K", "L2 Unified": "1024K"}
    assert zen5["caches"]["L2 Unified"] == "2048K"
    assert machine_id(zen4, "h") != machine_id(zen5, "h")


def test_a_signature_and_caches_that_nobody_tells_are_absent(tmp_path):
    assert hardware(tmp_path)["cpu_signature"] is None
    assert hardware(tmp_path)["caches"] is None


def test_gpus_without_a_library_that_names_them_are_none(tmp_path, monkeypatch):
    """Else a machine would be another one once that library is installed."""
    monkeypatch.setattr(machine, "gpus", list)
    assert machine.hardware(tmp_path)["gpus"] == [], "no driver, no GPU"
    (tmp_path / "proc/driver/nvidia/gpus/0000:3b:00.0").mkdir(parents=True)
    assert machine.hardware(tmp_path)["gpus"] is None


def test_the_host_is_named_by_a_hash():
    assert len(host_hash()) == 16
    assert socket.gethostname() not in host_hash()


UNTOLD = ("governor", "aslr", "huge_pages", "cpu_quota", "smt_siblings", "frequencies_mhz", "boost")


def test_what_the_system_does_not_tell_is_none(tmp_path):
    facts = system(tmp_path)
    assert [facts[name] for name in UNTOLD] == [None] * len(UNTOLD)


@pytest.mark.parametrize(
    ("files", "quota"),
    [
        ({"cpu.max": "150000 100000\n"}, 1.5),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 0.5),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
    ],
)
def test_quota(tmp_path, files, quota):
    for name, text in files.items():
        path = tmp_path / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert cpu_quota(tmp_path) == quota


def test_settings_are_read_as_the_kernel_writes_them(tmp_path):
    pages = tmp_path / "sys/kernel/mm/transparent_hugepage/enabled"
    pages.parent.mkdir(parents=True)
    pages.write_text("always [madvise] never\n")
    (tmp_path / "proc").mkdir()
    (tmp_path / "proc/cpuinfo").write_text("processor\t: 0\nmodel name\t: A Fast One @ 3GHz\n")
    assert system(tmp_path)["huge_pages"] == "madvise"
    assert cpu_model(tmp_path) == "A Fast One @ 3GHz"


def write(root, **files):
    for name, text in files.items():
        path = root / name.replace("__", "/")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


CPU = "sys__devices__system__cpu__"


def test_cpus_of_one_core_are_grouped(tmp_path):
    for cpu, siblings in enumerate(("0,2", "1,3", "0,2", "1,3")):
        write(tmp_path, **{f"{CPU}cpu{cpu}__topology__thread_siblings_list": siblings})
    assert smt_siblings([0, 1, 2, 3], tmp_path) == [[0, 2], [1, 3]]
    assert smt_siblings([0, 1, 2], tmp_path) == [[0, 2]]
    assert smt_siblings([0, 1], tmp_path) == []
    assert smt_siblings([0, 9], tmp_path) is None


def test_clocks_come_from_the_driver_or_else_from_cpuinfo(tmp_path):
    write(tmp_path, proc__cpuinfo="cpu MHz\t\t: 2596.120\ncpu MHz\t\t: 2596.5\n")
    assert frequencies_mhz([0, 1], tmp_path) == [2596.12, 2596.5]
    for cpu, khz in enumerate((3000000, 1500000)):
        write(tmp_path, **{f"{CPU}cpu{cpu}__cpufreq__scaling_cur_freq": f"{khz}\n"})
    assert frequencies_mhz([0, 1], tmp_path) == [3000.0, 1500.0]


@pytest.mark.parametrize(
    ("file", "text", "on"),
    [
        ("cpufreq__boost", "1", True),
        ("cpufreq__boost", "0", False),
        ("intel_pstate__no_turbo", "0", True),
        ("intel_pstate__no_turbo", "1", False),
    ],
)
def test_boost(tmp_path, file, text, on):
    write(tmp_path, **{CPU + file: text + "\n"})
    assert boost(tmp_path) is on


def test_blas_names_the_pool_of_threads_behind_numpy():
    (pool,) = [
        row for row in blas() if row["library"] in ("openblas", "mkl", "blis", "accelerate")
    ][:1]
    assert pool["threads"] >= 1


def test_flags_are_those_the_user_set_whatever_a_library_adds():
    script = (
        "import threadpoolctl, os; from dnnbench.host import machine; "
        "print(os.environ[K], machine.system()['flags'])"
    )
    environment = {"PATH": os.environ["PATH"], "OMP_NUM_THREADS": "1", "XLA_FLAGS": "--a=b --c"}
    code = "K = 'KMP_DUPLICATE_LIB_OK'; " + script
    process = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert process.stdout.split("{")[0] == "True "
    assert "KMP" not in process.stdout
    assert "'XLA_FLAGS': '--a=b --c'" in process.stdout
    assert "'OMP_NUM_THREADS': '1'" in process.stdout


def test_flags_are_those_that_change_computing_and_no_place_of_a_file():
    kept = flags(
        {"XLA_FLAGS": "--x", "OMP_NUM_THREADS": "1", "TORCH_HOME": "/x", "HOME": "/y", "LANG": "C"}
    )
    assert kept == {"OMP_NUM_THREADS": "1", "XLA_FLAGS": "--x"}
