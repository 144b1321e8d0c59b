"""Norms of equal values: honest kernels leave rounding where the exact answer is the bias:
docs/agreement.md, rule 10.
"""

from functools import cache
from pathlib import Path

import numpy as np
import pytest
from dnnbench.agreement.check import UNDETERMINED, check
from dnnbench.agreement.level import level_norms
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.reference_files import load_reference, save_reference
from dnnbench.agreement.status import Status
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.data.dataset import load
from dnnbench.execution.agreement_rows import AgreementRow, undetermined
from dnnbench.execution.checking import check_request
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.builder import Builder
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench_numpy import gradients, norms, ops, products
from dnnbench_numpy.backend import NumpyBackend
from helpers.in_this_process import TORCH

INPUTS = Path(__file__).parents[1] / "inputs"
FILES = ("bn1.toml", "one.toml", "bnconst.json")
DTYPES = ("float64", "float32")
pytestmark = [TORCH, pytest.mark.slow]


@pytest.fixture(autouse=True)
def beside_the_data(monkeypatch):
    monkeypatch.chdir(INPUTS)


def build(backend, request, mode, dtype):
    weights = initial_weights(request.workload.model, 0)
    return lambda variant: backend().build(variant, weights, Arm(backend.name, mode, dtype=dtype))


@cache
def reference_of(file, dtype):
    workload = find_workload(file)
    request = check_request(workload, load(workload), 0)
    reference = make_reference(
        lambda mode, study: build(NumpyBackend, request, mode, study),
        workload,
        request.batches,
        request.steps,
        dtype,
    )
    return request, reference


def rows_of(file, dtype, backend=NumpyBackend):
    request, reference = reference_of(file, dtype)
    program = build(backend, request, "eager", dtype)
    return check(program, request.workload, dtype, reference, request.batches, request.steps)


def unjudged(rows):
    return sum(row.tensors for row in rows if row.status is Status.UNDETERMINED)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("file", FILES)
def test_pytorch_s_batch_norm_of_equal_values_agrees(file, dtype):
    from dnnbench_torch.backend import TorchBackend

    wrong = [row for row in rows_of(file, dtype, TorchBackend) if not row.ok]
    assert not wrong


def in_training(change):
    """Batch norms compute with another op in training alone: inference would show it by itself."""

    def plant(monkeypatch):
        forward, backward, inference = ops.batch_norm_training, gradients.batch_norm, ops.batch_norm

        def planted(op, *arguments, **named):
            with monkeypatch.context() as patch:
                patch.setattr(ops, "batch_norm", lambda op, *a: inference(change(op), *a))
                return forward(op, *arguments, **named)

        monkeypatch.setattr(ops, "batch_norm_training", planted)
        monkeypatch.setattr(
            gradients, "batch_norm", lambda op, *a, **k: backward(change(op), *a, **k)
        )

    return plant


def epsilon_times(factor):
    return lambda op: op.model_copy(update={"epsilon": op.epsilon * factor})


def ten_times_the_epsilon(monkeypatch):
    honest = ops.batch_norm
    monkeypatch.setattr(
        ops, "batch_norm", lambda op, *a, **k: honest(epsilon_times(10)(op), *a, **k)
    )


def mean_off(monkeypatch):
    honest = norms.moments

    def planted(x, axes):
        mean, variance = honest(x, axes)
        return mean * (1 + 1e-6), variance

    monkeypatch.setattr(norms, "moments", planted)
    monkeypatch.setattr(ops, "moments", planted)


def tie_to_the_right(monkeypatch):
    honest = gradients.relu
    monkeypatch.setattr(
        gradients, "relu", lambda op, g, y, x: honest(op, g, y, np.where(x == 0, 1, x))
    )


@pytest.mark.parametrize(
    ("file", "plant"),
    [
        *((file, ten_times_the_epsilon) for file in FILES),
        *((file, mean_off) for file in FILES),
        *((file, in_training(epsilon_times(1.01))) for file in ("one.toml", "bnconst.json")),
    ],
)
def test_what_is_wrong_is_caught_there(monkeypatch, file, plant):
    reference_of(file, "float64")
    plant(monkeypatch)
    assert any(row.status is Status.DIFFERS for row in rows_of(file, "float64"))


