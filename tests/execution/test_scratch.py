"""What workers leave behind: nothing in the temporary folder, and of their logs those
that an error names.
"""

import os
import subprocess
import sys
import tempfile
import time

import pytest
from dnnbench.data.dataset import load
from dnnbench.execution import checking as agreement
from dnnbench.execution import logs, pool
from dnnbench.execution.cache import compile_caches
from dnnbench.execution.scratch import scratch_folder, sweep
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.worker.services.process import ProcessService

NUMPY = Arm("numpy", "eager")
OWNER = """
import sys
from dnnbench.execution.scratch import scratch_folder
with scratch_folder("test") as folder:
    (folder / "file").write_text("x")
    print(folder, flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path, monkeypatch):
    """The system's folder for temporary files, of this test alone."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return folder


@pytest.fixture
def owner(temporary):
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    process.stdout.readline()
    yield process
    process.kill()
    process.communicate()


def test_a_scratch_folder_goes_at_the_end_and_after_an_error(temporary):
    with pytest.raises(ZeroDivisionError), scratch_folder("test") as folder:
        (folder / "file").write_text("x")
        1 / 0  # noqa: B018
    assert not list(temporary.iterdir())


def test_a_scratch_folder_that_is_owned_stays(owner, temporary):
    sweep()
    assert [file.name for file in temporary.glob("*/*")] == ["file"]


def test_a_scratch_folder_whose_owner_was_killed_is_swept(owner, temporary):
    owner.kill()
    owner.wait()
    assert list(temporary.iterdir())
    with scratch_folder("test") as folder:
        assert list(temporary.iterdir()) == [folder]


def test_what_is_not_ours_is_not_swept(temporary):
    (temporary / "precious").mkdir()
    (temporary / "dnnbench-scratch-link").symlink_to(temporary / "precious")
    (temporary / "dnnbench-scratch-file").write_text("x")
    sweep()
    assert len(list(temporary.iterdir())) == 3


@pytest.mark.skipif(os.geteuid() != 0, reason="only root may give a folder to another user")
def test_another_users_folder_is_not_swept(temporary):
    (temporary / "dnnbench-scratch-theirs").mkdir()
    os.chown(temporary / "dnnbench-scratch-theirs", 1, 1)
    sweep()
    assert list(temporary.iterdir())


def test_a_folder_that_is_swept_before_it_is_owned_is_made_anew(temporary, monkeypatch):
    make, made = tempfile.mkdtemp, []

    def swept_at_once(*arguments, **options):
        made.append(make(*arguments, **options))
        if len(made) == 1:
            sweep()
        return made[-1]

    monkeypatch.setattr(tempfile, "mkdtemp", swept_at_once)
    with scratch_folder("test") as folder:
        assert str(folder) == made[1]
        assert folder.is_dir()


def test_a_cold_start_leaves_no_caches(temporary):
    with compile_caches(cold_start=True) as caches:
        assert caches.folder.parent == temporary
    assert not list(temporary.iterdir())


def test_a_clean_worker_leaves_nothing(temporary, tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_CACHE", str(tmp_path / "cache"))
    with pool.spawn(NUMPY, "a/b") as worker:
        worker.ask(ProcessService.hello, 60)
        assert worker.log.exists()
    assert not list(temporary.iterdir())
    assert not list((tmp_path / "cache/logs").iterdir())


def test_links_for_other_interpreters_go_with_the_process(temporary):
    lend = (
        "from dnnbench.execution.lending import lent_packages; "
        "print((lent_packages() / 'dnnbench').exists())"
    )
    done = subprocess.run([sys.executable, "-c", lend], capture_output=True, text=True)
    assert done.stdout == "True\n", done.stderr
    assert not list(temporary.iterdir())


@pytest.fixture
def kept(tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_CACHE", str(tmp_path))
    return tmp_path / "logs"


def test_logs_of_one_name_are_two_files(kept):
    assert logs.new_log("a/b") != logs.new_log("a/b")


@pytest.mark.parametrize(
    "name", ["a/../b", "x" * 1000, "ü" * 100, "torch:compile@new[dtype=float32]", ""]
)
def test_any_name_makes_a_file_in_the_folder_of_logs(kept, name):
    assert logs.new_log(name).parent == kept


def test_half_a_reference_that_a_killed_worker_left_goes_with_the_next(kept):
    workload = find_workload("mlp_digits")
    request = agreement.check_request(workload, load(workload), 0).in_dtype("float64")
    path = agreement.reference_path(request)
    young, old = (path.with_name(f"{name}.unfinished") for name in ("young", "old"))
    path.parent.mkdir()
    for file, days in ((young, 0.5), (old, 2)):
        file.touch()
        os.utime(file, (0, time.time() - days * 86400))
    agreement.ensure_references([request])
    assert set(path.parent.iterdir()) == {path, young}


def test_logs_stay_a_week(kept):
    young, old = logs.new_log("young"), logs.new_log("old")
    os.utime(young, (0, time.time() - 6 * 86400))
    os.utime(old, (0, time.time() - 8 * 86400))
    new = logs.new_log("new")
    assert set(kept.iterdir()) == {young, new}
