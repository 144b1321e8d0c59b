"""Common faults in the NumPy backend."""

import numpy as np
from dnnbench.protocol.rounding import rounded
from dnnbench_numpy import optimizers

from .cases import RARE
from .in_numpy import _learned, _windowed
from .planting import alters, replaces


@replaces("ops.conv2d")
def conv2d_dilation_on_the_first_axis_alone(honest):
    def change(op, x):
        return {"dilation": (op.dilation[0], 1)} if op.padding == "same" else {}

    return _windowed(change)(honest)


@replaces("ops.conv2d")
def conv2d_bias_rolled_over_groups(honest):
    def fault(op, x, weight, bias=None):
        if bias is not None and op.groups > 1:
            bias = np.roll(bias, op.filters // op.groups)
        return honest(op, x, weight, bias)

    return fault


def _coarse(type, *arrays):
    return [rounded(array.astype("f4"), type).astype(array.dtype) for array in arrays]


@replaces("ops.dense")
def dense_products_of_8_bits(honest):
    return lambda op, x, weight, bias=None: honest(op, *_coarse("bfloat16", x, weight), bias)


@replaces("ops.conv2d")
def conv2d_products_of_11_bits(honest):
    return lambda op, x, weight, bias=None: honest(op, *_coarse("tf32", x, weight), bias)


@replaces("ops.attention")
def attention_products_of_8_bits(honest):
    def fault(op, q, k, v, mask=None):
        q, k, v = _coarse("bfloat16", q, k, v)
        split = [x.reshape(*x.shape[:2], op.heads, -1).swapaxes(1, 2) for x in (q, k, v)]
        scores = split[0] @ split[1].swapaxes(2, 3) / np.sqrt(split[0].shape[-1])
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        (p,) = _coarse("bfloat16", e / e.sum(axis=-1, keepdims=True))
        return (p @ split[2]).swapaxes(1, 2).reshape(q.shape)

    return fault


@replaces("ops.attention")
def attention_causal_mask_off_by_one(honest):
    """The first query then sees no key, and all of them where scores are lowered."""

    def fault(op, q, k, v, mask=None):
        split = [x.reshape(*x.shape[:2], op.heads, -1).swapaxes(1, 2) for x in (q, k, v)]
        scores = split[0] @ split[1].swapaxes(2, 3) / np.sqrt(split[0].shape[-1])
        seen = np.tri(q.shape[1], k.shape[1], k.shape[1] - q.shape[1] - 1, dtype=bool)
        scores = (scores + np.where(seen, 0.0, -1e9)).astype(q.dtype)
        e = np.exp(scores - scores.max(axis=-1, keepdims=True))
        y = (e / e.sum(axis=-1, keepdims=True)) @ split[2]
        return y.swapaxes(1, 2).reshape(q.shape)

    return fault


def _no_gradient_of(row):
    def change(gradient, op, *rest):
        gradient = gradient.copy()
        gradient[row] = 0
        return gradient

    return change


@replaces("gradients.embedding")
def embedding_first_id_pads(honest):
    return lambda op, g, y, ids, weight: _learned("weight", _no_gradient_of(0))(honest)(
        op, g, y, ids, weight=weight
    )


@replaces("gradients.embedding")
def embedding_rare_id_pads(honest):
    """An id that few batches hold."""
    return lambda op, g, y, ids, weight: _learned("weight", _no_gradient_of(RARE))(honest)(
        op, g, y, ids, weight=weight
    )


@replaces("ops.layer_norm")
def layer_norm_scale_left_out(honest):
    return lambda op, x, scale, bias: honest(op, x, np.ones_like(scale), bias)


@replaces("ops.batch_norm_training")
def batch_norm_variance_of_an_earlier_batch(honest):
    """The running one is moved by the batch that came before."""
    seen = []

    def fault(op, x, scale, bias, mean, variance):
        y, moved = honest(op, x, scale, bias, mean, variance)
        axes = tuple(range(x.ndim - 1))
        seen.append(x.var(axis=axes))
        late = op.momentum * variance + (1 - op.momentum) * seen[max(len(seen) - 2, 0)]
        return y, moved | {"variance": late}

    return fault


@replaces("ops.dense")
def dense_bias_left_out(honest):
    return lambda op, x, weight, bias=None: honest(op, x, weight, None)


@replaces("ops.tanh")
def tanh_a_ten_millionth_off(honest):
    """As far off as float32, and no float32."""
    return lambda op, x: honest(op, x) * (1 + 1e-7)


@replaces("gradients.tanh")
def tanh_at_random(honest):
    """Two calls in a hundred, drawn from a seed."""
    draw = np.random.default_rng(5)
    return lambda op, g, y, x: honest(op, g * (2.0 if draw.random() < 0.06 else 1.0), y, x)


@replaces("optimizers.momentum")
def momentum_not_carried_over(honest):
    def fault(optimizer, parameters, gradients, slots, t):
        for array in slots["velocity"].values():
            array.fill(0)
        honest(optimizer, parameters, gradients, slots, t)

    return fault


def _decayed_after(honest):
    def fault(optimizer, parameters, gradients, slots, t):
        undecayed = optimizer.model_copy(update={"weight_decay": 0.0})
        honest(undecayed, parameters, gradients, slots, t)
        for p in parameters.values():
            p *= 1 - optimizer.rate(t) * optimizer.weight_decay

    return fault


@replaces("optimizers.sgd")
def sgd_decay_after_the_step(honest):
    return _decayed_after(honest)


@replaces("optimizers.adamw")
def adamw_decay_after_the_step(honest):
    return _decayed_after(honest)


def _at_step_1(honest):
    return lambda optimizer, parameters, gradients, slots, t: honest(
        optimizer, parameters, gradients, slots, 1
    )


@replaces("optimizers.adam")
def adam_steps_not_counted(honest):
    return _at_step_1(honest)


@replaces("optimizers.adamw")
def adamw_steps_not_counted(honest):
    return _at_step_1(honest)


@replaces("optimizers._adam_step")
def adam_amsgrad(honest):
    largest = {}

    def fault(optimizer, name, p, g, slots, t):
        before = p.copy()
        honest(optimizer, name, p, g, slots, t)
        m_hat = slots["first_moment"][name] / optimizers._corrected(optimizer.beta1, t, p.dtype)
        v_hat = slots["second_moment"][name] / optimizers._corrected(optimizer.beta2, t, p.dtype)
        if t == 1:
            largest[name] = v_hat
        largest[name] = np.maximum(largest[name], v_hat)
        p[...] = before - optimizer.rate(t) * m_hat / (np.sqrt(largest[name]) + optimizer.epsilon)

    return fault


class _Moved:
    """A schedule that is read at another step."""

    def __init__(self, schedule, by):
        self._schedule, self._by = schedule, by

    def factor(self, t):
        return self._schedule.factor(t + self._by)


def _rescheduled(honest, by):
    def fault(optimizer, parameters, gradients, slots, t):
        if optimizer.schedule:
            moved = _Moved(optimizer.schedule, by)
            optimizer = optimizer.model_copy(update={"schedule": moved})
        honest(optimizer, parameters, gradients, slots, t)

    return fault


@replaces("optimizers.sgd")
def sgd_schedule_one_behind(honest):
    return _rescheduled(honest, -1)


@replaces("optimizers.adamw")
def adamw_schedule_one_ahead(honest):
    return _rescheduled(honest, 1)


@alters
def train_step_gradients_accumulated(program):
    honest, total = program._update, {}

    def update(gradients):
        for name, g in gradients.items():
            total[name] = total.get(name, 0) + g
        honest(dict(total))

    program._update = update


@alters
def train_step_weights_one_step_behind(program):
    """As a pipeline does, which computes gradients while the last update is under way."""
    honest, waiting = program._update, []

    def update(gradients):
        waiting.append(gradients)
        honest(waiting[max(len(waiting) - 2, 0)])

    program._update = update


@alters
def infer_statistics_moved(program):
    honest = program.infer

    def infer(batch):
        program._state = program.forward(batch)["state"]
        return honest(batch)

    program.infer = infer


@alters
def infer_weights_one_step_behind(program):
    step, honest, before = program.train_step, program.infer, []

    def train_step(batch):
        before.append({name: p.copy() for name, p in program._weights.items()})
        return step(batch)

    def infer(batch):
        now = program._weights
        program._weights = before[-1] if before else now
        try:
            return honest(batch)
        finally:
            program._weights = now

    program.train_step, program.infer = train_step, infer
