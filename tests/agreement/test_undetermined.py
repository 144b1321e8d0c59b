"""What a precision does not determine, or no finite reference, is not compared, and said."""

from dataclasses import replace

import numpy as np
import pytest
from dnnbench.agreement.check import summarise
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.divergence import undetermined_trajectories
from dnnbench.agreement.keys import Group, TensorKey
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.status import Status
from dnnbench.protocol.arm import Arm
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend
from helpers.comparing import LOSS, PREDICTION, checked, compared, copied


def restless(dtype):
    """A network whose honest evaluations lie far apart after five steps:
    sigma is made as large as the way.
    """
    workload, reference, seen = checked(dtype=dtype)
    far = {
        k: float(np.sqrt(np.mean(np.square(r))))
        if (k.group, k.step) == (Group.WEIGHTS, 5)
        else reference.sigma[k]
        for k, r in reference.tensors.items()
    }
    return workload, replace(reference, sigma=far), copied(seen)


def test_what_a_precision_does_not_determine_is_not_compared_and_told():
    workload, reference, seen = restless("float32")
    for key in (
        "momentum@5/slots/velocity/logits.weight",
        "momentum@1/slots/velocity/logits.weight",
    ):
        seen[key] *= 3
    by_key = compared(reference, seen, workload, "float32")
    assert by_key["momentum@5/slots/velocity/logits.weight"].status is Status.UNDETERMINED
    assert not by_key["momentum@1/slots/velocity/logits.weight"].ok
    rows = {(row.kind, row.optimizer): row for row in summarise(list(by_key.values()))}
    assert rows["undetermined@5", "momentum"].ok
    assert "by 100% of the way that the weights went" in rows["undetermined@5", "momentum"].reason
    assert ("weights@5", "momentum") not in rows
    assert ("weights@1", "momentum") in rows


@pytest.mark.parametrize(
    ("dtype", "key", "ok"),
    [
        ("float32", "adam@5/weights/logits.weight", True),
        ("float32", "adam@5/slots/first_moment/logits.weight", True),
        ("float32", "adam@1/weights/logits.weight", False),
        ("float32", "gradients/logits.weight", False),
        ("float64", "adam@5/weights/logits.weight", False),
    ],
)
def test_from_the_second_step_on_the_flipped_evaluation_is_an_honest_one(dtype, key, ok):
    """Three of its errors off: where it stands for rule 5 alone, two of them are too many."""
    workload, reference, seen = checked(dtype=dtype)
    at = TensorKey.parse(key)
    flipped = 0.01 * float(np.sqrt(np.mean(np.square(reference.tensors[at]))))
    tying = replace(reference, sigma_kink=reference.sigma_kink | {at: flipped})
    off = copied(seen) | {key: reference.tensors[at] + 3 * flipped}
    if at.group is not Group.WEIGHTS:
        off[key] = off[key].astype(dtype)
    assert compared(tying, off, workload, dtype)[key].ok is ok


def test_where_a_choice_that_nearly_ties_decides_the_way_nothing_is_determined():
    workload, reference, seen = restless("float32")
    tying = replace(reference, sigma=checked(dtype="float32")[1].sigma, sigma_kink=reference.sigma)
    by_key = compared(tying, seen, workload, "float32")
    assert by_key["momentum@5/weights/logits.weight"].status is Status.UNDETERMINED


def test_what_is_not_finite_is_found_there_too():
    workload, reference, seen = restless("float32")
    seen["momentum@5/weights/logits.weight"][0] = np.nan
    by_key = compared(reference, seen, workload, "float32")
    assert not by_key["momentum@5/weights/logits.weight"].ok


def test_in_float64_everything_is_determined():
    workload, reference, seen = restless("float64")
    seen["adam@5/slots/first_moment/logits.weight"] *= 3
    by_key = compared(reference, seen, workload, "float64")
    assert not any(f.status is Status.UNDETERMINED for f in by_key.values())
    assert not by_key["adam@5/slots/first_moment/logits.weight"].ok


@pytest.mark.parametrize("honest", ["sigma", "peak"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_without_a_finite_honest_error_nothing_is_compared_and_nothing_agrees(honest, value):
    """An infinite allowance would let anything pass, and `max` passes over a NaN that does
    not come first.
    """
    workload, reference, seen = checked(dtype="float16")
    key = TensorKey(Group.OUTPUTS, "logits")
    broken = replace(reference, **{honest: getattr(reference, honest) | {key: value}})
    by_key = {c.key: c for c in compare(broken, seen, workload, "float16")}
    assert by_key[key].status is Status.NOT_COMPARED
    assert not by_key[key].ok


def test_a_reference_that_is_not_finite_decides_nothing_and_that_is_no_difference():
    workload, reference, seen = checked(dtype="float32")
    key = TensorKey.parse("gradients/logits.bias")
    logits = TensorKey(Group.OUTPUTS, workload.model.outputs[0], Phase.INFER)
    tensors = reference.tensors | {
        k: np.full_like(reference.tensors[k], np.nan) for k in (key, logits)
    }
    broken = replace(reference, tensors=tensors)
    by_key = {c.key: c for c in compare(broken, seen, workload, "float32")}
    assert by_key[key].status is Status.NOT_COMPARED
    assert "decides nothing" in by_key[key].reason
    assert by_key[PREDICTION].status is Status.NOT_COMPARED, (
        "a class has no truth where the logits have none"
    )


def test_evaluations_that_are_not_finite_determine_nothing():
    _, reference, _ = restless("float32")
    of_weights = [key for key in reference.sigma if key.group is Group.WEIGHTS]
    lost = {key: np.nan for key in of_weights if key.trajectory == ("momentum", 5)}
    broken = replace(reference, sigma=reference.sigma | lost)
    assert ("momentum", 5) in undetermined_trajectories(broken)


def test_the_honest_error_is_nan_where_any_evaluation_is(monkeypatch):
    """Whichever of the three it is: Python's `max` tells it only of the first."""
    workload, batches = CASES["dense"](), batches_of(CASES["dense"]())
    for broken in ("blocked", "reversed"):

        def build_in(mode, dtype, broken=broken):
            weights = initial_weights(workload.model, 0)
            if mode == broken:
                weights = {name: np.full_like(value, np.nan) for name, value in weights.items()}
            return lambda w: NumpyBackend().build(w, weights, Arm("numpy", mode, dtype=dtype))

        reference = make_reference(build_in, workload, batches, (1,), "float32")
        assert np.isnan(reference.sigma[LOSS]), broken
        assert np.isnan(reference.peak[LOSS]), broken
