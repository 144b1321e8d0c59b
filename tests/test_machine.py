import json
import socket

import pytest
from dnnbench.measure.machine import cpu_model, cpu_quota, host_hash, machine_facts, machine_id, system


def test_facts_are_plain_data_and_say_what_this_machine_is():
    facts = machine_facts()
    assert json.loads(json.dumps(facts)) == facts
    assert facts["hardware"]["logical_cpus"] >= 1 and facts["hardware"]["memory_gib"] >= 1
    assert facts["system"]["affinity"]


def test_only_the_hardware_names_the_machine():
    facts = machine_facts()
    upgraded = {**facts, "system": facts["system"] | {"kernel": "Linux 99", "load_1min": 55.0}}
    enlarged = {**facts, "hardware": facts["hardware"] | {"memory_gib": 99999}}
    assert machine_id(facts) == machine_id(machine_facts()) == machine_id(upgraded) != machine_id(enlarged)
    assert len(machine_id(facts)) == 16


def test_the_host_is_named_by_a_hash():
    assert len(host_hash()) == 16 and socket.gethostname() not in host_hash()


def test_what_the_system_does_not_tell_is_none(tmp_path):
    facts = system(tmp_path)
    assert [facts[name] for name in ("governor", "aslr", "huge_pages", "cpu_quota")] == [None] * 4


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
    assert system(tmp_path)["huge_pages"] == "madvise" and cpu_model(tmp_path) == "A Fast One @ 3GHz"
