"""Faults in the PyTorch backend, whose ops are called with stand-ins for tensors and written down
as a program.
"""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from dnnbench_torch import ops

from .planting import alters, replaces


def _later(function, *arguments):
    """Have a function called with the tensors that the stand-ins stand for.

    Its result is shaped as the first.
    """
    first = arguments[0]
    found = first.tracer.create_proxy("call_function", function, arguments, {})
    found.shape, found.ndim = first.shape, first.ndim
    return found


def _times(y, factors):
    def scaled(y):
        return y * torch.as_tensor(factors(tuple(y.shape)), dtype=y.dtype)

    return _later(scaled, y)


def _kept(y, memory, op):
    def first_of(y):
        key = op, tuple(y.shape), torch.is_inference_mode_enabled()
        return y + (memory.setdefault(key, y.detach().clone()) - y.detach())

    return _later(first_of, y)


TOOLS = SimpleNamespace(
    times=_times,
    single=lambda y: y.float().to(y.dtype),
    still=lambda x: x.detach(),
    kept=_kept,
    HEIGHT=2,
)


def _with_op(**changes):
    return lambda honest: lambda op, *a, **k: honest(op.model_copy(update=changes), *a, **k)


@replaces("ops.conv2d")
def conv2d_symmetric_padding(honest):
    def fault(op, x, weight, bias=None):
        pads = tuple((max(pair), max(pair)) for pair in op.pads(ops.types(x)))
        return honest(op.model_copy(update={"padding": pads}), x, weight, bias)

    return fault


@replaces("ops.conv2d")
def conv2d_height_and_width_swapped(honest):
    return lambda op, x, weight, bias=None: honest(op, x, weight.transpose(2, 3), bias)


