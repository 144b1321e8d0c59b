"""The conformance kit against a third party's backend that is narrow, wrong or dying,
one way a mode.
"""

import json
import os
import subprocess
import sys

import pytest
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.keys import TensorKey
from dnnbench.agreement.status import Status
from dnnbench.errors import UsageError, WorkerError
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.testing.arm_under_test import ArmUnderTest
from dnnbench.testing.case_checker import TOGETHER, CaseChecker, groups_of, workload_of
from dnnbench.testing.cases import CASES
from dnnbench.testing.choosing import everything, those_that_fit
from dnnbench.testing.families import FAMILIES, TRAINING
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.verdicts import case_of, judged, side_of
from helpers.installing import install, installed_here

BACKEND = """
import os
import signal
import time
from dataclasses import replace

import dnnbench_numpy.gradients as gradients
from dnnbench_numpy.backend import NumpyBackend
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench.protocol.capabilities import Capabilities

MODES = ("narrow", "wrong", "dying", "forgetful", "absent", "empty", "waiting")


@hookimpl
def dnnbench_backends():
    return [BackendInfo("stranger", "Stranger", MODES, "narrow", "stranger_plugin:Stranger")]


def kinds(workload):
    return {node.op.kind for node in workload.model.nodes}


def wrong_sigmoid(op, g, y, x):
    return (lambda: g * y * (1 - y) * (1 + 6e-6),), {}


def await_reader():
    for _ in range(600):
        if os.path.exists(os.environ["READ"]):
            return
        time.sleep(0.1)
    raise OSError("nobody read the float64 rows while float32 was still to come")


class Forgetful:
    def __init__(self, program):
        self._program = program

    def infer(self, batch):
        self._program.train_step(batch)
        return self._program.infer(batch)

    def __getattr__(self, name):
        return getattr(self._program, name)


class Stranger:
    def __init__(self):
        self._backend = NumpyBackend()

    def configure(self, arm):
        if arm.mode == "absent":
            raise OSError("no such device")
        if arm.mode == "waiting" and arm.dtype == "float32":
            await_reader()
        if arm.mode == "wrong":
            gradients.sigmoid = wrong_sigmoid

    def capabilities(self, workload, arm):
        if arm.mode == "empty":
            return Capabilities.none("nothing works yet")
        strange = kinds(workload) - {"dense", "flatten", "relu", "softmax"}
        if arm.mode == "narrow" and strange:
            return Capabilities.none(f"no {', '.join(sorted(strange))} here")
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        if arm.mode == "dying" and "tanh" in kinds(workload):
            os.kill(os.getpid(), signal.SIGKILL)
        program = self._backend.build(workload, weights, replace(arm, mode="eager"), seed)
        return Forgetful(program) if arm.mode == "forgetful" else program

    def __getattr__(self, name):
        return getattr(self._backend, name)
"""
FOUR = ("relu", "sigmoid", "tanh", "softmax")


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An installed distribution, as pip would leave it, for every worker of this module."""
    folder = tmp_path_factory.mktemp("stranger")
    install(folder, "stranger", BACKEND)
    with installed_here(folder):
        yield folder


def told(mode, cases=FOUR):
    """(status, reason or tensor) by case and side."""
    checker = CaseChecker(Arm("stranger", mode, dtype="float64"), cases)
    try:
        return {
            (case, side): (verdict.status, verdict.reason, verdict.tensor)
            for case in cases
            for side, verdict in checker.verdicts(case).items()
        }
    finally:
        checker.arm_under_test.close()


def statuses(verdicts):
    return {key: status for key, (status, *_) in verdicts.items()}


ALL_OK = {(case, side): Status.AGREES for case in FOUR for side in ("forward", "gradient")}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mode", "different"),
    [
        (
            "narrow",
            {(c, s): "unsupported" for c in ("sigmoid", "tanh") for s in ("forward", "gradient")},
        ),
        ("wrong", {("sigmoid", "gradient"): Status.DIFFERS}),
        ("dying", {("tanh", side): Status.COULD_NOT_RUN for side in ("forward", "gradient")}),
    ],
)
def test_each_case_gets_its_own_verdict_though_asked_together(stranger, mode, different):
    verdicts = told(mode)
    assert statuses(verdicts) == ALL_OK | different
    reasons = {"narrow": "no sigmoid here", "wrong": "rmse", "dying": "killed by signal 9"}
    for key in different:
        expected = reasons[mode].replace("sigmoid", key[0])
        assert expected in verdicts[key][1], verdicts[key]
    if mode == "wrong":
        assert "dense1" in verdicts["sigmoid", "gradient"][2], "the layer before the sigmoid"


@pytest.mark.parametrize(
    ("mode", "law", "status", "case"),
    [
        ("forgetful", "infer_changes_nothing", "broken", "everything"),
        ("narrow", "infer_changes_nothing", "kept", "relu"),
        ("dying", "put_does_not_alias", "could not run", "everything"),
        ("empty", "restore_goes_back", "unsupported", ""),
    ],
)
def test_laws_are_asked_on_what_the_backend_can_do(stranger, mode, law, status, case):
    arm_under_test = ArmUnderTest(Arm("stranger", mode))
    verdict = law_verdict(arm_under_test, law)
    arm_under_test.close()
    assert (verdict.status, verdict.case) == (status, case), verdict
    assert verdict.reason or status == "kept", verdict


def test_a_backend_that_cannot_start_is_asked_once(stranger):
    arm_under_test = ArmUnderTest(Arm("stranger", "absent"))
    for _ in range(2):
        with pytest.raises(WorkerError, match="no such device") as raised:
            arm_under_test.arms.devices()
    assert arm_under_test._refusal is raised.value


def dnnbench(*arguments):
    command = [sys.executable, "-m", "dnnbench.cli.main", "conformance", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def wrongly_computed(asked):
    """Of some cases those that a wrong sigmoid reaches."""
    return {
        case
        for case in asked
        if any(node.op.kind == "sigmoid" for node in CASES[case]().model.nodes)
    }


@pytest.mark.slow
@pytest.mark.parametrize(
    ("expression", "families"),
    [
        pytest.param(("-k", "activations or restore"), {"activations"}, id="some"),
        pytest.param((), set(FAMILIES.values()), id="all", marks=pytest.mark.exhaustive),
    ],
)
def test_the_command_names_what_is_wrong_and_by_how_much(stranger, expression, families):
    done = dnnbench("stranger:wrong", "--dtype", "float64", "--json", *expression)
    document = json.loads(done.stdout)
    [found] = document["backends"]
    asked = [case for case, family in FAMILIES.items() if family in families]
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
        {"float64": {"softmax", "softmax_of_sequences", "softmax_of_images"}},
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
    done = dnnbench("stranger:narrow", "--dtype", "float64", "--details")
    assert done.returncode == 0, done.stderr
    assert "agrees 0" in done.stdout
    assert "activations" in done.stdout
    assert "infer_changes_nothing" in done.stdout
    assert done.stdout.count("no sigmoid here:") == 1


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


def pytest_of(folder, *arguments):
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, timeout=600, check=False, cwd=folder
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (
            ["--backend", "stranger", "-k", "float64 and (softmax or mean)"],
            0,
            "4 passed, 6 skipped",
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
    done = pytest_of(tmp_path, "--pyargs", "dnnbench.testing", *options)
    assert done.returncode == code, done.stdout + done.stderr
    assert words in done.stdout + done.stderr, done.stdout + done.stderr


def test_other_sessions_of_pytest_are_left_alone(tmp_path):
    (tmp_path / "test_nothing.py").write_text("def test_nothing():\n    pass\n")
    assert pytest_of(tmp_path, ".").returncode == 0
    assert (
        "unrecognized arguments: --backend" in pytest_of(tmp_path, ".", "--backend", "numpy").stderr
    )


def test_groups_hold_every_case_once_and_train_with_one_loss_and_optimizer():
    groups = groups_of(tuple(FAMILIES))
    assert sorted(case for group in groups for case in group) == sorted(FAMILIES)
    assert max(map(len, groups)) <= TOGETHER
    assert all(len(group) == 1 for group in groups if FAMILIES[group[0]] == TRAINING)
    assert {workload_of(group).task.optimizer.kind for group in groups if len(group) > 1} == {"sgd"}


@pytest.mark.parametrize(
    ("key", "side", "case"),
    [
        ("infer/relu.y", "forward", "relu"),
        ("loss/outputs/relu.y", "forward", "relu"),
        ("forward/state/batch_norm.n.mean", "forward", "batch_norm"),
        ("loss", "forward", ""),
        ("prediction", "forward", ""),
        ("gradients/dense.logits.weight", "gradient", "dense"),
        ("sgd@5/weights/dense.logits.bias", "gradient", "dense"),
        ("sgd@1/infer/gru.y", "gradient", "gru"),
        ("momentum@5/slots/velocity/lstm.l.bias", "gradient", "lstm"),
    ],
)
def test_tensors_belong_to_a_side_and_a_case(key, side, case):
    parsed = TensorKey.parse(key)
    assert (side_of(parsed), case_of(parsed)) == (side, case)


def compared(text, *rest):
    return TensorComparison(TensorKey.parse(text), *rest)


@pytest.mark.parametrize(
    ("comparisons", "forward", "gradient"),
    [
        ([], "not compared", "not compared"),
        ([compared("loss", 0.5)], "agrees", "not compared"),
        ([compared("loss", 0.5), compared("gradients/w", float("nan"))], "agrees", "differs"),
        (
            [
                compared("loss", 1.5),
                compared("infer/y", float("nan")),
                compared("gradients/w", 1.0),
            ],
            "differs",
            "agrees",
        ),
        (
            [compared("loss", 0.5), compared("infer/y", float("nan"), "", Status.NOT_COMPARED)],
            "not compared",
            "not compared",
        ),
    ],
)
def test_a_side_without_a_tensor_or_with_nan_does_not_agree(comparisons, forward, gradient):
    verdicts = judged("a", "case", "float64", comparisons, Capabilities())
    assert (verdicts["forward"].status, verdicts["gradient"].status) == (forward, gradient)
