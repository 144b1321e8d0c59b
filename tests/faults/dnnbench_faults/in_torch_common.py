"""Common faults in the PyTorch backend."""

import numpy as np
import torch

from .cases import RARE
from .in_torch import _later
from .planting import alters, replaces


@replaces("ops.conv2d")
def conv2d_dilation_on_the_last_axis_alone(honest):
    def fault(op, x, weight, bias=None):
        if op.padding == "same":
            op = op.model_copy(update={"dilation": (1, op.dilation[1])})
        return honest(op, x, weight, bias)

    return fault


@replaces("ops.conv2d")
def conv2d_bias_across_groups(honest):
    def fault(op, x, weight, bias=None):
        if bias is not None and op.groups > 1:
            order = np.arange(op.filters).reshape(-1, op.groups).T.reshape(-1)
            bias = _later(lambda b: b[torch.as_tensor(order)], bias)
        return honest(op, x, weight, bias)

    return fault


def _of_11_bits(x):
    """Rounded to nearest, ties to even, as TF32 reads factors."""
    bits = x.float().contiguous().view(torch.int32)
    kept = (bits + 0xFFF + ((bits >> 13) & 1)) & ~0x1FFF
    return kept.view(torch.float32).to(x.dtype)


@replaces("ops.dense")
def dense_products_of_11_bits(honest):
    def fault(op, x, weight, bias=None):
        return honest(op, _later(_of_11_bits, x), _later(_of_11_bits, weight), bias)

    return fault


@replaces("ops.tanh")
def tanh_values_of_8_bits(honest):
    return lambda op, x: _later(lambda y: y.bfloat16().to(y.dtype), honest(op, x))


@replaces("ops.embedding")
def embedding_rare_id_pads(honest):
    return lambda op, ids, weight: honest(op, ids, _later(_without_gradient, weight))


def _without_gradient(weight):
    rows = torch.arange(len(weight))[:, None] == RARE
    return torch.where(rows, weight.detach(), weight)


@replaces("ops.attention")
def attention_causal_mask_shows_the_next(honest):
    def shown(q):
        length = q.shape[1]
        return torch.ones(length, length, dtype=torch.bool).tril(1).expand(len(q), -1, -1)

    def fault(op, q, k, v, mask=None):
        return honest(op.model_copy(update={"causal": False}), q, k, v, _later(shown, q))

    return fault


def _ones(p):
    return _later(torch.ones_like, p)


@replaces("ops.rms_norm")
def rms_norm_scale_left_out(honest):
    return lambda op, x, scale: honest(op, x, _ones(scale))


@replaces("ops.layer_norm")
def layer_norm_bias_left_out(honest):
    return lambda op, x, scale, bias: honest(op, x, scale, _later(torch.zeros_like, bias))


@replaces("ops.batch_norm_training")
def batch_norm_mean_of_an_earlier_batch(honest):
    seen = []

    def fault(op, x, scale, bias, mean, variance):
        y, moved = honest(op, x, scale, bias, mean, variance)

        def late(new, old):
            seen.append((new - op.momentum * old) / (1 - op.momentum))
            return op.momentum * old + (1 - op.momentum) * seen[max(len(seen) - 2, 0)]

        return y, moved | {"mean": _later(late, moved["mean"], mean)}

    return fault


@replaces("ops.sigmoid")
def sigmoid_at_random(honest):
    """Gradients alone, drawn from a seed."""
    draw = np.random.default_rng(5)

    def sometimes(y):
        if y.requires_grad:
            y.register_hook(lambda g: g * (2.0 if draw.random() < 0.06 else 1.0))
        return y

    return lambda op, x: _later(sometimes, honest(op, x))


@alters
def nesterov_not_carried_over(program):
    honest = program._update

    def update(gradients):
        for state in program._optimizer.state.values():
            if "momentum_buffer" in state:
                state["momentum_buffer"].zero_()
        honest(gradients)

    program._update = update


@alters
def adamw_decay_after_the_step(program):
    honest = program._update

    def update(gradients):
        group = program._optimizer.param_groups[0]
        decay, group["weight_decay"] = group["weight_decay"], 0.0
        honest(gradients)
        group["weight_decay"] = decay
        with torch.no_grad():
            for p in group["params"]:
                p.mul_(1 - group["lr"] * decay)

    program._update = update


@alters
def train_step_gradients_accumulated(program):
    honest, total = program._update, {}

    def update(gradients):
        for name, g in gradients.items():
            total[name] = total[name] + g if name in total else g.clone()
        honest({name: g.clone() for name, g in total.items()})

    program._update = update


@alters
def train_step_weights_one_step_behind(program):
    honest, waiting = program._update, []

    def update(gradients):
        waiting.append({name: g.clone() for name, g in gradients.items()})
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
        before.append({name: p.detach().clone() for name, p in program._weights.items()})
        return step(batch)

    def infer(batch):
        now = program._weights
        program._weights = before[-1] if before else now
        try:
            return honest(batch)
        finally:
            program._weights = now

    program.train_step, program.infer = train_step, infer
