"""How a script reads: names, lines, what is cut out of files; a formatter changes nothing."""

import ast
import subprocess
import sys

import pytest
from dnnbench.errors import UsageError
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.protocol.batch import Batch
from dnnbench.scripts.assembling import script
from dnnbench.scripts.cutting import cut
from dnnbench.scripts.importing import import_lines
from dnnbench.scripts.names import resolved, value_names
from dnnbench.scripts.wrapping import WIDTH, broken, line
from dnnbench.scripts.writer import ScriptRequest
from dnnbench.spec.builder import Builder
from dnnbench.spec.phases import PHASES, Phase
from dnnbench.spec.workload import Workload
from dnnbench.testing.cases.batches import batches_of
from helpers.exporting import weights_of
from helpers.scripting import (
    ORIGIN,
    SEED,
    against_reference,
    arm_of,
    context_of,
    run_alone,
    write,
    writer_of,
)

pytestmark = pytest.mark.slow

PURPOSES = (Phase.INFER, Phase.TRAIN_STEP)
TINY = [workload.name for workload in find_workloads("all[tiny]")]
FEW = ["cnn_digits", "efficientnet_b0[tiny]", "gru_seq2seq[tiny]", "gpt2_small_decode[tiny]"]
MODES = {
    "numpy": ("eager",),
    "torch": ("eager", "compile"),
    "tensorflow": ("graph", "xla"),
    "jax": ("jit", "eager", "plain"),
    "onnxruntime": ("full",),
}
ARMS = [(backend, mode) for backend, modes in MODES.items() for mode in modes]


def text_of(backend, mode, name, phase):
    """The script; UsageError where it is not written yet."""
    workload = find_workload(name)
    [batch] = batches_of(workload, count=1, size=2)
    drawing, weights = Batch(batch.inputs, batch.targets), weights_of(workload)
    arm = arm_of(backend, mode)
    request = ScriptRequest(workload, arm, phase, SEED, drawing, weights, "made")
    return script(writer_of(backend), request, ORIGIN).text


def format_all(folder, names, chosen=PHASES):
    """What a formatter would change of every script of the networks; and how many there are."""
    for name in names:
        phases = chosen[:1] if find_workload(name).inference_only else chosen
        for number, (backend, mode) in enumerate(ARMS):
            for phase in phases:
                try:
                    text = text_of(backend, mode, name, phase)
                except UsageError:
                    continue
                (folder / f"{name.partition('[')[0]}_{number}_{phase}.py").write_text(text)
    command = [
        sys.executable,
        "-m",
        "ruff",
        "format",
        "--isolated",
        "--diff",
        f"--line-length={WIDTH}",
    ]
    done = subprocess.run([*command, str(folder)], capture_output=True, text=True)
    return done.stdout, len(list(folder.glob("*.py")))


def test_a_formatter_changes_nothing(tmp_path):
    changes, count = format_all(tmp_path, FEW, PURPOSES)
    assert (changes, count >= 35) == ("", True)


@pytest.mark.exhaustive
@pytest.mark.parametrize("name", TINY)
def test_a_formatter_changes_no_script_of_the_zoo(tmp_path, name):
    changes, count = format_all(tmp_path, [name])
    assert (changes, count > 0) == ("", True)


