"""Faults in the NumPy backend, whose backpropagation is written by hand."""

from types import SimpleNamespace

import numpy as np
from dnnbench_numpy import gradients, ops

from .planting import alters, replaces


def _times(y, factors):
    return y * factors(y.shape).astype(y.dtype)


def _kept(y, memory, op):
    return memory.setdefault((op, y.shape), y)


TOOLS = SimpleNamespace(
    times=_times,
    single=lambda y: y.astype("f4").astype(y.dtype),
    still=lambda x: x,
    kept=_kept,
    HEIGHT=1,
)


def _windowed(change):
    """A change of an op's attributes."""
    return lambda honest: (
        lambda op, x, *a, **k: honest(op.model_copy(update=change(op, x)), x, *a, **k)
    )


@replaces("ops.conv2d")
def conv2d_padding_on_the_other_side(honest):
    return _windowed(lambda op, x: {"padding": tuple((b, a) for a, b in op.pads(ops.types(x)))})(
        honest
    )


@replaces("ops.conv2d")
def conv2d_kernel_flipped(honest):
    return lambda op, x, weight, bias=None: honest(op, x, weight[::-1, ::-1], bias)


@replaces("ops.conv_transpose2d")
def conv_transpose2d_cut_at_the_other_side(honest):
    return _windowed(lambda op, x: {"padding": tuple((b, a) for a, b in op.pads)})(honest)


@replaces("ops.max_pool2d")
def max_pool2d_padding_with_zeros(honest):
    def fault(op, x):
        padded = np.pad(x, ((0, 0), *op.pads(ops.types(x)), (0, 0)))
        return honest(op.model_copy(update={"padding": "valid"}), padded)

    return fault


@replaces("gradients.first_largest")
def max_pool2d_ties_to_the_last(honest):
    return lambda taps, best: honest(list(taps)[::-1], best)[::-1]


@replaces("ops.global_avg_pool")
def global_avg_pool_sum(honest):
    return lambda op, x: x.sum(axis=(1, 2))


