"""What ends a command badly is told in bounded words, whatever the streams,
the disk and the temporary folder are like.
"""

import subprocess
import sys

import pytest
from dnnbench.cli.failures import LONGEST_LINE, exit_code_of
from dnnbench.cli.main import main
from dnnbench.cli.output import Output
from dnnbench.errors import UsageError
from dnnbench.store.store import open_store
from dnnbench.wording import without_middle
from helpers import storing
from helpers.installing import dnnbench, install, python

FULL = "No space left on device"
STREAMS = {
    "stdout is closed": ("list backends >&-", 2, "", "stdout is closed"),
    "stdout is closed, for help": ("--help >&-", 2, "", "stdout is closed"),
    "all are closed": ("list backends <&- >&- 2>&-", 2, "", ""),
    "stdin is closed": ("list backends <&-", 0, "numpy", ""),
    "stderr is closed": ("show zzz 2>&-", 2, "", ""),
    "stderr is full": ("show zzz 2>/dev/full", 2, "", ""),
    "stdout is full": ("list backends >/dev/full", 2, "", FULL),
    "stdout is full, for JSON": ("schema --json >/dev/full", 2, "", FULL),
    "stdout is full, for help": ("--help >/dev/full", 2, "", FULL),
}


@pytest.mark.slow
@pytest.mark.parametrize("line, code, out, err", STREAMS.values(), ids=STREAMS)
def test_a_stream_that_takes_nothing_is_no_bug(line, code, out, err):
    done = subprocess.run(
        ["sh", "-c", f"exec {sys.executable} -m dnnbench {line}"], capture_output=True, text=True
    )
    assert done.returncode == code, done.stderr
    assert out in done.stdout if out else done.stdout == ""
    assert err in done.stderr if err else done.stderr == ""
    assert "bug" not in done.stderr
    assert "Exception ignored" not in done.stderr


def encoded(*arguments):
    """A command whose streams take ASCII alone: an interpreter chooses that as it starts."""
    return python("-m", "dnnbench.cli.main", *arguments, PYTHONIOENCODING="ascii")


def test_a_text_that_the_encoding_cannot_take_is_shown_escaped(tmp_path):
    (tmp_path / "net.toml").write_text(NET)
    done = encoded("show", str(tmp_path / "net.toml"))
    assert done.returncode == 0, done.stderr
    assert r"\xb5m" in done.stdout


NET = """
name = "net"
description = "in µm"
[model]
name = "net"
inputs = [{ name = "x", shape = [6] }]
outputs = ["y"]
nodes = [{ name = "y", op = { kind = "relu" }, inputs = ["x"] }]
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with the store of a run whose label is no ASCII."""
    folder = tmp_path_factory.mktemp("store")
    with open_store(folder / "s.sqlite") as store:
        storing.add_everything(store, "20260101-000000-aaaa", label="µ")
    return folder


def test_data_that_the_encoding_cannot_take_is_refused_not_changed(place):
    done = encoded("export", "latest", "--store", str(place / "s.sqlite"))
    assert done.returncode == 2, done.stderr
    assert "cannot be written as ascii; set PYTHONIOENCODING=utf-8" in done.stderr


FULL_DISK = {
    "csv": ["export", "latest", "--format", "csv"],
    "json": ["export", "latest", "--format", "json"],
}


@pytest.mark.parametrize("arguments", FULL_DISK.values(), ids=FULL_DISK)
def test_a_file_on_a_full_disk_is_named(place, capsys, arguments):
    assert main([*arguments, "--store", str(place / "s.sqlite"), "-o", "/dev/full"]) == 2
    assert f"export: /dev/full cannot be written ({FULL})" in capsys.readouterr().err


def test_what_a_system_call_is_refused_for_is_told_with_its_file(tmp_path, capsys):
    def command():
        (tmp_path / "gone" / "log").open("w")

    assert exit_code_of(command, Output()) == 2
    assert f"{tmp_path}/gone/log: No such file or directory" in capsys.readouterr().err


def test_an_error_of_a_system_call_that_no_user_can_mend_is_a_bug(capsys):
    def command():
        raise ChildProcessError(10, "No child processes")

    assert exit_code_of(command, Output(verbosity=1)) == 1
    assert "this is a bug in dnnbench" in capsys.readouterr().err


CRASHES = {
    (
        "its folder is gone"
    ): ("import tempfile; tempfile.tempdir = '/gone'", "Traceback (most recent call last)"),
    "arguments that are no text": (r"import sys; sys.argv.append('\udcff')", "the traceback is in"),
    "an error that cannot be shown": (
        "Odd = type('Odd', (Exception,), {'__str__': lambda _: 1 / 0})", "exception str() failed"
    ),
}  # fmt: skip


@pytest.mark.parametrize("before, says", CRASHES.values(), ids=CRASHES)
def test_the_report_of_a_crash_does_not_crash(tmp_path, before, says):
    source = f"""
        from dnnbench.cli import show
        from dnnbench.plugins.hooks import WorkloadInfo, hookimpl
        from dnnbench_workloads.digits import mlp_digits

        Odd = AttributeError

        def build():
            {before}

            def describe(*_):
                raise Odd("broken")

            show.describe = describe
            return mlp_digits()

        @hookimpl
        def dnnbench_workloads():
            return [WorkloadInfo("odd", "raises", build)]
    """
    done = dnnbench(
        "show",
        "odd",
        path=[install(tmp_path, "odd", source)],
        TMPDIR=str(tmp_path),
        DNNBENCH_DEBUG="",
    )
    assert done.returncode == 1
    assert "this is a bug in dnnbench" in done.stderr
    assert says in done.stderr


@pytest.mark.parametrize(
    "arguments", [["x" * 100_000], ["show", f"--{'x' * 100_000}"], ["list", "x" * 100_000]]
)
def test_a_message_is_bounded_and_ends_with_what_to_do(capsys, arguments):
    assert main(arguments) == 2
    lines = capsys.readouterr().err.splitlines()
    assert all(len(line) <= LONGEST_LINE + len("dnnbench: ") for line in lines)
    assert lines[-1].endswith("--help'")


def test_a_message_of_many_lines_is_bounded(capsys):
    def command():
        raise UsageError("\n".join(["x" * 100] * 10_000))

    assert exit_code_of(command, Output()) == 2
    assert len(capsys.readouterr().err) < 40_000


@pytest.mark.parametrize("length", [99, 100, 101, 1000])
def test_the_middle_of_a_text_is_left_out_where_it_is_too_long(length):
    text = f"a{'x' * (length - 2)}z"
    cut = without_middle(text, 100)
    assert len(cut) == min(length, 100)
    assert (cut[0], cut[-1]) == ("a", "z")


@pytest.mark.parametrize(
    "arguments", [["export", "latest", "--store"], ["report"]], ids=["export", "report"]
)
def test_a_store_is_not_overwritten(place, capsys, arguments):
    store = place / "s.sqlite"
    before = store.read_bytes()
    assert main([*arguments, str(store), "-o", str(store)]) == 2
    assert "is a store, and would be overwritten" in capsys.readouterr().err
    assert store.read_bytes() == before