@replaces("ops.conv2d")
def conv2d_filters_across_groups(honest):
    def fault(op, x, weight, bias=None):
        if op.groups > 1:
            order = [
                i * op.groups + g for g in range(op.groups) for i in range(op.filters // op.groups)
            ]
            weight = _later(lambda w: w[order], weight)
        return honest(op, x, weight, bias)

    return fault


@replaces("ops.conv2d")
def conv2d_dilation_of_1_with_the_padding_of_2(honest):
    """A window half as wide over an image that is padded for the whole:
    cut back to the size that was wanted.
    """

    def fault(op, x, weight, bias=None):
        height, width, _ = op.output(ops.types(x)).shape
        return honest(op.model_copy(update={"dilation": (1, 1)}), x, weight, bias)[
            :, :, :height, :width
        ]

    return fault


@replaces("ops.conv_transpose2d")
def conv_transpose2d_kernel_not_flipped(honest):
    return lambda op, x, weight, bias=None: honest(op, x, weight.flip(2, 3), bias)


@replaces("ops.global_max_pool")
def global_max_pool_ties_shared(honest):
    return lambda op, x: x.amax((2, 3))


@replaces("ops.lstm")
def lstm_sequence_read_backwards(honest):
    def fault(op, x, *state, **named):
        y = honest(op, _later(lambda x: x.flip(1), x), *state, **named)
        return y.flip(1) if op.sequences else y

    return fault


@replaces("ops.dense")
def dense_bias_gradient_dropped(honest):
    return lambda op, x, weight, bias=None: honest(
        op, x, weight, None if bias is None else bias.detach()
    )


@replaces("ops.embedding")
def embedding_ids_off_by_one(honest):
    return lambda op, ids, weight: honest(
        op, _later(lambda ids: (ids + 1).clamp(max=op.vocabulary - 1), ids), weight
    )


@replaces("ops.batch_norm_training")
def batch_norm_unbiased_running_variance(honest):
    return _with_op(unbiased=True)(honest)


@replaces("ops.batch_norm", "ops.batch_norm_training")
def batch_norm_epsilon_1e_3(honest):
    return _with_op(epsilon=1e-3)(honest)


@replaces("ops.batch_norm_training")
def batch_norm_running_statistics_in_training(honest):
    def fault(op, x, scale, bias, mean, variance):
        return ops.batch_norm(op, x, scale, bias, mean, variance), honest(
            op, x, scale, bias, mean, variance
        )[1]

    return fault


@replaces("ops.layer_norm")
def layer_norm_unbiased_variance(honest):
    def fault(op, x, scale, bias):
        variance, mean = torch.var_mean(x, -1, keepdim=True)
        return scale * (x - mean) * torch.rsqrt(variance + op.epsilon) + bias

    return lambda op, x, scale, bias: _later(
        lambda x, scale, bias: fault(op, x, scale, bias), x, scale, bias
    )


@replaces("ops.layer_norm")
def layer_norm_epsilon_1e_6(honest):
    return _with_op(epsilon=1e-6)(honest)


@replaces("ops.rms_norm")
def rms_norm_mean_subtracted(honest):
    return lambda op, x, scale: honest(op, _later(lambda x: x - x.mean(-1, keepdim=True), x), scale)


@replaces("ops.rms_norm")
def rms_norm_input_gradient_without_the_scale(honest):
    def fault(op, x, scale):
        y = honest(op, x, _later(torch.ones_like, scale))
        return y - y.detach() + scale * y.detach()

    return fault


@replaces("ops.dropout")
def dropout_mask_s_polarity(honest):
    def fault(op, x, mask, generator):
        return honest(op, x, None if mask is None else ~mask, generator)

    return fault


@replaces("ops.lstm")
def lstm_forget_bias_raised(honest):
    def fault(op, x, *state, weight, recurrent, bias):
        raised = F.pad(torch.ones(op.units), (op.units, 2 * op.units))
        bias = _later(lambda b: b + raised.to(b.dtype), bias)
        return honest(op, x, *state, weight=weight, recurrent=recurrent, bias=bias)

    return fault


@replaces("ops.gru")
def gru_gates_r_z_n(honest):
    def swapped(p):
        z, r, n = p.chunk(3)
        return torch.cat([r, z, n])

    def fault(op, x, *state, weight, recurrent, bias, hidden_bias):
        wide = {"weight": weight, "recurrent": recurrent, "bias": bias}
        return honest(
            op,
            x,
            *state,
            hidden_bias=hidden_bias,
            **{role: _later(swapped, p) for role, p in wide.items()},
        )

    return fault


@replaces("ops.gru")
def gru_hidden_bias_gradient_dropped(honest):
    return lambda op, *inputs, hidden_bias, **named: honest(
        op, *inputs, hidden_bias=hidden_bias.detach(), **named
    )


@replaces("ops.attention")
def attention_mask_s_polarity(honest):
    def hidden(mask):
        return ~mask | mask.all(-1, keepdim=True)

    return lambda op, q, k, v, mask=None: honest(
        op, q, k, v, None if mask is None else _later(hidden, mask)
    )


@replaces("ops.attention")
def attention_causal_mask_at_the_first_key(honest):
    def fault(op, q, k, v, mask=None):
        heads = [x.unflatten(-1, (op.heads, -1)).transpose(1, 2) for x in (q, k, v)]
        return (
            F.scaled_dot_product_attention(*heads, is_causal=op.causal).transpose(1, 2).flatten(2)
        )

    return fault


@replaces("ops.attention")
def attention_heads_interleaved(honest):
    def turned(x, heads):
        return x.unflatten(-1, (-1, heads)).transpose(-1, -2).flatten(-2)

    def fault(op, q, k, v, mask=None):
        y = honest(op, *(turned(x, op.heads) for x in (q, k, v)), mask)
        return y.unflatten(-1, (op.heads, -1)).transpose(-1, -2).flatten(-2)

    return fault


@replaces("ops.elu")
def elu_alpha_1(honest):
    return _with_op(alpha=1.0)(honest)


@replaces("ops.transpose")
def transpose_reshape(honest):
    def fault(op, x):
        shape = [x.shape[axis + 1] for axis in op.axes]
        return _later(lambda x: x.reshape(-1, *shape), x)

    return fault


@replaces("ops.add")
def add_last_input_left_out(honest):
    return lambda op, *inputs: honest(op, *inputs[:-1])


@replaces("losses.cross_entropy")
def cross_entropy_smoothing_left_out(honest):
    return _with_op(smoothing=0.0)(honest)


@replaces("losses.mse")
def mse_half(honest):
    return lambda loss, z, targets: 0.5 * honest(loss, z, targets)


@replaces("losses.bce_with_logits")
def bce_with_logits_sum_within_examples(honest):
    return lambda loss, z, targets: honest(loss, z, targets) * z.shape[-1]


@alters
def infer_stale_weights(program):
    kept = {name: p.detach().clone() for name, p in program._weights.items()}
    honest = program.infer

    def stale(batch):
        now, program._weights = program._weights, kept
        try:
            return honest(batch)
        finally:
            program._weights = now

    program.infer = stale


@alters
def train_step_taken_twice(program):
    honest = program._update

    def twice(gradients):
        honest({name: g.clone() for name, g in gradients.items()})
        honest(gradients)

    program._update = twice


@replaces("ops.dropout")
def drawn_dropout_is_scaled_twice(honest):
    def fault(op, x, mask, generator):
        y = honest(op, x, mask, generator)
        return y if mask is not None else y / (1 - op.rate)

    return fault


@replaces("ops.stochastic_depth")
def drawn_stochastic_depth_thins_elements(honest):
    """Each element by itself, where an example is kept or dropped as a whole."""

    def fault(op, x, mask, generator):
        return F.dropout(x, op.rate) if mask is None else honest(op, x, mask, generator)

    return fault


@alters
def drawn_masks_repeat(program):
    start = program._generator_state
    honest = program.train_step

    def train_step(batch):
        program._generator_state = start
        return honest(batch)

    program.train_step = train_step
