"""The command line as a user meets it: real processes, real plugins, real files."""

import json

import pytest
from dnnbench.cli.main import main
from helpers.examples import EXAMPLE
from helpers.installing import dnnbench, install

DOCUMENTS = {
    "show": (["show", "cnn_digits", "--json"], "layers"),
    "show a file": (["show", str(EXAMPLE), "--json"], "layers"),
    "list backends": (["list", "backends", "--json"], "backends"),
    "list workloads": (["list", "workloads", "--json"], "workloads"),
    "schema": (["schema", "--json"], "schema"),
    "doctor": (["doctor", "--json"], "advice"),
}


@pytest.mark.parametrize("arguments, key", DOCUMENTS.values(), ids=DOCUMENTS)
def test_json_is_one_object_with_its_version_and_nothing_beside_it(arguments, key):
    done = dnnbench(*arguments)
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["schema_version"] == 2
    assert key in document
    assert next(iter(document)) == "schema_version"


def test_schema_is_the_bare_schema_without_json():
    schema = json.loads(dnnbench("schema").stdout)
    assert schema["$schema"].startswith("https://json-schema.org/")
    assert "model" in schema["properties"]
    assert schema["additionalProperties"] is False


def test_list_backends_tells_what_is_there_from_metadata():
    from importlib.metadata import version

    rows = {
        row["name"]: row
        for row in json.loads(dnnbench("list", "backends", "--json").stdout)["backends"]
    }
    assert rows["numpy"]["version"] == version("numpy")
    assert rows["numpy"]["installed"]
    assert rows["tensorflow"]["modes"] == ["graph", "eager", "xla"]
    assert "jit (default), eager" in dnnbench("list", "backends").stdout


def test_a_missing_framework_shows_what_to_install(tmp_path):
    source = """
        from dnnbench.plugins.hooks import BackendInfo, hookimpl

        @hookimpl
        def dnnbench_backends():
            needs = ("no-such-framework",)
            modes = ("eager",)
            return [BackendInfo("absent", "Absent", modes, "eager", "absent:X", needs, "absent")]
    """
    folder = install(tmp_path, "absent", source)
    done = dnnbench("list", "backends", path=[folder])
    assert "no-such-framework is not installed (pip install 'dnnbench[absent]')" in done.stdout
    row = next(
        r
        for r in json.loads(dnnbench("list", "backends", "--json", path=[folder]).stdout)[
            "backends"
        ]
        if r["name"] == "absent"
    )
    assert (row["installed"], row["version"]) == (False, None)


BROKEN = {
    "raises at import": (
        "raise RuntimeError('no licence [key]')",
        "RuntimeError: no licence [key]",
    ),
    "is not Python": ("def", "SyntaxError"),
    "imports what is not there": (
        "import no_such_module_at_all",
        "No module named 'no_such_module_at_all'",
    ),
    "raises when asked": (
        """
        from dnnbench.plugins.hooks import hookimpl

        @hookimpl
        def dnnbench_backends():
            raise OSError("lost its library")
        """,
        "dnnbench_backends raised OSError: lost its library",
    ),
    "raises when asked for workloads": (
        """
        from dnnbench.plugins.hooks import hookimpl

        @hookimpl
        def dnnbench_workloads():
            raise KeyError("gone")
        """,
        "dnnbench_workloads raised KeyError: 'gone'",
    ),
    "takes another's name": (
        """
        from dnnbench.plugins.hooks import BackendInfo, hookimpl

        @hookimpl
        def dnnbench_backends():
            return [BackendInfo("numpy", "Mine", ("eager",), "eager", "mine:X")]
        """,
        "backend 'numpy' is a name of dnnbench's own (plugin 'numpy' of dnnbench",
    ),
}


@pytest.fixture(scope="module")
def healthy():
    """The backends where no plugin is broken."""
    return json.loads(dnnbench("list", "backends", "--json").stdout)["backends"]