@pytest.mark.parametrize("plant", [tie_to_the_right, in_training(epsilon_times(10))])
@pytest.mark.parametrize("dtype", DTYPES)
def test_what_rounding_decides_is_told_as_not_judged(monkeypatch, dtype, plant):
    """Over a single value a norm is its bias, whatever epsilon, and the relu on it ties."""
    reference_of("bn1.toml", dtype)
    plant(monkeypatch)
    rows = [row for row in rows_of("bn1.toml", dtype) if row.status is Status.UNDETERMINED]
    assert rows[0].kind == UNDETERMINED
    assert rows[0].tensor == "gradients/bn.bias"
    assert "behind equal values in bn rounding decides them" in rows[0].reason


def test_no_more_is_left_unjudged_than_hangs_on_the_tie():
    rows = rows_of("bn1.toml", "float64")
    assert (unjudged(rows), sum(row.tensors for row in rows)) == (28, 140)
    assert [unjudged(rows_of(file, "float64")) for file in ("one.toml", "bnconst.json")] == [0, 0]


def test_the_sentence_counts_them():
    rows = [
        AgreementRow("numpy:eager", "bn1", "float64", row) for row in rows_of("bn1.toml", "float64")
    ]
    decides = "behind equal values in bn rounding decides them"
    assert undetermined(rows)[:2] == [
        f"bn1 float64: not judged here: of the gradients 1 tensor: {decides}",
        f"bn1 float64: not judged here: of what step 1 of sgd leaves 2 tensors: {decides}",
    ]


def test_the_command_says_what_is_not_judged(capsys):
    assert main(["check", "bn1.toml", "--backend", "numpy", "--dtype", "float64"]) == exitcodes.OK
    assert "bn1 float64: not judged here: of the gradients 1 tensor:" in " ".join(
        capsys.readouterr().err.split()
    )


def normed(kind, shape, **attributes):
    net = Builder("normed")
    model = net.build(getattr(net, kind)(net.input("x", shape), name="norm", **attributes))
    return Workload(name="normed", model=model, batch_size=3)


@pytest.mark.parametrize(
    ("workload", "axes"),
    [
        (normed("batch_norm", (4, 5, 6)), (0, 1, 2)),
        (normed("layer_norm", (4, 6)), (2,)),
        (normed("group_norm", (4, 5, 6), groups=3), (1, 2, 3)),
    ],
)
def test_a_norm_is_level_where_it_takes_equal_values_together(workload, axes):
    x = (
        np.random.default_rng(0)
        .normal(size=(3, *workload.model.inputs[0].shape))
        .astype(np.float32)
    )
    weights = initial_weights(workload.model, 0)

    def level(values):
        targets = np.zeros((3, *workload.target.shape), np.float32)
        program = NumpyBackend().build
        return level_norms(
            lambda w: program(w, weights, Arm("numpy", "eager")),
            workload,
            Batch({"x": values}, targets),
        )

    assert level(x) == ()
    assert level(np.broadcast_to(x.mean(axis=axes, keepdims=True), x.shape).copy()) == ("norm",)


@pytest.mark.parametrize("order", ["straight", "blocked", "reversed"])
@pytest.mark.parametrize("count", [1, 3, 8, 100])
def test_studies_round_the_mean_of_equal_values_and_of_no_others(order, count):
    equal = np.full((count, 1), 37.3)
    spread = equal + np.linspace(-1, 1, count + 1)[:-1, None] if count > 1 else equal
    side = {"straight": 0, "blocked": 1, "reversed": -1}[order]
    honest = equal.mean(axis=0), spread.mean(axis=0)
    with products.summation(order):
        found = norms.moments(equal, (0,))[0][0], norms.moments(spread, (0,))[0][0]
    u = np.finfo(np.float64).eps / 2
    rounding = side * u * (1 + count / norms.SUMMED) * 37.3
    np.testing.assert_allclose(found[0] - honest[0], rounding, rtol=0, atol=np.spacing(37.3))
    assert count == 1 or found[1] == honest[1]


def test_the_rounding_of_a_mean_does_not_grow_unseen():
    """A smaller divisor weakens every check behind equal values:
    do it here too, with the measurement that asks for it.
    """
    assert norms.SUMMED >= 8


def test_a_written_reference_keeps_the_names(tmp_path):
    _, reference = reference_of("bn1.toml", "float64")
    save_reference(reference, tmp_path / "r.npz")
    assert reference.level == load_reference(tmp_path / "r.npz").level == ("bn",)
