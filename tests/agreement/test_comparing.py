"""The agreement rule itself: its constants are capped, and each of its clauses can fail."""

from dataclasses import replace

import numpy as np
import pytest
from dnnbench.agreement.allowances import BUDGET, CHECK_BATCH, STEPS, UNIT, Budget
from dnnbench.agreement.check import check_steps, summarise
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.deviation import rms
from dnnbench.agreement.keys import Group, TensorKey, gradient_of
from dnnbench.agreement.observing import optimizers_to_check
from dnnbench.agreement.status import Status
from dnnbench.protocol.precision import PRECISIONS
from dnnbench.testing.cases import CASES
from helpers.comparing import checked, compared, copied

CAPS = Budget(
    noise=10,
    noise_small=30,
    small=10,
    floor=4,
    exact=64,
    local=30,
    kink=2,
    floor_low=1,
    apart=0.5,
    moved=1e3,
    work_flops=2e10,
    many_flops=1e8,
    whole_flops=2e10,
    whole_bytes=2**30,
    parts_flops=1e11,
    far=1e3,
    decided_loss=1e-3,
)


@pytest.mark.parametrize("name", Budget._fields)
def test_no_constant_grows_unseen(name):
    """Raising one weakens every check: do it here too, with the measurement that asks for it
    in docs/agreement.md.
    """
    assert getattr(BUDGET, name) <= getattr(CAPS, name)


def test_types_steps_and_batch():
    assert UNIT["float64"] == 2.0**-53
    assert UNIT["float32"] == 2.0**-24
    assert UNIT.keys() == PRECISIONS.keys()
    assert max(UNIT.values()) == UNIT["bfloat16"] == 2.0**-8
    assert STEPS == (1, 5)
    assert CHECK_BATCH == 4


def comparisons(change, dtype="float64", case="batch_norm"):
    """By text of the key, after a change to what an honest program was observed to compute,
    by text too.
    """
    workload, reference, seen = checked(case, dtype)
    observed = copied(seen)
    change(observed)
    return compared(reference, observed, workload, dtype)


def put(key, value, at=0):
    def change(observed):
        observed[key].reshape(-1)[at] = value

    return change


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        (lambda o: o.pop("loss"), "loss", "missing"),
        (put("outputs/logits", np.nan), "outputs/logits", "not finite"),
        (put("gradients/logits.bias", np.inf), "gradients/logits.bias", "not finite"),
        (
            lambda o: o.update({"outputs/logits": o["outputs/logits"][:2]}),
            "outputs/logits",
            "shape (2, 5), expected (4, 5)",
        ),
        (
            lambda o: o.update({"outputs/logits": o["outputs/logits"].astype("f4")}),
            "outputs/logits",
            "type float32",
        ),
        (
            lambda o: o["adam@5/weights/logits.weight"].fill(0),
            "adam@5/weights/logits.weight",
            "should have moved",
        ),
        (
            lambda o: o.update({"prediction": (o["prediction"] + 1) % 5}),
            "prediction",
            "another class",
        ),
        (put("gradients/logits.weight", 1.0), "gradients/logits.weight", "rmse"),
    ],
)
def test_each_fault_is_found_where_it_is(change, key, words):
    by_key = comparisons(change)
    assert not by_key[key].ok
    assert words in by_key[key].reason
    assert all(f.ok for k, f in by_key.items() if k != key)


@pytest.mark.parametrize(
    "dtype", [dtype for dtype in UNIT if dtype != "float64"]
)  # that would be itself
def test_honest_tensors_pass(dtype):
    assert all(f.ok for f in comparisons(lambda observed: None, dtype).values())


@pytest.mark.parametrize(("dtype", "error", "ok"), [("float64", 1e-15, True),
                                                    ("float64", 1e-12, False),
                                                    ("float32", 1e-7, True),
                                                    ("float32", 1e-4, False),
                                                    ("bfloat16", 1e-3, True),
                                                    ("bfloat16", 0.5, False)])  # fmt: skip
