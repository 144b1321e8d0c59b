"""A case that says what it shows does show it: the fault that it speaks of,
planted in the NumPy backend, is caught.
"""

from importlib import import_module

import numpy as np
import pytest
from dnnbench.testing.cases import CASES
from dnnbench_numpy import ops
from helpers.faulty import HERE  # puts the planted faults on the path
from helpers.saboteurs import checked_case, verdict

planting = import_module("dnnbench_faults.planting")
import_module("dnnbench_faults.in_numpy_extremes")
assert HERE.is_dir()


def with_op(change):
    """honest -> the same function of an op with other attributes; `change(op, x)` gives them."""
    return lambda honest: (
        lambda op, x, *a, **k: honest(op.model_copy(update=change(op, x)), x, *a, **k)
    )


def other_side(op, x):
    return {"padding": tuple((hi, lo) for lo, hi in op.pads(ops.types(x)))}


def as_same_pads(op, x):
    return {"padding": "same"}


def cut_at_the_other_side(op, x):
    return {"padding": tuple((hi, lo) for lo, hi in op.pads)}


def from_zero_on(honest):
    """The derivative at 0 is that of the right side."""
    return lambda op, g, y, x: honest(op, g, y, np.where(x == 0, 1, x))


def filters_across_groups(honest):
    def fault(op, x, weight, bias=None):
        order = np.arange(op.filters).reshape(-1, op.groups).T.reshape(-1)
        return honest(op, x, weight[..., order], None if bias is None else bias[order])

    return fault


def zero_for(role):
    """A parameter's gradient is dropped in one kind of op."""

    def make(honest):
        def fault(*arguments, **named):
            found, learned = honest(*arguments, **named)
            return found, learned | {role: np.zeros_like(learned[role])}

        return fault

    return make


def small_gradients_dropped(honest):
    """As float16 does below its smallest number."""

    def fault(op, g, y, *inputs):
        found, learned = honest(op, g, y, *inputs)
        return tuple((lambda f=f: f() * (np.abs(f()) > 6e-5)) for f in found), learned

    return fault


def zero_for_constants(honest):
    """Inputs without the batch axis get no gradient."""

    def fault(op, g, y, *inputs):
        found, learned = honest(op, g, y, *inputs)
        kept = [
            f if len(x) == len(g) else (lambda x=x: np.zeros_like(x))
            for f, x in zip(found, inputs, strict=True)
        ]
        return tuple(kept), learned

    return fault


def not_summed(honest):
    """A stretched input's gradient is taken from its first place."""
    return lambda g, shape: honest(g * (np.arange(g.size).reshape(g.shape) == 0), shape)


def one_pass(honest):
    def fault(op, x, scale, bias):
        mean = x.mean(-1, keepdims=True)
        variance = np.maximum(np.square(x).mean(-1, keepdims=True) - mean * mean, 0)
        return (x - mean) / np.sqrt(variance + op.epsilon) * scale + bias

    return fault


def moments_in_one_pass(honest):
    def fault(x, axes):
        mean = x.mean(axis=axes, keepdims=True)
        return mean, np.maximum(np.square(x).mean(axis=axes, keepdims=True) - mean * mean, 0)

    return fault


def mean_taken_away(honest):
    return lambda op, x, scale: honest(op, x - x.mean(-1, keepdims=True), scale)


def ties_to_the_last(honest):
    return lambda taps, best: honest(list(taps)[::-1], best)[::-1]


def ties_shared(honest):
    def fault(taps, best):
        equal = np.equal(np.stack(list(taps)), best).astype(float)
        return list(equal / equal.sum(axis=0))

    return fault


def last_pixel(honest):
    return lambda x, axis: x.shape[axis] - 1 - np.flip(x, axis).argmax(axis=axis, keepdims=True)


def pixels_shared(honest):
    def fault(op, g, y, x):
        equal = (x == y[:, None, None]).astype(float)
        return (lambda: g[:, None, None] * equal / equal.sum(axis=(1, 2), keepdims=True),), {}

    return fault


