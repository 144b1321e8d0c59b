"""Other environments: names, paths, what they are made of.

And two versions of a framework in one run.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import psutil
import pytest
from dnnbench.errors import PluginError, UsageError
from dnnbench.execution import environments
from dnnbench.execution.arms import select
from dnnbench.execution.backend_info import backend_info
from dnnbench.execution.environments import (
    create_environment,
    environments_folder,
    interpreter_of,
    known_environments,
    python_version,
    remove_environment,
    worker_requirements,
)
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from helpers.installing import install
from helpers.running import FAST, cells_of, dnnbench

pytestmark = pytest.mark.slow

OLDER = {"numpy": "1.26.4", "jax": "0.9.2"}
"""By backend, the version that meets the tested one."""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path))
    return tmp_path


def made(folder, name):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder / name)], check=True)


def test_a_name_a_folder_and_a_python_mean_an_interpreter(folder):
    made(folder, "old")
    python = folder / "old" / "bin" / "python"
    assert (
        interpreter_of("old")
        == interpreter_of(str(folder / "old"))
        == interpreter_of(str(python))
        == python
    )
    assert known_environments() == {"old": python}
    assert environments_folder() == folder


def test_what_is_no_environment_says_how_to_make_one(folder):
    made(folder, "jax-0.9")
    with pytest.raises(UsageError, match=r"did you mean 'jax-0.9'\?.*dnnbench envs create jax-0.8"):
        interpreter_of("jax-0.8")


@pytest.mark.parametrize("name", ["", "a/b", "-x", "../up"])
def test_odd_names_are_refused(folder, name):
    with pytest.raises(UsageError, match="use letters"):
        create_environment(name, ["numpy"])


def test_a_name_that_is_taken_is_refused_and_removing_frees_it(folder):
    made(folder, "old")
    with pytest.raises(UsageError, match="exists already"):
        create_environment("old", ["numpy"])
    remove_environment("old")
    assert not known_environments()
    with pytest.raises(UsageError, match="no environment is called 'old'"):
        remove_environment("old")


def test_a_foreign_interpreter_is_not_given_the_stores_password(tmp_path, monkeypatch):
    monkeypatch.setenv("PGPASSWORD", "M4RK")
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho 3.11.${#PGPASSWORD}\n")
    python.chmod(0o755)
    assert python_version(python) == "3.11.0", "the last number is the password's length"


@pytest.mark.slow
@pytest.mark.exhaustive  # a build that fails leaves nothing either: test_environment_of_revision.py
def test_what_pip_cannot_install_leaves_nothing_behind(folder):
    with pytest.raises(UsageError, match="pip install failed"):
        create_environment("broken", ["no-such-distribution-of-dnnbench==1"])
    assert not (folder / "broken").exists()


def test_a_worker_gets_the_core_and_what_its_backend_needs_beside_the_framework():
    wanted = worker_requirements(["jax==0.9.2"])
    names = [text.partition(">")[0] for text in wanted]
    assert "numpy" in names
    assert "pydantic" in names
    assert "optax" in names
    assert not {"jax", "torch", "pandas", "sqlalchemy"} & set(names)
    assert not any(text.startswith("numpy") for text in worker_requirements(["numpy==2.1.0"]))


PRETENDERS = {
    "hangs": ("exec sleep 3600", "did not tell its version within 1 s"),
    "hangs in a child": ("sleep 3600; true", "did not tell its version within 1 s"),
    "prints for ever": ("exec yes", "gave 'y\\ny\\n"),
    "says nothing": ("exit 0", "gave '' for its version"),
    "is another program": ("echo GNU bash", "gave 'GNU bash' for its version"),
    "is too old": ("echo 3.9.1", "is Python 3.9.1; a worker needs 3.11 or later"),
}


@pytest.fixture
def pretender(tmp_path, monkeypatch):
    """Writes a program that is asked as an interpreter is; nothing may be left of it in the end."""
    monkeypatch.setattr(environments, "ANSWER_LIMIT_S", 1.0)
    path = tmp_path / "python"

    def write(script, interpreter="/bin/sh"):
        path.write_text(f"#!{interpreter}\n{script}\n")
        path.chmod(0o755)
        return str(path)

    yield write
    left = [
        process
        for process in psutil.process_iter(["cmdline"])
        if str(path) in (process.info["cmdline"] or ())
    ]
    assert left == []


@pytest.mark.parametrize(("script", "words"), PRETENDERS.values(), ids=PRETENDERS)
def test_what_is_no_interpreter_is_refused_before_a_worker_starts(pretender, script, words):
    with pytest.raises(UsageError) as caught:
        select([f"numpy@{pretender(script)}"])
    assert words in str(caught.value)


def test_what_an_interpreter_started_ends_with_it(pretender, tmp_path):
    child = tmp_path / "child"
    with pytest.raises(UsageError):
        select([f"numpy@{pretender(f'sleep 3600 & echo $! > {child}; wait')}"])
    pid = int(child.read_text())
    for _ in range(1000):
        if not runs(pid):
            break
        time.sleep(0.01)
    assert not runs(pid)


def runs(pid):
    """Not only as what nobody has reaped yet."""
    return psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE


def test_what_cannot_be_started_is_refused(pretender):
    with pytest.raises(UsageError, match="cannot be started"):
        select([f"numpy@{pretender('', interpreter='/no/such/shell')}"])


def test_this_interpreter_is_taken():
    assert [one.environment for one in select([f"numpy@{sys.executable}"]).arms] == [sys.executable]


def test_a_hanging_environment_is_listed_as_broken(folder, pretender):
    (folder / "stuck" / "bin").mkdir(parents=True)
    os.symlink(pretender("exec sleep 3600"), folder / "stuck" / "bin" / "python")
    assert python_version(known_environments()["stuck"]) == "broken"


@pytest.mark.slow
@pytest.mark.xdist_group("run")
@pytest.mark.parametrize(
    ("backend", "phase", "checked"),
    [
        pytest.param("numpy", "infer", ["--no-check"], id="numpy", marks=pytest.mark.exhaustive),
        pytest.param("jax", "all", [], id="jax", marks=pytest.mark.exhaustive),
    ],
)
def test_two_versions_meet_in_one_run(folder, tmp_path, monkeypatch, backend, phase, checked):
    monkeypatch.setenv("PIP_NO_COMPILE", "1")  # of what pip installs, a worker imports a small part

    def dnnbench(*arguments):
        command = [str(Path(sys.executable).parent / "dnnbench"), *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, cwd=tmp_path, env=dict(os.environ)
        )

    created = dnnbench("envs", "create", "old", f"{backend}=={OLDER[backend]}")
    assert created.returncode == 0, created.stderr
    arms = f"{backend},{backend}@old"
    asked = ("--phase", phase, *FAST, "--json", *checked)
    ran = dnnbench("run", "mlp_digits", "--backend", arms, *asked)
    assert ran.returncode == 0, ran.stderr
    told = json.loads(ran.stdout)
    assert {cell["status"] for cell in told["cells"]} == {"ok"}
    versions = {
        arm: found[backend] for arm, found in told["generations"][0]["facts"]["versions"].items()
    }
    base = Arm(backend, plugins().backends[backend].default_mode).name
    assert versions[f"{base}@old"] == OLDER[backend]
    assert versions[base] != OLDER[backend]


ELSEWHERE = """
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend


