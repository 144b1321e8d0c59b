"""The command line as a user meets it: real processes, real plugins, real files."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.exitcodes import worst
from dnnbench.cli.formulas import formula
from dnnbench.cli.main import COMMANDS, main
from dnnbench.report.quantity import scaled
from dnnbench.spec.builder import Builder
from helpers.installing import dnnbench, install, python

HEAVY = ("torch", "tensorflow", "jax", "pandas", "numpy", "scipy", "sqlalchemy")
EXAMPLE = Path(__file__).parents[2] / "examples" / "mlp.toml"


LOADED = """
import sys
from dnnbench.cli.main import main
try:
    code = main({arguments!r})
except SystemExit as end:
    code = end.code
print(code, *(name for name in {heavy!r} if name in sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["list", "backends"],
        ["list", "workloads"],
        ["show", "--help"],
        ["schema"],
    ],
)
def test_light_commands_import_nothing_heavy(arguments):
    done = python("-c", LOADED.format(arguments=arguments, heavy=HEAVY))
    assert done.stderr.split() == ["0"]
    assert done.stdout


def test_help_imports_no_command_and_no_spec():
    start = "import sys\nfrom dnnbench.cli.main import main\n"
    loaded = python(
        "-c", start + "main(['--help'])\nprint(*sys.modules, file=sys.stderr)"
    ).stderr.split()
    assert not [name for name in loaded if name == "pydantic" or name.startswith("dnnbench.spec")]
    assert not [
        name
        for name in loaded
        if name.replace("_", "-") in {f"dnnbench.cli.{command}" for command in COMMANDS}
    ]