@replaces("ops.adaptive_avg_pool2d")
def adaptive_avg_pool2d_windows_of_equal_size(honest):
    def fault(op, x):
        rows, columns = (n // m for n, m in zip(x.shape[1:3], op.size, strict=True))
        kept = x[:, : rows * op.size[0], : columns * op.size[1]]
        return kept.reshape(len(x), op.size[0], rows, op.size[1], columns, -1).mean(axis=(2, 4))

    return fault


def _learned(role, change):
    """A change of one parameter's gradient."""

    def make(honest):
        def fault(op, g, y, *inputs, **named):
            found, learned = honest(op, g, y, *inputs, **named)
            return found, learned | {
                role: change(learned[role], op, g, *inputs)
            } if role in learned else learned

        return fault

    return make


@replaces("gradients.dense")
def dense_weight_gradient_transposed(honest):
    square = lambda w, *_: w.T if w.shape[0] == w.shape[1] else w  # noqa: E731
    return _learned("weight", square)(honest)


@replaces("gradients.matmul")
def matmul_gradients_swapped(honest):
    def fault(op, g, y, a, b):
        (first, second), learned = honest(op, g, y, a, b)
        return (second, first), learned

    return fault


@replaces("gradients.embedding")
def embedding_gradient_overwritten(honest):
    def overwritten(w, op, g, ids):
        w = np.zeros_like(w)
        w[ids.reshape(-1)] = g.reshape(-1, g.shape[-1])
        return w

    return lambda op, g, y, ids, weight: _learned("weight", overwritten)(honest)(
        op, g, y, ids, weight=weight
    )


@replaces("ops.batch_norm_training")
def batch_norm_unbiased_variance(honest):
    def fault(op, x, scale, bias, mean, variance):
        axes = tuple(range(x.ndim - 1))
        y = ops.batch_norm(op, x, scale, bias, x.mean(axis=axes), x.var(axis=axes, ddof=1))
        return y, honest(op, x, scale, bias, mean, variance)[1]

    return fault


@replaces("gradients.batch_norm")
def batch_norm_no_gradient_through_statistics(honest):
    def fault(op, g, y, x, scale, bias):
        axes = tuple(range(x.ndim - 1))
        deviation = np.sqrt(x.var(axis=axes) + op.epsilon)
        return (lambda: g * scale / deviation,), honest(op, g, y, x, scale, bias)[1]

    return fault


@replaces("gradients.layer_norm")
def layer_norm_input_gradient_without_the_scale(honest):
    def fault(op, g, y, x, scale, bias):
        inputs, _ = honest(op, g, y, x, np.ones_like(scale), bias)
        return inputs, honest(op, g, y, x, scale, bias)[1]

    return fault


@replaces("ops.layer_norm")
def layer_norm_epsilon_outside_the_root(honest):
    def fault(op, x, scale, bias):
        centred = x - x.mean(axis=-1, keepdims=True)
        return scale * centred / (x.std(axis=-1, keepdims=True) + op.epsilon) + bias

    return fault


@replaces("ops.group_norm")
def group_norm_groups_that_stand_apart(honest):
    def fault(op, x, scale, bias):
        order = np.arange(x.shape[-1]).reshape(-1, op.groups).T.reshape(-1)
        found = honest(op, x[..., order], np.ones_like(scale), np.zeros_like(bias))
        return found[..., np.argsort(order)] * scale + bias

    return fault


@replaces("ops.dropout", "gradients.dropout")
def dropout_not_rescaled(honest):
    def fault(op, *arguments, **named):
        return honest(op.model_copy(update={"rate": 0.0}), *arguments, **named)

    return fault


@replaces("ops.lstm")
def lstm_gates_i_f_o_g(honest):
    def swapped(p):
        i, f, g, o = np.split(p, 4, axis=-1)
        return np.concatenate([i, f, o, g], axis=-1)

    return lambda op, *inputs, **named: honest(
        op, *inputs, **{role: swapped(p) for role, p in named.items()}
    )


@replaces("ops.gru")
def gru_reset_before(honest):
    def fault(op, x, *states, weight, recurrent, bias, hidden_bias):
        h = states[0] if states else np.zeros((len(x), op.units), x.dtype)
        every = []
        for t in range(x.shape[1]):
            a, u = x[:, t] @ weight + bias, h @ recurrent
            z, r = (
                1 / (1 + np.exp(-(p + q)))
                for p, q in zip(np.split(a, 3, 1)[:2], np.split(u, 3, 1)[:2], strict=True)
            )
            n = np.tanh(np.split(a, 3, 1)[2] + (r * h) @ np.split(recurrent, 3, 1)[2] + hidden_bias)
            h = (1 - z) * n + z * h
            every.append(h)
        return np.stack(every, axis=1) if op.sequences else h

    return fault


@replaces("ops.attention")
def attention_scale_of_all_features(honest):
    return lambda op, q, k, v, mask=None: honest(
        op, q / np.sqrt(op.heads).astype(q.dtype), k, v, mask
    )


@replaces("ops.attention")
def attention_causal_mask_left_out(honest):
    return _windowed(lambda op, x: {"causal": False})(honest)


@replaces("ops.gelu")
def gelu_sigmoid(honest):
    return lambda op, x: x / (1 + np.exp(-1.702 * x))


@replaces("ops.hardswish")
def hardswish_silu(honest):
    return lambda op, x: x / (1 + np.exp(-x))


@replaces("gradients.sigmoid")
def sigmoid_gradient_halved(honest):
    return lambda op, g, y, x: honest(op, 0.5 * g, y, x)


@replaces("ops.flatten")
def flatten_order_c_h_w(honest):
    return lambda op, x: np.moveaxis(x, -1, 1).reshape(len(x), -1)


@replaces("gradients.mul")
def mul_gradient_of_the_wrong_tensor(honest):
    return lambda op, g, y, first, second, *rest: honest(op, g, y, second, first, *rest)


@replaces("losses.cross_entropy", "gradients.cross_entropy")
def cross_entropy_missing_1_over_n(honest):
    return lambda loss, z, labels: honest(loss, z, labels) * labels.size


@replaces("gradients.mse")
def mse_gradient_missing_1_over_n(honest):
    return lambda loss, z, targets: honest(loss, z, targets) * z.size


@replaces("losses.argmax")
def argmax_smallest(honest):
    return lambda z: z.argmin(axis=-1)


@replaces("optimizers.sgd")
def sgd_weights_not_updated(honest):
    return lambda *arguments: None


@replaces("optimizers.sgd")
def sgd_step_off_by_one(honest):
    return lambda optimizer, parameters, found, slots, t: honest(
        optimizer, parameters, found, slots, t + 1
    )


@replaces("optimizers.momentum")
def momentum_rate_in_the_velocity(honest):
    def fault(optimizer, parameters, found, slots, t):
        for name, p in parameters.items():
            b = slots["velocity"][name]
            b *= optimizer.momentum
            b += optimizer.rate(t) * found[name]
            p -= b

    return fault


@replaces("optimizers._clipped")
def momentum_clipped_one_by_one(honest):
    return lambda optimizer, found: {
        name: honest(optimizer, {name: g})[name] for name, g in found.items()
    }


_rows = {}


@replaces("gradients.embedding")
def _remembering(honest):
    def fault(op, g, y, ids, weight):
        _rows["table.weight"] = g
        return honest(op, g, y, ids, weight)

    return fault


@replaces("optimizers._clipped")
def momentum_norm_of_sparse_gradients(honest):
    """The norm of the rows that were looked up, before those of one id are added up."""
    gradients.embedding = _remembering(gradients.embedding)

    def fault(optimizer, found):
        norm = np.sqrt(sum(np.sum(np.square(_rows.get(name, g))) for name, g in found.items()))
        share = (optimizer.clip_norm or np.inf) / max(norm, optimizer.clip_norm or np.inf)
        return {name: g * share for name, g in found.items()} if optimizer.clip_norm else found

    return fault


@replaces("optimizers.adam")
def adam_no_bias_correction(honest):
    return lambda optimizer, parameters, found, slots, t: honest(
        optimizer, parameters, found, slots, 10**9
    )


@replaces("optimizers.adam")
def adam_step_off_by_one(honest):
    return lambda optimizer, parameters, found, slots, t: honest(
        optimizer, parameters, found, slots, t + 1
    )


@alters
def infer_answers_cached(program):
    honest, memory = program.infer, {}
    program.infer = lambda batch: memory.setdefault(batch.size, honest(batch))


@alters
def drawn_masks_are_ones(program):
    honest = program._mask

    def mask(node, batch):
        found = honest(node, batch)
        return found if node.name in batch.masks else np.ones_like(found)

    program._mask = mask


@alters
def drawn_masks_are_drawn_again_in_the_backward_pass(program):
    forward = program._forward

    def remembering(batch):
        values, state, tape = forward(batch)
        for node in program._model.nodes:
            if node.op.random and node.name not in batch.masks:
                step = tape[node.name]
                again = step.parameters | {"mask": program._mask(node, batch)}
                tape[node.name] = step._replace(parameters=again)
        return values, state, tape

    program._forward = remembering


@alters
def drawn_masks_are_those_of_the_step_before(program):
    """One mask for every step, as of a generator that is reset."""
    honest, kept = program._mask, {}

    def mask(node, batch):
        if node.name in batch.masks:
            return honest(node, batch)
        return kept.setdefault(node.name, honest(node, batch))

    program._mask = mask


@replaces("optimizers._clipped")
def nothing_is_clipped(honest):
    return lambda optimizer, found: found