def test_the_size_of_the_error_decides(dtype, error, ok):
    def scale(observed):
        observed["outputs/logits"] *= 1 + error

    assert comparisons(scale, dtype)["outputs/logits"].ok is ok


@pytest.mark.parametrize("dtype", ("float64", "float32"))
@pytest.mark.parametrize(
    ("key", "power"),
    [
        ("gradients/query.weight", 1),
        ("adam@1/slots/first_moment/key.bias", 1),
        ("adam@5/slots/second_moment/query.weight", 2),
    ],
)
def test_a_gradient_that_is_zero_altogether_may_hold_rounding_and_no_more(dtype, key, power):
    _, reference, _ = checked("single_key", dtype)
    left = UNIT[dtype] * max(
        rms(array) for key, array in reference.tensors.items() if key.group is Group.GRADIENTS
    )
    assert not reference.tensors[TensorKey.parse(key)].any()
    assert left > 0
    for times, ok in ((1, True), (5, True), (100, False), (1e6, False)):
        by_key = comparisons(
            lambda o, size=(times * left) ** power: o[key].fill(size), dtype, "single_key"
        )
        assert by_key[key].ok is ok, (times, by_key[key])
        assert all(f.ok for k, f in by_key.items() if k != key)


def test_a_single_wrong_element_that_the_rmse_hides_is_found():
    """Off by 60 allowances, one element of 8,192 adds only 0.7 allowances to the rmse."""
    workload, reference, seen = checked("wide")
    key = "gradients/wide.weight"

    def with_error(size):
        observed = copied(seen)
        observed[key].reshape(-1)[7] += size
        return compared(reference, observed, workload, "float64")[key]

    allowance = 1e-6 / (BUDGET.local * with_error(1e-6).ratio)
    assert with_error(0).ok
    assert not with_error(60 * allowance).ok
    assert "largest single error" in with_error(60 * allowance).reason
    assert with_error(20 * allowance).ok


def test_the_square_of_a_gradient_of_noise_may_stray_as_its_square():
    """Five sigma off, which the gradient may be, a gradient of rounding alone has a square far more
    than five sigma off.
    """
    workload, reference, seen = checked(dtype="bfloat16")
    gradient = TensorKey.parse("gradients/logits.bias")
    slot = TensorKey.parse("adam@1/slots/second_moment/logits.bias")
    r, optimizer = (
        reference.tensors[gradient],
        next(o for o in optimizers_to_check(workload) if o.kind == "adam"),
    )
    noisy = replace(
        reference,
        tensors=reference.tensors | {gradient: 0 * r, slot: 0 * r},
        sigma=reference.sigma | {gradient: 1e-3, slot: (1 - optimizer.beta2) * 1e-6},
    )

    def of_a_gradient(value):
        observed = seen | {slot: np.full(r.shape, (1 - optimizer.beta2) * value**2, np.float32)}
        return next(c for c in compare(noisy, observed, workload, "bfloat16") if c.key == slot)

    assert of_a_gradient(0.01).ok
    assert not of_a_gradient(1.0).ok


@pytest.mark.parametrize(
    "ratios", [(0.5, np.nan, 9.0), (np.nan, 9.0, 0.5), (9.0, 0.5, np.nan)], ids=str
)
def test_nan_never_agrees_and_is_the_worst_of_its_kind(ratios):
    rows = summarise([TensorComparison(gradient_of(str(ratio)), ratio) for ratio in ratios])
    assert [(row.tensor, row.status) for row in rows] == [("gradients/nan", Status.DIFFERS)]


def test_heavy_work_is_checked_for_two_steps():
    light = CASES["dense"]()
    heavy = CASES["conv2d_same"]()
    nodes = list(heavy.model.nodes)
    nodes[0] = nodes[0].model_copy(
        update={"op": nodes[0].op.model_copy(update={"filters": 400_000})}
    )
    from dnnbench.spec.model import Model

    model = Model(**(heavy.model.model_dump() | {"nodes": [n.model_dump() for n in nodes]}))
    assert check_steps(light) == (1, 5, 12)
    assert check_steps(heavy.model_copy(update={"model": model})) == (1, 2)
