"""docs/onnx.md: its commands run, and its Python needs nothing but ONNX Runtime and NumPy."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.execution.weights_file import load_weights
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench_numpy.backend import NumpyBackend

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "onnx.md").read_text()
EXPORT, _ = PAGE.split("## ONNX Runtime as a contender")
COMMANDS = re.findall(r"^    dnnbench (.*)$", EXPORT, re.M)
[CODE] = re.findall(r"```python\n(.*?)```", PAGE, re.S)
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("onnx page")]


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    """What the page's Python leaves, after its commands; and the folder where they ran."""
    folder = tmp_path_factory.mktemp("page")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert [main(shlex.split(command)) for command in COMMANDS] == [0] * len(COMMANDS)
        scope = {}
        exec(CODE, scope)
    return folder, scope


def reference(folder, images):
    workload = find_workload("mlp_digits")
    weights = load_weights(folder / "mlp.safetensors", workload)
    arm = Arm("numpy", "eager", dtype="float64")
    program = NumpyBackend().build(workload, weights, arm, 0)
    labels = np.zeros(len(images), np.int32)
    return program.get(program.infer(program.put(Batch({"image": images}, labels))))


def test_there_is_something_to_run():
    assert len(COMMANDS) == 2


def test_trained_weights_answer_as_they_were_trained(done):
    folder, scope = done
    wanted = reference(folder, scope["images"])["outputs/logits"]
    np.testing.assert_allclose(scope["logits"], wanted, rtol=1e-5, atol=1e-5 * abs(wanted).max())


def test_the_classes_are_the_same(done):
    _, scope = done
    assert scope["prediction"].tolist() == scope["logits"].argmax(axis=-1).tolist()


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)]+)\)", PAGE))
def test_every_link_leads_somewhere(link):
    assert (ROOT / "docs" / link.partition("#")[0]).exists()
