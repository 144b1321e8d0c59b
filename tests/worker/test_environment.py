import random
from pathlib import Path

import pytest
from dnnbench.errors import UsageError
from dnnbench.execution.pool import spawn
from dnnbench.protocol.arm import Arm
from dnnbench.worker.environment import (
    BLOCK_BYTES,
    MEANING,
    PAD,
    PAD_SPREAD_BYTES,
    default_memory,
    padded,
    size_bytes,
    worker_environment,
)

CACHES = {"MY_CACHE_DIR": Path("/cache/my_cache_dir")}


def made(inherited=(), threads=2, memory="native"):
    return worker_environment(dict(inherited), threads=threads, memory=memory, caches=CACHES)


@pytest.mark.parametrize("memory", ["steady", "native"])
def test_every_variable_has_a_stated_meaning(memory):
    missing = {"steady": {PAD}, "native": {PAD, "GLIBC_TUNABLES"}}[memory]
    assert set(made(memory=memory)) == (set(MEANING) | set(CACHES)) - missing


@pytest.mark.parametrize(
    "name", ["OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC"]
)
def test_threads_are_set_over_what_was_inherited(name):
    assert made({name: "64"}, threads=3)[name] == "3"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OPENBLAS_THREAD_TIMEOUT", "4"),
        ("GOMP_SPINCOUNT", "30000"),
        ("TORCHINDUCTOR_COMPILE_THREADS", "1"),
        ("TF_CPP_MIN_LOG_LEVEL", "3"),
        ("XLA_PYTHON_CLIENT_PREALLOCATE", "false"),
        ("TF_FORCE_GPU_ALLOW_GROWTH", "true"),
        ("PYTHONHASHSEED", "0"),
        ("MY_CACHE_DIR", "/cache/my_cache_dir"),
    ],
)
def test_settings(name, value):
    assert made()[name] == value


def test_the_rest_is_inherited_and_the_callers_mapping_is_left_alone():
    inherited = {"LD_LIBRARY_PATH": "/opt/cuda", "NPROC": "9"}
    assert made(inherited)["LD_LIBRARY_PATH"] == "/opt/cuda"
    assert inherited["NPROC"] == "9"


ACCESS = {
    "PGPASSWORD": "M4RK",
    "PGPASSFILE": "/home/me/M4RK",
    "PGSERVICE": "M4RK",
    "PGSERVICEFILE": "/home/me/M4RK",
    "PGSSLKEY": "/home/me/M4RK",
    "DATABASE_URL": "postgresql://me:M4RK@host/x",
    "TEAM_DSN": "postgres://host/x?user=me&password=M4RK",
}


@pytest.mark.parametrize("name", ACCESS)
def test_no_way_into_the_store_is_inherited(name):
    assert "M4RK" not in repr(made(ACCESS))
    assert name not in made(ACCESS)


@pytest.mark.parametrize("value", ["http://me:pw@proxy:3128", "postgresql://me@host/x"])
def test_what_is_no_password_of_a_database_is_inherited(value):
    assert made({"OTHER": value})["OTHER"] == value


def test_a_workers_process_is_not_given_the_password(monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "M4RK")
    with spawn(Arm("numpy", "eager"), "test-numpy") as worker:
        assert "M4RK" not in Path(f"/proc/{worker.pid}/environ").read_text()


STEADY = "glibc.malloc.mmap_threshold=1073741824:glibc.malloc.trim_threshold=4294967296"


@pytest.mark.parametrize(
    ("inherited", "memory", "tunables"),
    [
        ({}, "steady", STEADY),
        ({}, "native", None),
        (
            {"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"},
            "steady",
            f"glibc.malloc.hugetlb=1:{STEADY}",
        ),
        ({"GLIBC_TUNABLES": "glibc.malloc.mmap_threshold=1"}, "steady", STEADY),
        ({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}, "native", "glibc.malloc.hugetlb=1"),
    ],
)
def test_memory_settings(inherited, memory, tunables):
    assert made(inherited, memory=memory).get("GLIBC_TUNABLES") == tunables


def test_an_unknown_memory_setting():
    with pytest.raises(UsageError, match=r"--memory huge.*steady or native"):
        made(memory="huge")


def test_the_default_memory_setting_is_one():
    assert default_memory() in ("steady", "native")


ARMS = [
    ({"A": "1"}, ["python", "-m", "worker"]),
    (
        {"A": "1" * 999, "π": "ü"},
        ["/a/far/longer/path/to/another/python", "-m", "worker", "--cpus", "0,1"],
    ),
]


def test_all_arms_have_one_length_apart_from_the_random_part():
    drawn = random.Random(7).randrange(PAD_SPREAD_BYTES)
    for variables, argv in ARMS:
        assert size_bytes(padded(variables, argv, random.Random(7)), argv) == BLOCK_BYTES + drawn


def test_the_random_part_is_small_and_changes():
    variables, argv = ARMS[0]
    chance = random.Random(0)
    sizes = [size_bytes(padded(variables, argv, chance), argv) - BLOCK_BYTES for _ in range(200)]
    assert len(set(sizes)) > 150
    assert min(sizes) >= 0
    assert max(sizes) < PAD_SPREAD_BYTES


def test_padding_again_does_not_add_up():
    variables, argv = ARMS[0]
    twice = padded(padded(variables, argv, random.Random(1)), argv, random.Random(1))
    assert twice == padded(variables, argv, random.Random(1))