class Elsewhere(NumpyBackend):
    name = "elsewhere"


@hookimpl
def dnnbench_backends():
    target = f"{__name__}:Elsewhere"
    modes = ("eager", "lazy")
    return [BackendInfo("elsewhere", "Elsewhere", modes, "eager", target, caches=("FAR_CACHE",))]
"""


@pytest.fixture
def elsewhere(folder):
    """An environment with a plugin of its own, which shares this one's libraries."""
    made(folder, "far")
    (site,) = (folder / "far/lib").glob("python*/site-packages")
    (site / "libraries.pth").write_text(f"{Path(np.__file__).parents[1]}\n")
    install(site, "elsewhere", ELSEWHERE)
    return "far"


def test_a_backend_is_read_where_it_is_installed(elsewhere):
    info = backend_info("elsewhere", elsewhere)
    assert info == replace(info, modes=("eager", "lazy"), caches=("FAR_CACHE",))
    assert [arm.name for arm in select(["elsewhere:all@far"]).arms] == [
        "elsewhere:eager@far",
        "elsewhere:lazy@far",
    ]
    with pytest.raises(UsageError, match="no backend is called 'elsewhere'"):
        select(["elsewhere"])


def test_a_backend_of_dnnbench_is_the_same_everywhere(elsewhere):
    assert backend_info("numpy", elsewhere) is plugins().backends["numpy"]


@pytest.mark.parametrize(
    ("source", "wanted", "words"),
    [
        (ELSEWHERE, "elswhere", "no backend is called 'elswhere' there.*mean 'elsewhere'"),
        ("raise ImportError('no engine')", "elsewhere", "plugin 'elsewhere' of .*no engine"),
    ],
)
def test_what_an_environment_does_not_bring_is_told(elsewhere, folder, source, wanted, words):
    (module,) = (folder / "far").rglob("elsewhere_plugin.py")
    module.write_text(source)
    with pytest.raises(UsageError, match=words):
        backend_info(wanted, elsewhere)


def test_an_environment_without_the_libraries_of_the_core_says_so(folder):
    made(folder, "bare")
    with pytest.raises(PluginError, match="cannot tell its plugins: ModuleNotFoundError"):
        backend_info("elsewhere", "bare")


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_a_backend_of_another_environment_is_checked_and_timed(elsewhere, place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy,elsewhere@far", *FAST)
    assert done.returncode == 0, done.stderr
    assert {status for status, _, _ in cells_of(place).values()} == {"ok"}
    assert ("elsewhere:eager@far", "train_step") in cells_of(place)
