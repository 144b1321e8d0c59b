"""`dnnbench run` with ONNX Runtime: inference is timed; a row says why there is no training."""

import pytest
from dnnbench.store.store import open_store
from helpers.running import FAST, TINY, dnnbench

pytestmark = [pytest.mark.xdist_group("run"), pytest.mark.slow]
ARM = "onnxruntime:full"
REASON = "ONNX Runtime infers what others have trained"


@pytest.fixture(scope="module")
def measured(tmp_path_factory, cache):
    """(output, cells, facts by cell) of a run beside NumPy."""
    folder = tmp_path_factory.mktemp("onnxruntime")
    (folder / "tiny.toml").write_text(TINY)
    phases = ("--phase", "infer,train_step")
    done = dnnbench(folder, "run", "tiny.toml", "--backend", "numpy,onnxruntime", *phases, *FAST)
    assert done.returncode == 0, done.stderr
    with open_store(folder / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        return done, {(row.arm, row.phase): row for row in cells.itertuples()}


def test_its_inference_is_timed(measured):
    _, cells = measured
    assert cells[ARM, "infer"].status == "ok"


def test_its_training_is_unsupported_with_its_reason(measured):
    _, cells = measured
    assert (cells[ARM, "train_step"].status, cells[ARM, "train_step"].reason) == (
        "unsupported",
        REASON,
    )


def test_a_row_says_why_there_is_no_training(measured):
    done, _ = measured
    assert f"{ARM} on tiny/4, training: {REASON}" in " ".join(done.stdout.split())
