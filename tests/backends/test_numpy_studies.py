"""The reference's studies: other orders of summation, close choices flipped,
narrower types emulated.
"""

import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.weights import generator, initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy import choices, products, program, rounding
from dnnbench_numpy.backend import NumpyBackend

LOW = ("bfloat16", "float16", "mixed_bfloat16", "mixed_float16")
UNIT = {"bfloat16": 2.0**-8, "float16": 2.0**-11, "tf32": 2.0**-11}


def draw(*shape):
    return generator(0, "studies").normal(size=shape)


def built(case, dtype):
    workload = CASES[case]()
    weights = initial_weights(workload.model, 0)
    return NumpyBackend().build(workload, weights, Arm("numpy", "eager", dtype=dtype)), batches_of(
        workload
    )


STACKS = [
    ((5, 40), (40, 3)),
    ((2, 3, 5, 300), (2, 3, 300, 4)),
    ((2, 6, 7), (7, 3)),
    ((1, 9), (9, 1)),
]


@pytest.mark.parametrize("order", ["straight", "blocked", "reversed"])
@pytest.mark.parametrize(("left", "right"), STACKS)
def test_every_order_sums_every_element_once(order, left, right):
    a, b = np.rint(10 * draw(*left)), np.rint(10 * draw(*right))
    with products.summation(order):
        assert np.array_equal(products.matmul(a, b), np.einsum("...nk,...km->...nm", a, b))


@pytest.mark.parametrize("order", ["straight", "blocked", "reversed"])
def test_weighted_sums_too(order):
    arrays, weights = list(np.rint(10 * draw(7, 2, 3, 4))), np.rint(10 * draw(7, 4))
    with products.summation(order):
        assert np.array_equal(
            products.weighted_sum(arrays, weights),
            np.einsum("knij,kj->nij", np.stack(arrays), weights),
        )


@pytest.mark.parametrize("order", ["blocked", "reversed"])
@pytest.mark.parametrize(("left", "right"), STACKS[:2])
def test_another_order_rounds_otherwise(order, left, right):
    a, b = (draw(*shape).astype(np.float32) for shape in (left, right))
    straight = products.matmul(a, b)
    with products.summation(order):
        other = products.matmul(a, b)
    assert other.dtype == np.float32
    assert 0 < np.abs(other - straight).max() < 1e-4


def test_close_choices_are_flipped_and_exact_ties_stay():
    x = np.array([[-1, -1e-9, 0, 1e-9, 1.0]])
    assert choices.above(x).tolist() == [[False, False, False, True, True]]
    near_six = np.array([6 - 1e-9, 6.0, 6 + 1e-9, 3.0])
    row = np.array([[1, 1 + 1e-9, 0.5], [1, 1, 0.5], [3, 2, 1.0]])
    assert choices.place_of_largest(row, 1).ravel().tolist() == [1, 0, 0]
    with choices.flipped():
        assert choices.above(x).tolist() == [[False, True, False, False, True]]
        assert choices.below(near_six, 6).tolist() == [False, False, True, True]
        assert choices.place_of_largest(row, 1).ravel().tolist() == [0, 0, 0]
        assert [m.tolist() for m in choices.first_largest(list(row.T), row.max(axis=1))] == [
            [True] * 3,
            [False] * 3,
            [False] * 3,
        ]


def rounded_by_fractions(x, bits):
    """Nearest number with so many significant bits, ties to even:
    by scaling, not by bit patterns.
    """
    fraction, exponent = np.frexp(x.astype(np.float64))
    return np.ldexp(np.rint(np.ldexp(fraction, bits)), exponent - bits)


def test_bfloat16_is_rounded_to_nearest_even():
    x = np.concatenate([draw(1000), [1 + 2**-8, 1 + 3 * 2**-8, -1 - 2**-8, 0, -3e38]]).astype(
        np.float32
    )
    assert np.array_equal(rounding.cast(x, "bfloat16"), rounded_by_fractions(x, 8))