@pytest.mark.parametrize("source, reason", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_costs_only_itself_and_is_shown_with_why(tmp_path, healthy, source, reason):
    folder = install(tmp_path, "zbroken", source)
    done = dnnbench("list", "backends", path=[folder])
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "plugin 'zbroken' of zbroken 1.0: " in done.stderr
    assert reason in done.stderr
    document = json.loads(dnnbench("list", "backends", "--json", path=[folder]).stdout)
    assert document["backends"] == healthy
    assert reason in document["broken_plugins"]["zbroken"]


def test_a_workload_that_raises_is_the_plugin_s_fault(tmp_path):
    source = """
        from dnnbench.plugins.hooks import WorkloadInfo, hookimpl

        @hookimpl
        def dnnbench_workloads():
            return [WorkloadInfo("halved", "half a network", lambda: 1 / 0)]
    """
    folder = install(tmp_path, "halves", source)
    assert "halved" in dnnbench("list", "workloads", path=[folder]).stdout
    done = dnnbench("show", "halved", path=[folder])
    assert done.returncode == 2
    assert "workload 'halved': its plugin raised ZeroDivisionError" in done.stderr


def write(folder):
    (folder / "broken.toml").write_text("name = ")
    (folder / "empty.json").write_text("{}")
    (folder / "net.yaml").write_text("name: net")
    (folder / "binary.toml").write_bytes(bytes(range(256)))
    (folder / "folder.toml").mkdir()


BAD_INPUTS = {
    "no such command": (["shwo"], "no command is called 'shwo'; did you mean 'show'?"),
    "no such option": (["show", "mlp_digits", "--batchsize", "3"], "No such option"),
    "option of the group": (["--nope", "list"], "No such option"),
    "missing argument": (["show"], "Missing argument"),
    "one argument too many": (["schema", "run", "x"], "unexpected extra argument"),
    "batch size of nothing": (["show", "mlp_digits", "-b", "0"], "0 is not in the range"),
    "batch size as text": (["show", "mlp_digits", "-b", "many"], "'many' is not a valid integer"),
    "unknown list": (["list", "frameworks"], "'frameworks' is not one of"),
    "unknown workload": (
        ["show", "mlp_digit"],
        "no workload is called 'mlp_digit'; did you mean 'mlp_digits'?",
    ),
    "workload like no other": (["show", "zzz"], "no workload is called 'zzz' (there are"),
    "no text": (["show", ""], "no workload is called ''"),
    "no such file": (["show", "none.toml"], "none.toml: cannot be read: No such file"),
    "file nearly there": (["show", "brokn.toml"], "did you mean 'broken.toml'?"),
    "no such folder": (["show", "none/net.json"], "net.json: cannot be read"),
    "not TOML": (["show", "broken.toml"], "broken.toml: not TOML"),
    "empty": (["show", "empty.json"], "empty.json: model: missing"),
    "binary": (["show", "binary.toml"], "not UTF-8"),
    "folder": (["show", "folder.toml"], "it is a folder, expected a regular file"),
    "another format": (["show", "net.yaml"], "a workload file ends in .toml or .json"),
    "path without suffix": (["show", "./net"], "a workload file ends in .toml or .json"),
}


@pytest.mark.parametrize("arguments, message", BAD_INPUTS.values(), ids=BAD_INPUTS)
def test_bad_input_is_told_in_words(tmp_path, monkeypatch, capsys, arguments, message):
    write(tmp_path)
    monkeypatch.chdir(tmp_path)
    code = main(arguments)
    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err
    assert err.startswith("dnnbench: ")


def test_a_dry_run_says_how_many_cells_share_the_time(capsys):
    sweep = ["run", "mlp_digits", "--backend", "numpy", "--dtype", "float32,float64"]
    limits = ["--threads", "1", "--phase", "infer", "--max-time", "60s", "--generations", "3"]
    assert main([*sweep, *limits, "--dry-run"]) == 0
    lines = [line.split(maxsplit=1) for line in capsys.readouterr().out.splitlines()]
    said = {line[0]: line[1] for line in lines if len(line) == 2}
    assert said["cells"] == "2"
    assert said["visits"] == "60.0 s in 3 generations, shared by 2 cells: 10.0 s a cell in each"
