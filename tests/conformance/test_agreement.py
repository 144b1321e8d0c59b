"""Every op, loss and optimizer in every backend against the NumPy reference in float64."""

import pytest
from dnnbench.plugins.discovery import plugins
from dnnbench.run.agreement import Exam, ensure_references
from dnnbench.testing.cases import CASES, batches_of, missing_ops

DEFAULT = [(name, info.default_mode) for name, info in plugins().backends.items()]
OTHER = [(name, mode) for name, info in plugins().backends.items() for mode in info.modes if mode != info.default_mode]
DTYPES = ("float64", "float32")


def in_group(arms, cases):
    """A test for each arm, case and type; all of an arm in one pytest process, which starts its worker once."""
    return [
        pytest.param(
            backend,
            mode,
            case,
            dtype,
            marks=pytest.mark.xdist_group(f"{backend}:{mode}"),
            id=f"{backend}-{mode}-{case}-{dtype}",
        )
        for backend, mode in arms
        for case in cases
        for dtype in DTYPES
        if not compiled_alike(backend, case, dtype)
    ]


def compiled_alike(backend, case, dtype):
    """XLA hands float32 products and convolutions to other libraries, but makes all else by the code that float64 tests;
    its compiler is too slow to be asked twice."""
    return backend == "jax" and dtype == "float32" and not case.startswith(("dense", "conv2d", "everything"))


def worst(workers, backend, mode, case, dtype):
    """The worst row of a check, asked exactly as `dnnbench check` asks."""
    workload = CASES[case]()
    exam = Exam(workload, tuple(batches_of(workload)), (1, 5), seed=0)
    ensure_references([exam])
    rows = workers.get(backend, mode, dtype).call("check", 600, dtype=dtype, **exam.questions())
    assert len({row["kind"] for row in rows}) >= 8, "kinds of tensor that were compared"
    return max(rows, key=lambda row: row["ratio"])


def test_the_cases_cover_every_op():
    assert not missing_ops()


def test_there_are_arms_and_cases():
    assert len(DEFAULT) >= 4 and len(OTHER) >= 4 and len(CASES) >= 39


@pytest.mark.parametrize(
    ("backend", "mode", "case", "dtype"), in_group(DEFAULT, [c for c in CASES if c != "everything"])
)
def test_default_modes_agree_on_every_case(workers, backend, mode, case, dtype):
    row = worst(workers, backend, mode, case, dtype)
    assert row["ok"], row


@pytest.mark.parametrize(("backend", "mode", "case", "dtype"), in_group([*DEFAULT, *OTHER], ["everything"]))
def test_every_mode_agrees_on_everything(workers, backend, mode, case, dtype):
    row = worst(workers, backend, mode, case, dtype)
    assert row["ok"], row