def test_tf32_rounds_what_products_read_and_nothing_else():
    a, b = draw(4, 6).astype(np.float32), draw(6, 3).astype(np.float32)
    with rounding.computing("tf32"):
        product = products.matmul(a, b)
    exact = rounded_by_fractions(a, 11) @ rounded_by_fractions(b, 11)
    assert np.abs(product - exact).max() < 1e-5 < np.abs(product - a @ b).max()
    assert np.array_equal(rounding.cast(a, "tf32"), a)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_what_is_not_finite_stays_so(dtype):
    x = np.array([np.inf, -np.inf, np.nan, 3.4e38], np.float32)
    assert np.array_equal(
        rounding.cast(x, dtype), np.array([np.inf, -np.inf, np.nan, np.inf]), equal_nan=True
    )


@pytest.mark.parametrize("dtype", LOW)
def test_values_and_gradients_lie_on_the_grid_of_the_narrow_type(dtype):
    narrow = dtype.removeprefix("mixed_")
    narrow_program, batches = built("conv2d_twice", dtype)
    batch = narrow_program.put(batches[0])
    scale = 1024 if narrow == "float16" else 1
    gradients = {
        name: scale * g for name, g in narrow_program.gradients(batch)["gradients"].items()
    }
    for name, values in (narrow_program.activations(batch) | gradients).items():
        assert values.dtype == np.float32
        assert np.array_equal(rounding.cast(values, narrow), values), name


@pytest.mark.parametrize("dtype", LOW)
@pytest.mark.parametrize("case", ["everything", "lstm", "attention_masked", "embedding"])
def test_the_error_is_that_of_the_narrow_type(case, dtype):
    (narrow, batches), (exact, _) = built(case, dtype), built(case, "float64")
    result, truth = (p.get(p.gradients(p.put(batches[0]))) for p in (narrow, exact))
    u = UNIT[dtype.removeprefix("mixed_")]
    for key in ("outputs/logits", "gradients/logits.weight"):
        error = np.sqrt(np.mean(np.square(result[key] - truth[key]))) / np.sqrt(
            np.mean(np.square(truth[key]))
        )
        assert u / 100 < error < 20 * u, key


def test_weights_stay_float32_masters():
    narrow, batches = built("dense", "bfloat16")
    before = narrow.weights()["dense1.weight"]
    narrow.train_step(narrow.put(batches[0]))
    after = narrow.weights()["dense1.weight"]
    assert after.dtype == np.float32
    assert not np.array_equal(after, rounding.cast(after, "bfloat16"))
    assert not np.array_equal(after, before)


def test_a_step_with_infinite_gradients_is_skipped_whole():
    narrow, batches = built("adam", "float16")
    first = batches[0]
    huge = Batch(
        {name: array * np.float32(1e6) for name, array in first.inputs.items()}, first.targets
    )
    before = narrow.weights() | narrow.optimizer_state()
    with np.errstate(invalid="ignore"):
        narrow.train_step(narrow.put(huge))
    after = narrow.weights() | narrow.optimizer_state()
    assert all(np.array_equal(before[name], after[name]) for name in before)
    fresh, _ = built("adam", "float16")
    for p in (narrow, fresh):
        p.train_step(p.put(first))
    assert all(np.array_equal(a, fresh.weights()[name]) for name, a in narrow.weights().items())


def test_the_scale_of_the_loss_lifts_small_gradients(monkeypatch):
    """Gradients of 1e-7 are lost in float16, but not when the loss is scaled."""

    def error():
        (narrow, batches), (exact, _) = built("mse", "float16"), built("mse", "float64")
        weights = {name: array * np.float32(1e-3) for name, array in exact.weights().items()}
        gradients = []
        for p in (narrow, exact):
            p.load(weights)
            first = batches[0]
            near = Batch(first.inputs, first.targets * np.float32(1e-5))
            gradients.append(p.gradients(p.put(near))["gradients"]["dense1.weight"])
        return np.abs(gradients[0] - gradients[1]).max() / np.abs(gradients[1]).max()

    scaled = error()
    monkeypatch.setattr(program, "LOSS_SCALE", 1.0)
    assert scaled < 0.1 < error()


def test_types_without_arithmetic_are_refused_with_a_reason():
    workload = CASES["dense"]()
    reasons = {
        d: NumpyBackend().capabilities(workload, Arm("numpy", "eager", dtype=d)).refusal
        for d in (*LOW, "float32")
    }
    assert reasons.pop("float32") is None
    assert all(f"no arithmetic in {dtype}" in reason for dtype, reason in reasons.items())
