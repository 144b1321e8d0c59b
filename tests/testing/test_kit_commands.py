"""The kit as it is called: `dnnbench conformance`, its expressions, and pytest."""

import json
import os
import subprocess
import sys

import pytest
from dnnbench.errors import UsageError
from dnnbench.testing.cases import CASES
from dnnbench.testing.choosing import everything, those_that_fit
from dnnbench.testing.families import FAMILIES
from helpers import installing
from helpers.pytest_sessions import run_pytest


def dnnbench(*arguments):
    return installing.dnnbench("conformance", *arguments)


def wrongly_computed(asked):
    """Of some cases those that a wrong sigmoid reaches."""
    return {
        case
        for case in asked
        if any(node.op.kind == "sigmoid" for node in CASES[case]().model.nodes)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "asked"),
    [
        pytest.param(
            ("-k", "sigmoid or hardswish or restore"), {"sigmoid", "hardswish"}, id="some"
        ),
        pytest.param((), set(FAMILIES), id="all", marks=pytest.mark.exhaustive),
    ],
)
def test_the_command_names_what_is_wrong_and_by_how_much(stranger, expression, asked):
    done = dnnbench("stranger:wrong", "--dtype", "float64", "--json", *expression)
    document = json.loads(done.stdout)
    [found] = document["backends"]
    differing = [row for row in found["cases"] if row["status"] == "differs"]
    assert done.returncode == 1
    assert not document["conforms"]
    assert {row["case"] for row in differing} == wrongly_computed(asked)
    assert {row["side"] for row in differing} == {"gradient"}
    assert [row for row in differing if not row["ratio"] > 1] == []
    assert len(found["cases"]) == 2 * len(asked)
    assert {law["status"] for law in found["laws"]} == {"kept"}


@pytest.mark.slow
def test_rows_are_printed_as_they_are_judged(stranger, tmp_path):
    command = [sys.executable, "-m", "dnnbench", "conformance", "stranger:waiting"]
    command += ["-k", "relu6", "--details"]
    env = {**os.environ, "READ": str(tmp_path / "read")}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=env
    ) as process:
        for line in process.stdout:
            if line.startswith("  relu6 "):
                (tmp_path / "read").touch()
                break
        _, errors = process.communicate()
    assert process.returncode == 0, errors


FITTING = {
    "softmax and float64": (
        {"float64": {"softmax", "softmax_of_sequences", "softmax_of_images", "softmax_of_large"}},
        set(),
    ),
    "Relu6 and not ZERO": ({"float64": {"relu6"}, "float32": {"relu6"}}, set()),
    "law and (restore or load)": (
        {},
        {"restore_goes_back", "load_starts_anew", "load_reaches_inference"},
    ),
    "not float64 and not law and losses and mse": (
        {"float32": {case for case in CASES if "mse" in case}},
        set(),
    ),
}


@pytest.mark.parametrize(
    ("expression", "cases", "laws"), [(k, *v) for k, v in FITTING.items()], ids=FITTING
)
def test_an_expression_chooses_cases_and_laws(expression, cases, laws):
    asked = those_that_fit(expression, ("float64", "float32"))
    assert {dtype: set(some) for dtype, some in asked.cases.items()} == cases
    assert set(asked.laws) == laws


UNFITTING = {
    "softmx": "-k 'softmx': no case and no law fits; did you mean 'softmax'?",
    "bfloat16": "-k 'bfloat16': no case and no law fits",
    "soft max": "-k 'soft max': expected words joined by and, or, not",
    "relu and": "expected words joined",
    "relu + tanh": "expected words joined",
    "'relu'": "expected words joined",
    "__import__('os')": "expected words joined",
    "relu\0": "expected words joined",
    "(" * 400: "expected words joined",
    "-" * 400 + "relu": "expected words joined",
    "relu or " * 10_000 + "tanh": "expected words joined",
}


@pytest.mark.parametrize(("expression", "words"), UNFITTING.items(), ids=range(len(UNFITTING)))
def test_an_expression_that_fits_nothing_is_refused(expression, words):
    with pytest.raises(UsageError) as caught:
        those_that_fit(expression, ("float64", "float32"))
    assert words in str(caught.value)
    assert len(str(caught.value)) < 1000


def test_without_an_expression_everything_is_asked():
    assert everything(("float64",)) == those_that_fit("float64 or law", ("float64",))


@pytest.mark.slow
def test_the_tables_tell_reasons_once(stranger):
    some = ("-k", "activations or shapes or infer_changes")
    done = dnnbench("stranger:narrow", "--dtype", "float64", "--details", *some)
    assert done.returncode == 0, done.stderr
    assert "agrees 0" in done.stdout
    assert "activations" in done.stdout
    assert "infer_changes_nothing" in done.stdout
    assert done.stdout.count("no sigmoid here:") == 1


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "code", "words"),
    [
        ("stranger:absent", 1, "no such device"),
        ("stranger:empty", 4, "supports none of the cases"),
        ("strager", 2, "did you mean 'stranger'?"),
        ("stranger:wide", 2, "has no mode 'wide'"),
    ],
)
def test_it_ends_with_a_word_where_it_cannot_judge(stranger, name, code, words):
    done = dnnbench(name, "--dtype", "float64")
    assert done.returncode == code, done.stderr
    assert words in done.stderr, done.stderr
    assert "Traceback" not in done.stderr, done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        pytest.param(
            ["--backend", "stranger", "-k", "float64 and (softmax or mean)"],
            0,
            "4 passed, 8 skipped",
            marks=pytest.mark.exhaustive,  # what fails is found often
        ),
        (
            [
                "--backend",
                "stranger:wrong",
                "--dtype",
                "float64",
                "-k",
                "test_case and (sigmoid or relu-)",
            ],
            1,
            "1 failed",
        ),
        (["--backend", "strager"], 4, "did you mean 'stranger'?"),
        (["--backend", "stranger", "--dtype", "float33"], 4, "expected some of float64"),
        ([], 4, "say which backend"),
    ],
)
def test_pytest_asks_the_same(stranger, tmp_path, options, code, words):
    done = run_pytest(tmp_path, "--pyargs", "dnnbench.testing", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr, done.stdout + done.stderr


@pytest.mark.slow
def test_other_sessions_of_pytest_are_left_alone(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    assert run_pytest(tmp_path, ".").returncode == 0
    assert (
        "unrecognized arguments: --backend"
        in run_pytest(tmp_path, ".", "--backend", "numpy").stderr
    )
