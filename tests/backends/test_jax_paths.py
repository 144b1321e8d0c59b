"""What the JAX backend computes by a path of its own, against XLA's and the spec's."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.spec.optimizers import Sgd, WarmupCosine
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.bench import Bench
from dnnbench_jax import ops, optimizers
from dnnbench_jax.convolution import LAYOUTS, convolve
from dnnbench_jax.program import JaxProgram
from dnnbench_jax.spread import biased

pytestmark = pytest.mark.compiled
GEOMETRIES = [
    # (size, channels, filters, kernel, strides, pads, dilation)
    ((7, 6), 3, 3, (3, 3), (1, 1), ((1, 1), (1, 1)), (1, 1)),
    ((7, 6), 3, 6, (3, 2), (2, 1), ((2, 0), (0, 1)), (1, 2)),
    ((8, 9), 2, 4, (2, 4), (3, 2), ((0, 0), (3, 1)), (2, 1)),
    ((5, 8), 2, 2, (1, 3), (2, 3), ((0, 0), (0, 0)), (1, 2)),
    ((9, 9), 2, 2, (5, 5), (2, 2), ((4, 3), (1, 4)), (1, 1)),
    ((8,), 3, 6, (3,), (2,), ((1, 1),), (2,)),
    ((9,), 4, 4, (4,), (1,), ((0, 2),), (1,)),
]


@pytest.mark.parametrize(
    ("size", "channels", "filters", "kernel", "strides", "pads", "dilation"), GEOMETRIES
)
def test_depthwise_convolutions_are_xlas(size, channels, filters, kernel, strides, pads, dilation):
    draw = np.random.default_rng(0)
    x = jnp.array(draw.normal(size=(2, *size, channels)), jnp.float32)
    weight = jnp.array(draw.normal(size=(*kernel, 1, filters)), jnp.float32)
    layouts = LAYOUTS[x.ndim]

    def slow(x, weight):
        options = {
            "dimension_numbers": layouts,
            "feature_group_count": channels,
            "precision": "highest",
        }
        return jax.lax.conv_general_dilated(x, weight, strides, pads, None, dilation, **options)

    def fast(x, weight):
        return convolve(x, weight, strides, pads, dilation, channels)

    g = jnp.array(draw.normal(size=slow(x, weight).shape), jnp.float32)

    def value_and_gradients(f):
        y, backward = jax.vjp(f, x, weight)
        return y, *backward(g)

    for wanted, got in zip(value_and_gradients(slow), value_and_gradients(fast), strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-5)


def program(name, dtype):
    workload = CASES[name]()
    return JaxProgram(
        workload, initial_weights(workload.model, 0), Arm("jax", "jit", dtype=dtype), 0
    ), workload


def test_a_bench_tells_what_was_compiled_after_it_was_warm():
    built, workload = program("dense", "float32")
    batch = batches_of(workload)[0]
    bench = Bench(built, batch)
    bench.first_call("infer")
    assert bench.describe(24.0, "0").compiled_late == 0, "it was never warm"
    bench.warm_up("infer")
    bench.visit("infer", 3)
    assert bench.describe(24.0, "0").compiled_late == 0 < bench.describe(24.0, "0").compilations
    built.wait(built.infer(built.put(batch.rows(np.arange(batch.size - 1)))))
    assert bench.describe(24.0, "0").compiled_late == 1


@pytest.mark.parametrize("dtype", ["float16", "mixed_float16"])
def test_an_update_with_an_infinite_gradient_is_skipped_whole(dtype):
    built, workload = program("adamw_clipped_on_a_schedule", dtype)
    good = batches_of(workload)[0]
    broken = built.put(
        type(good)({name: np.full_like(x, np.inf) for name, x in good.inputs.items()}, good.targets)
    )
    built.wait(built.train_step(built.put(good)))
    before = built.weights() | built.optimizer_state()
    slots = jax.tree.map(np.array, built.snapshot()[2])
    built.wait(built.train_step(broken))
    after = built.weights() | built.optimizer_state()
    assert all(np.array_equal(after[name], array) for name, array in before.items())
    jax.tree.map(np.testing.assert_array_equal, built.snapshot()[2], slots)
    built.wait(built.train_step(built.put(good)))
    assert any(not np.array_equal(array, before[name]) for name, array in built.weights().items())


@pytest.mark.parametrize("schedule", [WarmupCosine(warmup=3, steps=10, floor=0.1),
                                      WarmupCosine(steps=4),
                                      WarmupCosine(warmup=4, steps=4)])  # fmt: skip
def test_a_schedule_is_the_specs_and_the_slot_holds_the_step(schedule):
    spec = Sgd(learning_rate=0.5, schedule=schedule)
    update = optimizers.sgd(spec)
    weights = (jnp.zeros(2),)
    state, step = update.init(weights), jax.jit(update.update)
    for t in range(1, 14):
        changes, state = step((jnp.ones(2),), state, weights)
        np.testing.assert_allclose(changes[0], -spec.rate(t), rtol=1e-5, atol=1e-7)
    assert step._cache_size() == 1


JOINED = {
    "bias": (biased, lambda y, shared: y + shared, lambda y, g: g),
    "add": (
        lambda y, shared: ops.add(None, y, shared),
        lambda y, shared: y + shared,
        lambda y, g: g,
    ),
    "mul": (
        lambda y, shared: ops.mul(None, y, shared),
        lambda y, shared: y * shared,
        lambda y, g: y * g,
    ),
}
"""How y and an array that all places share are joined, its plain formula,
each place's part in the shared gradient.
"""


@pytest.mark.parametrize("name", JOINED)
def test_the_gradient_of_what_many_places_share_is_summed_in_float32(name):
    """In bfloat16, that is: XLA widens sums of float16 by itself."""
    joined, plain, part = JOINED[name]
    draw, dtype = np.random.default_rng(0), "bfloat16"
    y, g = (jnp.array(draw.normal(size=(4, 32, 32, 8)), dtype) for _ in range(2))
    shared = jnp.array(draw.normal(size=8), dtype)
    out, backward = jax.vjp(joined, y, shared)
    assert (out == plain(y, shared)).all()
    assert out.dtype == y.dtype
    gradient, true = (
        np.asarray(jax.jit(backward)(g)[1], np.float64),
        np.asarray(part(y, g), np.float64).sum((0, 1, 2)),
    )
    assert np.abs(gradient - true).max() < jnp.finfo(dtype).eps * np.abs(true).max()