def windows_of_equal_size(honest):
    def fault(op, x):
        rows, columns = (n // m for n, m in zip(x.shape[1:3], op.size, strict=True))
        kept = x[:, : rows * op.size[0], : columns * op.size[1]]
        return kept.reshape(len(x), op.size[0], rows, op.size[1], columns, -1).mean(axis=(2, 4))

    return fault


def channels_first(honest):
    return lambda op, x: np.moveaxis(x, -1, 1).reshape(len(x), -1)


def mask_turned(honest):
    def fault(op, q, k, v, mask=None):
        return honest(op, q, k, v, None if mask is None else ~mask | mask.all(-1, keepdims=True))

    return fault


def without_offset(honest):
    """Query i of two sees as many keys as it would without a cache."""

    def fault(op, q, k, v, mask=None):
        new = q.shape[1]
        return honest(op, q, k[:, :new], v[:, :new], mask)

    return fault


def without_mask(honest):
    return lambda op, q, k, v, mask=None: honest(op, q, k, v)


def last_column_left_out(honest):
    def fault(loss, z, labels):
        kept = np.where(np.arange(labels.shape[-1]) < labels.shape[-1] - 1, labels, loss.ignored)
        return honest(loss, z, kept)

    return fault


def far_from_1(name):
    """A fault of `dnnbench_faults.in_numpy_extremes`."""
    return lambda honest: planting.REPLACEMENTS["numpy", name][0][2](honest)


def state_begins_anew(honest):
    def fault(op, x, *states, **learned):
        return honest(op, np.concatenate([x[:, 64:], x[:, :64]], axis=1), *states, **learned)

    return fault


def large_products_in_half_floats(honest):
    def fault(op, x, weight, bias=None):
        large = weight.size > 2**18
        return honest(op, x.astype(np.float16).astype(x.dtype) if large else x, weight, bias)

    return fault


def last_block_alone(honest):
    """What a causal query sees of its own block of keys."""

    def fault(op, q, k, v, mask=None):
        own = np.arange(q.shape[1])[:, None] // 64 == np.arange(k.shape[1]) // 64
        return honest(op, q, k, v, np.broadcast_to(own, (len(q), *own.shape)))

    return fault


CLAIMS = [
    ("softmax_of_large", "ops.softmax", far_from_1("softmax_without_the_maximum")),
    (
        "attention_of_large_scores",
        "ops.attention_weights",
        far_from_1("attention_without_the_maximum"),
    ),
    ("attention_to_many_keys", "ops.attention", far_from_1("attention_sees_64_keys")),
    ("attention_causal_of_many_steps", "ops.attention", last_block_alone),
    ("lstm_of_many_steps", "ops.lstm", far_from_1("lstm_begins_anew_after_64_steps")),
    ("gru_of_many_steps", "ops.gru", state_begins_anew),
    ("embedding_of_large_ids", "ops.embedding", far_from_1("embedding_ids_in_eight_bits")),
    ("dense_of_many_weights", "ops.dense", large_products_in_half_floats),
    ("relu_at_zero", "gradients.relu", from_zero_on),
    ("relu6_at_zero", "gradients.relu6", from_zero_on),
    ("leaky_relu_at_zero", "gradients.leaky_relu", from_zero_on),
    ("conv2d_same_strided", "ops.conv2d", with_op(other_side)),
    ("conv2d_symmetric_strided", "ops.conv2d", with_op(as_same_pads)),
    ("conv2d_depthwise_multiplied", "ops.conv2d", filters_across_groups),
    ("conv_transpose2d_overlapping", "ops.conv_transpose2d", with_op(cut_at_the_other_side)),
    ("max_pool2d_tied", "gradients.first_largest", ties_to_the_last),
    ("max_pool2d_tied", "gradients.first_largest", ties_shared),
    ("global_max_pool_tied", "gradients.place_of_largest", last_pixel),
    ("global_max_pool_tied", "gradients.global_max_pool", pixels_shared),
    ("adaptive_avg_pool2d", "ops.adaptive_avg_pool2d", windows_of_equal_size),
    ("layer_norm_far_from_zero", "ops.layer_norm", one_pass),
    ("layer_norm_of_far_inputs", "ops.layer_norm", one_pass),
    ("gradients_of_small_size", "gradients.add", small_gradients_dropped),
    ("batch_norm_far_from_zero", "ops.moments", moments_in_one_pass),
    ("group_norm_far_from_zero", "norms.moments", moments_in_one_pass),
    ("group_norm_of_sequences_far_from_zero", "norms.moments", moments_in_one_pass),
    ("rms_norm_far_from_zero", "ops.rms_norm", mean_taken_away),
    ("tied_embedding", "gradients.dense", zero_for("weight")),
    ("tied_embedding", "gradients.embedding", zero_for("weight")),
    ("flatten", "ops.flatten", channels_first),
    ("class_token", "gradients.concat", zero_for_constants),
    ("squeeze_and_excite", "gradients._gathered", not_summed),
    ("attention_masked", "ops.attention", mask_turned),
    ("attention_after_a_cache", "ops.attention", without_offset),
    ("attention_causal_masked", "ops.attention", without_mask),
    ("everything", "gradients.add", zero_for_constants),
    ("cross_entropy_of_images", "losses.cross_entropy", last_column_left_out),
]


MUCH_WORK = ("lstm_of_many_steps", "gru_of_many_steps", "dense_of_many_weights")
"""Cases that take seconds in each type: float32 is the matrix's."""


def asked(number, claim, dtype):
    often = dtype == "float64" or claim[0] not in MUCH_WORK
    name = f"{claim[0]}-{claim[1]}-{number}-{dtype}"
    return pytest.param(*claim, dtype, marks=[] if often else [pytest.mark.exhaustive], id=name)


ASKED = [
    asked(number, claim, dtype)
    for number, claim in enumerate(CLAIMS)
    for dtype in ("float64", "float32")
]


@pytest.mark.parametrize(("case", "target", "make", "dtype"), ASKED)
def test_what_the_case_speaks_of_is_caught(monkeypatch, case, target, make, dtype):
    checked_case(case, dtype)
    module_name, name = target.split(".")
    module = import_module(f"dnnbench_numpy.{module_name}")
    monkeypatch.setattr(module, name, make(getattr(module, name)))
    assert not verdict(case, dtype).ok


def test_no_case_speaks_of_what_is_not_shown():
    speaking = {name for name, build in CASES.items() if build.__doc__}
    assert len(speaking) >= 15
    assert speaking <= {case for case, _, _ in CLAIMS}