@pytest.mark.parametrize(("backend", "mode"), ARMS)
def test_no_script_reads_a_name_that_it_has_not(backend, mode):
    text = text_of(backend, mode, "cnn_digits", PHASES[0])
    done = subprocess.run(
        [sys.executable, "-m", "ruff", "check", "--isolated", "--select=F", "-"],
        input=text,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout


def test_a_node_is_a_line_with_its_name_and_shape():
    text = text_of("torch", "eager", "cnn_digits", PHASES[0])
    wanted = (
        '    x = F.conv2d(image, w["conv1.weight"], w["conv1.bias"], padding=1)'
        "  # conv1: (N, 16, 8, 8)"
    )
    assert wanted in text.splitlines()


def test_values_are_let_go_where_the_program_lets_them_go():
    eager = text_of("torch", "eager", "resnet18[tiny]", PHASES[0])
    compiled = text_of("torch", "compile", "resnet18[tiny]", PHASES[0])
    assert ("    del relu3" in eager.splitlines(), "del " in compiled) == (True, False)


def named(build):
    """Names by node of a network that `build` adds to a Builder with an input x."""
    net = Builder("named")
    model = net.build(build(net, net.input("x", (4,))))
    same = resolved(model, random_ops=False)
    nodes = [node for node in model.nodes if same[node.name] == node.name]
    return value_names(model, nodes, same, {"w"})


def test_a_chain_is_x_and_what_is_read_later_has_its_own_name():
    def residual(net, x):
        first = net.relu(x, name="first")
        second = net.tanh(net.sigmoid(first, name="passing"), name="second")
        return net.add(first, second, name="sum")

    names = named(residual)
    assert [names[n] for n in ("first", "passing", "second", "sum")] == ["first", "x", "x", "sum"]


def test_an_input_called_as_what_passes_gets_another_name():
    assert named(lambda net, x: net.relu(x, name="y"))["x"] == "x_2"


def test_names_of_python_and_of_the_script_are_not_taken():
    def strange(net, x):
        branch = net.relu(x, name="lambda")
        other = net.relu(x, name="w")
        return net.add(branch, net.tanh(branch, name="a.b"), other, name="a_b")

    names = named(strange)
    assert (names["lambda"], names["w"], names["a_b"]) == ("lambda_2", "w_2", "a_b")


def test_a_random_op_that_passes_its_input_on_has_no_name():
    names = named(lambda net, x: net.tanh(net.dropout(net.relu(x, name="r"), name="d"), name="t"))
    assert (names["r"], "d" in names) == ("x", False)


LONG = ", ".join(f"argument_number_{i}" for i in range(6))


@pytest.mark.parametrize(
    ("code", "wanted"),
    [
        ("y = f(x)", "y = f(x)"),
        (f"y = f({LONG[:88]})", f"y = f({LONG[:88]})"),
        (f"y = f({LONG[:94]})", f"y = f(\n    {LONG[:94]}\n)"),
        (f"y = f({LONG})", "y = f(\n    " + LONG.replace(", ", ",\n    ") + ",\n)"),
        (f"y = f({LONG[:94]}) + b", f"y = (\n    f({LONG[:94]})\n    + b\n)"),
    ],
)
def test_long_lines_are_broken_at_their_last_brackets(code, wanted):
    assert broken(code) == wanted


def test_a_comment_stands_above_where_it_does_not_fit_beside():
    code = f"y = f({LONG[:80]})"
    assert line(code, "norm: (N, 8)", depth=0) == f"# norm: (N, 8)\n{code}"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "parts.py"
    path.write_text(
        "import math\nfrom os import path as place, sep\n\n\n"
        "def used():\n    return helper() + math.pi\n\n\n"
        "def helper():\n    return SIZE\n\n\n"
        "SIZE = 3\n\n\n"
        "used.mark(after)\n\n\n"
        "def after():\n    return sep\n\n\n"
        "def unused():\n    return place\n"
    )
    return path


def test_functions_are_cut_out_with_what_they_read(file):
    code = "\n".join(cut([file], "x = used()").code)
    defined = [node.name for node in ast.parse(code).body if isinstance(node, ast.FunctionDef)]
    assert defined == ["used", "helper", "after"]
    assert "SIZE = 3" in code
    assert "used.mark(after)" in code


def test_what_they_import_comes_with_them(file):
    assert import_lines(cut([file], "x = used()").imports)[0] == [
        "import math",
        "from os import sep",
    ]


def test_what_the_code_defines_itself_is_not_cut(file):
    assert cut([file], "def used():\n    return 1").code == ()


@pytest.mark.parametrize("name", ["taps", "g", "call", "dense", "np", "d_hidden"])
def test_a_node_may_bear_a_name_of_the_scripts_own(tmp_path, name):
    """A function that the script holds, a variable, an import, a gradient: values give way."""
    net = Builder("strange")
    hidden = net.relu(net.dense(net.input("w", (4,)), units=3, name=name), name="hidden")
    model = net.build(net.dense(net.add(hidden, name), units=2, name="logits"))
    workload = Workload(name="strange", model=model)
    [batch] = batches_of(workload, count=1, size=3)
    arm, weights = arm_of("numpy"), weights_of(workload)
    cell = write(tmp_path, "made", arm, workload, "gradients", batch, weights)
    [answers] = run_alone(tmp_path, [cell])
    assert not isinstance(answers, str), answers
    context = context_of(workload, weights, batch, "float32", ["gradients"])
    assert against_reference(cell, answers, context)[0] == []