def test_help_lists_every_command():
    text = dnnbench("--help").stdout
    assert COMMANDS
    assert all(name in text for name in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_teaches(command, capsys):
    assert main([command, "--help"]) == 0
    said = capsys.readouterr().out
    assert "Example" in said
    assert f"dnnbench {command}" in said
    assert "--json" in said


@pytest.mark.parametrize("module", ["dnnbench", "dnnbench.cli.main"])
def test_version(module):
    from dnnbench import __version__

    assert python("-m", module, "--version").stdout.split() == ["dnnbench,", "version", __version__]


def test_the_installed_script_is_this_main():
    from importlib.metadata import entry_points

    [script] = entry_points(group="console_scripts", name="dnnbench")
    assert script.load() is main


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


@pytest.mark.parametrize("source, reason", BROKEN.values(), ids=BROKEN)
def test_a_broken_plugin_costs_only_itself_and_is_shown_with_why(tmp_path, source, reason):
    folder = install(tmp_path, "zbroken", source)
    healthy = json.loads(dnnbench("list", "backends", "--json").stdout)["backends"]
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
    "one argument too many": (["schema", "x"], "unexpected extra argument"),
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


def test_show_adds_up(capsys):
    assert main(["show", str(EXAMPLE), "--json", "--batch-size", "2"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["batch_size"] == 2
    assert shown["parameters"] == 64 * 96 + 96 + 96 * 10 + 10
    assert (
        shown["macs"] == 2 * (64 * 96 + 96 * 10) == sum(layer["macs"] for layer in shown["layers"])
    )
    forward = sum(layer["forward_flops"] for layer in shown["layers"])
    assert (
        shown["totals"]["inference"]["flops"] == forward < shown["totals"]["training_step"]["flops"]
    )


def test_show_prints_every_layer_with_its_mathematics():
    text = dnnbench("show", "cnn_digits").stdout
    for line in (
        "relu1 = max(conv1, 0)",
        "conv2 = pool1 * W + b",
        "logits = relu3 W + b",
        "L = -mean log softmax(z)[label]",
    ):
        assert line in text
    assert "13,706 parameters, 5,873,664 MACs" in text
    assert "learning_rate 0.05, momentum 0.9" in text


def test_show_a_layer_of_ten_gigabytes(tmp_path):
    path = tmp_path / "giant.toml"
    path.write_text(
        EXAMPLE.read_text()
        .replace("shape = [64]", "shape = [50000]")
        .replace("units = 96", "units = 50000")
    )
    done = dnnbench("show", str(path))
    assert done.returncode == 0
    assert "2,500,050,000" in done.stdout
    assert "GB" in done.stdout


FORMULAS = [
    ("dense", {"units": 3}, "y = x W + b", "out = x W + b"),
    ("dense", {"units": 3, "bias": False}, "y = x W + b", "out = x W"),
    ("relu", {}, "", "out = max(x, 0)"),
    ("dropout", {"rate": 0.25}, "", "out = x m / (1 - 0.25)"),
    ("batch_norm", {}, "", "out = g (x - mu) / sqrt(v + eps) + b"),
]


@pytest.mark.parametrize("kind, attributes, _, expected", FORMULAS)
def test_formula_with_the_names_of_the_network(kind, attributes, _, expected):
    net = Builder("net")
    model = net.build(getattr(net, kind)(net.input("x", (4,)), name="out", **attributes))
    assert formula(model, model.node("out")) == expected


def test_formula_of_a_sum_of_many_and_of_long_names():
    net = Builder("net")
    x = net.input("x", (4,))
    a, b = net.relu(x, name="a"), net.relu(x, name="b")
    long = net.relu(net.add(x, a, b, name="sum"), name="a_very_long_name_of_a_layer")
    model = net.build(long)
    assert formula(model, model.node("sum")) == "sum = x + a + b"
    assert formula(model, model.node(long)) == "y = max(x, 0)"


@pytest.mark.parametrize(
    "n, text",
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (82432, "82.4 kB"),
        (999_600, "1.00 MB"),
        (10**10, "10.0 GB"),
        (10**22, "10,000 EB"),
    ],
)
def test_scaled(n, text):
    assert scaled(n, "B") == text


@pytest.mark.parametrize(
    "codes, expected",
    [
        ([], 0),
        ([0, 0], 0),
        ([0, 3], 3),
        ([3, 1], 1),
        ([1, 4, 3], 4),
        ([4, 2, 1], 2),
        ([2, 130], 130),
        ([1, 0], 1),
    ],
)
def test_the_worst_exit_code(codes, expected):
    assert worst(codes) == expected


def test_a_foreign_exit_code_is_refused():
    with pytest.raises(ValueError):
        worst([0, 77])


def raising(folder, error):
    """A plugin whose workload raises what only a fault, a full machine or a user's hand would."""
    source = f"""
        import os, signal
        from dnnbench.plugins.hooks import WorkloadInfo, hookimpl
        from dnnbench_workloads.digits import mlp_digits

        def build():
            {error}

        @hookimpl
        def dnnbench_workloads():
            return [WorkloadInfo("odd", "raises", build)]
    """
    return install(folder, "odd", source)


def test_ctrl_c_ends_with_130(tmp_path):
    folder = raising(tmp_path, "os.kill(os.getpid(), signal.SIGINT)")
    done = dnnbench("show", "odd", path=[folder])
    assert done.returncode == exitcodes.INTERRUPTED
    assert "interrupted" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP"])
def test_other_signals_end_as_ctrl_c_does_and_are_named(tmp_path, name):
    folder = raising(tmp_path, f"os.kill(os.getpid(), signal.{name})")
    done = dnnbench("show", "odd", path=[folder])
    assert done.returncode == exitcodes.INTERRUPTED, done.stderr
    assert f"interrupted by {name}" in done.stderr


SIGNALLED = """
import os, signal, sys
{before}
from dnnbench.cli.interrupts import Ended, ended_by_signals
try:
    with ended_by_signals():
        {inside}
        print("went on")
except KeyboardInterrupt as error:
    print(type(error).__name__, error)
{after}
print("ended by itself")
"""
KEEPING = """try:
            os.kill(os.getpid(), signal.{first})
        finally:
            os.kill(os.getpid(), signal.SIGTERM)
            os.kill(os.getpid(), signal.SIGHUP)
            print("kept", end=" ")"""
HANDLED = {
    "an ignored SIGHUP": (
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)", "os.kill(os.getpid(), signal.SIGHUP)", "",
        "went on"
    ),
    "an ignored SIGINT": (
        "signal.signal(signal.SIGINT, signal.SIG_IGN)", "os.kill(os.getpid(), signal.SIGINT)", "",
        "went on"
    ),
    "SIGTERM again": ("", KEEPING.format(first="SIGTERM"), "", "kept Ended SIGTERM"),
    "after SIGHUP": ("", KEEPING.format(first="SIGHUP"), "", "kept Ended SIGHUP"),
    "after Ctrl-C": ("", KEEPING.format(first="SIGINT"), "", "kept KeyboardInterrupt"),
    "a program's own handler": (
        "signal.signal(signal.SIGTERM, lambda *_: print('its own'))", "",
        "os.kill(os.getpid(), signal.SIGTERM)", "went on\nits own",
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", HANDLED)
def test_a_signal_that_comes_again_or_was_ignored_ends_nothing(case):
    before, inside, after, says = HANDLED[case]
    code = SIGNALLED.format(before=before, inside=inside, after=after)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert [line.strip() for line in done.stdout.splitlines()] == [
        *says.split("\n"),
        "ended by itself",
    ], done.stderr


def test_a_second_ctrl_c_ends_at_once():
    inside = (
        "try: os.kill(os.getpid(), signal.SIGINT)\n        finally: "
        "os.kill(os.getpid(), signal.SIGINT); print('kept')"
    )
    code = SIGNALLED.format(before="", inside=inside, after="")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert "kept" not in done.stdout


def test_outside_the_main_thread_no_signal_is_handled():
    code = "import threading; from dnnbench.cli.main import main; "
    code += "threading.Thread(target=lambda: print(main(['schema', '--help']))).start()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.stdout.endswith("0\n"), done.stderr


BUG = "from dnnbench.cli import show; show.describe = lambda *_: None.layers; return mlp_digits()"


def test_a_bug_is_called_one_and_its_traceback_kept(tmp_path):
    folder = raising(tmp_path / "plugin", BUG)
    (tmp_path / "temp").mkdir()
    done = dnnbench("show", "odd", path=[folder], TMPDIR=str(tmp_path / "temp"), DNNBENCH_DEBUG="")
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert "this is a bug in dnnbench" in done.stderr
    assert "AttributeError" in done.stderr
    [kept] = (tmp_path / "temp").iterdir()
    assert str(kept) in done.stderr
    assert "Traceback (most recent call last)" in kept.read_text()


@pytest.mark.parametrize("flags, environment", [(["-v"], {}), ([], {"DNNBENCH_DEBUG": "1"})])
def test_the_traceback_is_printed_when_asked_for(tmp_path, flags, environment):
    folder = raising(tmp_path / "plugin", BUG)
    done = dnnbench("show", "odd", *flags, path=[folder], **environment)
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr


LEFT_EARLY = [
    ["schema"],
    ["list", "workloads"],
    ["list", "workloads", "--json"],
    ["--version"],
    ["--help"],
]


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", LEFT_EARLY)
def test_a_reader_that_leaves_is_no_fault(arguments, unbuffered):
    command = [sys.executable, "-m", "dnnbench.cli.main", *arguments]
    env = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=env
    ) as process:
        process.stdout.close()
        code, complaints = process.wait(60), process.stderr.read()
    assert (code, complaints) == (exitcodes.READER_GONE, b"")
    assert exitcodes.READER_GONE == 128 + signal.SIGPIPE


def test_tables_keep_their_width_in_a_pipe():
    text = dnnbench("list", "backends").stdout
    assert any(
        line.rstrip().endswith("installed") and "graph (default), eager, xla" in line
        for line in text.splitlines()
    )


def test_quiet_keeps_data_and_drops_notes(tmp_path):
    folder = install(tmp_path, "zbroken", "raise RuntimeError")
    assert dnnbench("list", "workloads", path=[folder]).stderr
    done = dnnbench("list", "workloads", "--quiet", path=[folder])
    assert done.stderr == ""
    assert "mlp_digits" in done.stdout
