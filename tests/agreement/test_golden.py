"""The NumPy reference against values that another formula gave:
mpmath in 60 digits, and central differences of it.
"""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dnnbench.agreement.keys import as_texts, keyed
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.losses import BceWithLogits, CrossEntropy, Mse
from dnnbench.spec.ops import OPS
from dnnbench.spec.optimizers import Adam, AdamW, Momentum, Nesterov, Rmsprop, Sgd
from dnnbench.spec.phases import Phase
from dnnbench.spec.workload import Workload
from dnnbench_numpy.backend import NumpyBackend

FOLDER = Path(__file__).parents[1] / "golden"
MANIFEST = json.loads((FOLDER / "manifest.json").read_text())
FAMILIES = [name.removesuffix(".json") for name in MANIFEST if name.endswith(".json")]
CASES = {
    name: case
    for family in FAMILIES
    for name, case in json.loads((FOLDER / f"{family}.json").read_text()).items()
}
LOSSES = {loss.model_fields["kind"].default for loss in (CrossEntropy, BceWithLogits, Mse)}
OPTIMIZERS = {
    o.model_fields["kind"].default for o in (Sgd, Momentum, Nesterov, Rmsprop, Adam, AdamW)
}


def test_every_file_is_as_it_was_frozen():
    there = {path.name for path in FOLDER.iterdir() if path.suffix in (".json", ".csv")} - {
        "manifest.json"
    }
    assert there == set(MANIFEST)
    assert len(FAMILIES) >= 9
    for name, expected in MANIFEST.items():
        assert hashlib.sha256((FOLDER / name).read_bytes()).hexdigest() == expected, name


def test_every_op_loss_and_optimizer_has_its_values():
    workloads = [case["workload"] for case in CASES.values()]
    assert {node["op"]["kind"] for w in workloads for node in w["model"]["nodes"]} == set(OPS)
    assert {w["task"]["loss"]["kind"] for w in workloads} == LOSSES
    assert {
        case["workload"]["task"]["optimizer"]["kind"] for case in CASES.values() if "steps" in case
    } == OPTIMIZERS
    assert len(CASES) >= 90


def test_the_script_makes_what_is_frozen(tmp_path):
    """One family anew, by the script itself; `make.py` without a name does all of them."""
    code = (
        f"import sys; sys.path.insert(0, {str(FOLDER)!r})\n"
        "from make import document\nprint(document('dense'), end='')"
    )
    made = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=tmp_path
    )
    assert made.stdout == (FOLDER / "dense.json").read_text()


def program_of(case):
    weights = {name: np.array(array) for name, array in case["weights"].items()}
    return NumpyBackend().build(
        Workload.model_validate(case["workload"]), weights, Arm("numpy", "eager", dtype="float64")
    )


def batch_of(inputs, targets, masks=None):
    def arrays(lists):
        return {name: np.array(array) for name, array in lists.items()}

    return Batch(arrays(inputs), np.array(targets), arrays(masks or {}))


def computed(case):
    """What the reference makes of a case, by the keys under which its values are frozen."""
    program = program_of(case)
    placed = program.put(batch_of(**case["batch"]))
    found = as_texts(keyed(program.get(program.infer(placed)), Phase.INFER))
    found |= program.get(program.gradients(placed))
    found |= {f"cotangents/{name}": array for name, array in program.cotangents(placed).items()}
    for t, step in enumerate(case.get("steps", ()), 1):
        program.train_step(program.put(batch_of({"x1": step["x1"]}, step["targets"])))
        found |= {f"{t}/weights/{name}": array for name, array in program.weights().items()}
        found |= {f"{t}/slots/{name}": array for name, array in program.optimizer_state().items()}
    return found


def worst(case, found):
    """(largest error as a share of the tensor's largest element, and of 1 at least; the tensor)"""
    errors = {}
    for key, expected in case["expected"].items():
        e = np.array(expected)
        assert found[key].shape == e.shape, key
        assert np.all(np.isfinite(found[key])), key
        errors[key] = float(np.max(np.abs(found[key] - e)) / max(1.0, np.max(np.abs(e))))
    return max((error, key) for key, error in errors.items())


@pytest.mark.parametrize("name", CASES)
def test_the_reference_agrees(name):
    error, key = worst(CASES[name], computed(CASES[name]))
    assert error <= 1e-12, f"{key} is off by {error:.1e}"


@pytest.mark.parametrize("name", CASES)
def test_the_comparison_sees_a_millionth(name):
    """In every tensor of every case that is not zero."""
    case = CASES[name]
    frozen = {key: np.array(expected) for key, expected in case["expected"].items()}
    for key, e in frozen.items():
        if np.any(np.abs(e) > 1e-3):
            assert not worst(case, frozen | {key: e * (1 + 1e-6)})[0] <= 1e-12, key
