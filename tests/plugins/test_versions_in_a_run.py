"""An arm's libraries are those the run began with; a change ends the arm."""

import json

import pytest
from dnnbench.errors import WorkerError
from dnnbench.execution.execute import versions_so_far
from dnnbench.execution.pool import refuse_change, spawn, start_request
from dnnbench.protocol.arm import Arm
from dnnbench.store.store import open_store
from dnnbench.worker.clients.arm import ArmClient
from helpers import storing
from helpers.installing import dnnbench, install, installed_here

COUNTED = """
from pathlib import Path
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend

STARTS = Path({folder!r}) / "starts"

@hookimpl
def dnnbench_backends():
    place, needs = "{name}_plugin:Counted", ("numpy",)
    return [BackendInfo("counted", "Counted", ("eager",), "eager", place, needs)]

class Counted(NumpyBackend):
    def versions(self):
        with STARTS.open("a") as file:
            file.write("started\\n")
        return {{"{name}": {version}}}
"""
NUMBER = "str(len(STARTS.read_text().splitlines()))"


@pytest.fixture
def counted(tmp_path):
    """Installs NumPy's backend under another name; `version` is the expression for its own."""

    def add(name, version):
        install(tmp_path, name, COUNTED.format(folder=str(tmp_path), name=name, version=version))
        return tmp_path

    return add


def test_workers_take_what_the_run_began_with(counted):
    """Not what is installed later under the same name, whose entry point comes first."""
    arm = Arm("counted", "eager")
    with installed_here(counted("zzz", "'1'")) as began:
        assert "counted" in began.backends
        counted("aaa", "'2'")
        with spawn(arm, "later") as worker:
            assert ArmClient(worker).start(start_request(arm)).versions == {"zzz": "1"}


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_an_arm_whose_library_changes_in_mid_run_is_measured_no_further(counted, tmp_path):
    folder = counted("moving", NUMBER)
    options = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--generations",
        "2",
        "--wait",
        "--json",
    )
    done = dnnbench(
        "run", "mlp_digits", "--backend", "numpy,counted", *options, path=[folder], cwd=tmp_path
    )
    document = json.loads(done.stdout)
    cells = {cell["arm"]: cell for cell in document["cells"]}
    assert done.returncode == 1, done.stderr
    assert "moving 1 became 2 while the run was under way" in cells["counted:eager"]["reason"]
    assert cells["counted:eager"]["status"] == "failed"
    assert cells["numpy:eager"]["status"] == "ok"
    assert [each["facts"]["versions"]["counted:eager"] for each in document["generations"]] == [
        {"moving": "1"}
    ] * 2


CACHING = """
import os
from pathlib import Path
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend

@hookimpl
def dnnbench_backends():
    place, caches = "caching_plugin:Caching", ("KERNEL_CACHE_DIR",)
    return [BackendInfo("caching", "Caching", ("eager",), "eager", place, caches=caches)]

class Caching(NumpyBackend):
    def configure(self, arm):
        super().configure(arm)
        cache = Path(os.environ["KERNEL_CACHE_DIR"])
        with open({log!r}, "a") as log:
            print(cache, sorted(path.name for path in cache.glob("*")), file=log)
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "kernel").touch()
"""


@pytest.mark.exhaustive  # six starts; test_scratch.py asks caches of one
@pytest.mark.xdist_group("run")
def test_a_cold_start_is_one_for_every_backend_that_names_its_caches(tmp_path, cache):
    log = tmp_path / "log"
    folder = install(tmp_path, "caching", CACHING.format(log=str(log)))
    options = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--generations",
        "2",
        "--wait",
    )
    for cold in ([], ["--cold-start"]):
        done = dnnbench(
            "run",
            "mlp_digits",
            "--backend",
            "caching",
            *options,
            *cold,
            path=[folder],
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
    met = [line.split(" ", 1) for line in log.read_text().splitlines()]
    assert [contents for _, contents in met] == ["[]", "['kernel']", "[]", "['kernel']"]
    assert [path == str(cache / "kernel_cache_dir") for path, _ in met] == [
        True,
        True,
        False,
        False,
    ]


def test_a_resumed_run_knows_the_versions_of_its_generations(tmp_path):
    with open_store(tmp_path / "store.sqlite") as store:
        storing.add_run(store, "r")
        for number, facts in enumerate(
            [{}, {"versions": {"torch": {"x": "1"}}}, {"versions": {"jax:jit": {"y": "2"}}}]
        ):
            store.add_generation("r", number, facts, {})
        versions = versions_so_far(store, "r")
    assert {arm.backend: libraries for arm, libraries in versions.items()} == {
        "torch": {"x": "1"},
        "jax": {"y": "2"},
    }


def test_a_change_is_reported_library_by_library():
    with pytest.raises(
        WorkerError, match=r"x:eager: torch 2\.9 became 2\.10, cuda absent became 13 while the run"
    ):
        refuse_change(
            "x:eager", {"torch": "2.9", "numpy": "2"}, {"torch": "2.10", "numpy": "2", "cuda": "13"}
        )
    refuse_change("x:eager", {"torch": "2.9"}, {"torch": "2.9"})
