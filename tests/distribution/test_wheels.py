"""Wheels and sdists of both distributions: what is in them, and that they work where they are
installed.
"""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from zipfile import ZipFile

import pytest

pytestmark = [pytest.mark.exhaustive, pytest.mark.xdist_group("distributions")]

ROOT = Path(__file__).parents[2]
PROJECTS = {"dnnbench": ROOT, "dnnbench_onnxruntime": ROOT / "backends/dnnbench_onnxruntime"}
PYTHONS = ["python3.11", "python3.12", "python3.13"]
EXTRAS = [
    *("torch", "tensorflow", "jax", "report", "tables", "postgres", "onnx", "gpu"),
    *("parquet", "history"),
    "onnxruntime",  # a distribution of its own
    "elsewhere",  # nothing but dnnbench, whose workers are in another environment
]
BACKENDS = ["numpy", "torch", "tensorflow", "jax"]
FOLDERS = {
    "dnnbench": ["harness", "workloads", *map("backends/dnnbench_{}".format, BACKENDS)],
    "dnnbench_onnxruntime": ["backends/dnnbench_onnxruntime"],
}
NOT_INSTALLED = {"README.md", "LICENSE", "pyproject.toml"}
each_project = pytest.mark.parametrize("project", PROJECTS)


def call(*command):
    done = subprocess.run(list(map(str, command)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """A folder with an sdist and the wheel made from it, for each project."""
    folder = tmp_path_factory.mktemp("built")
    for project in PROJECTS.values():
        call(sys.executable, "-m", "build", "--outdir", folder, project)
    return folder


def only(folder, pattern):
    [path] = folder.glob(pattern)
    return path


def packaged(project):
    """Files under version control that belong to an installation, by their names in a wheel."""
    files = call(
        "git", "-c", f"safe.directory={ROOT}", "-C", ROOT, "ls-files", *FOLDERS[project]
    ).split()
    names = {Path(*Path(file).parts[1:]).as_posix() for file in files}
    assert len(names) > 5
    return {name for name in names if Path(name).name not in NOT_INSTALLED}


@each_project
def test_the_wheel_has_every_file_of_its_packages(built, project):
    names = set(ZipFile(only(built, f"{project}-*.whl")).namelist())
    assert packaged(project) <= names


@each_project
def test_the_sdist_builds_the_wheel_that_the_checkout_builds(built, project, tmp_path):
    call(sys.executable, "-m", "build", "--wheel", "--outdir", tmp_path, PROJECTS[project])
    from_checkout = only(tmp_path, "*.whl").read_bytes()
    assert from_checkout == only(built, f"{project}-*.whl").read_bytes()


@pytest.mark.parametrize("extra", EXTRAS)
def test_each_extra_brings_what_it_is_there_for(built, extra):
    call("bash", ROOT / ".ci/extra", sys.executable, built, ROOT / "constraints.txt", extra)


def test_every_extra_that_users_install_is_tried():
    named = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert set(named["optional-dependencies"]) - {"all", "test", "docs"} == set(EXTRAS[:-2])


@pytest.mark.parametrize("python", PYTHONS)
def test_it_is_installed_without_extras_and_used_outside_of_the_checkout(built, python):
    if shutil.which(python) is None or subprocess.run([python, "-V"], check=False).returncode:
        assert not os.environ.get("DNNBENCH_REQUIRE_PYTHONS"), f"{python} is missing"
        pytest.skip(f"{python} is not on this machine")
    wheel = only(built, "dnnbench-*.whl")
    call("bash", ROOT / ".ci/installed", python, wheel, ROOT / "constraints.txt")
