"""Faults in the TensorFlow backend."""

from types import SimpleNamespace

import tensorflow as tf
from dnnbench_tensorflow import ops

from .planting import replaces


def _times(y, factors):
    return y * tf.constant(factors(tuple(y.shape)), y.dtype)


def _kept(y, memory, op):
    return memory.setdefault((op, tuple(y.shape)), y)


TOOLS = SimpleNamespace(
    times=_times,
    single=lambda y: tf.cast(tf.cast(y, tf.float32), y.dtype),
    still=tf.stop_gradient,
    kept=_kept,
    HEIGHT=1,
)


def _with_op(**changes):
    return lambda honest: lambda op, *a, **k: honest(op.model_copy(update=changes), *a, **k)


@replaces("ops.conv2d")
def conv2d_same_in_place_of_numbers(honest):
    return _with_op(padding="same")(honest)


@replaces("ops.conv1d")
def conv1d_padding_on_the_other_side(honest):
    def fault(op, x, weight, bias=None):
        return honest(
            op.model_copy(update={"padding": op.pads(ops.types(x))[::-1]}), x, weight, bias
        )

    return fault


@replaces("ops.avg_pool2d")
def avg_pool2d_divisor_that_counts_padding(honest):
    return _with_op(count_include_pad=True)(honest)


@replaces("ops.dense")
def dense_stale_weights(honest):
    memory = {}

    def first(p):
        if not isinstance(p, tf.Variable):
            return p
        return p + tf.stop_gradient(memory.setdefault(p.ref(), tf.identity(p)) - p)

    return lambda op, x, weight, bias=None: honest(op, x, first(weight), first(bias))


@replaces("ops.embedding")
def embedding_rows_scaled(honest):
    return lambda op, ids, weight: honest(op, ids, weight) * op.features**0.5


@replaces("ops.position_embedding")
def position_embedding_offset_left_out(honest):
    return _with_op(offset=0)(honest)


@replaces("ops.stochastic_depth")
def stochastic_depth_divided_by_the_rate(honest):
    return lambda op, *a, **k: honest(op, *a, **k) * ((1 - op.rate) / op.rate)


@replaces("ops.batch_norm_training")
def batch_norm_momentum_s_meaning(honest):
    return lambda op, *a, **k: honest(op.model_copy(update={"momentum": 1 - op.momentum}), *a, **k)


@replaces("ops.group_norm")
def group_norm_epsilon_1e_3(honest):
    return _with_op(epsilon=1e-3)(honest)


@replaces("ops.gru")
def gru_z_inverted(honest):
    def turned(p, units):
        return tf.concat([-p[..., :units], p[..., units:]], -1)

    def fault(op, x, *states, weight, recurrent, bias, hidden_bias):
        wide = {"weight": weight, "recurrent": recurrent, "bias": bias}
        wide = {role: turned(tf.convert_to_tensor(p), op.units) for role, p in wide.items()}
        return honest(op, x, *states, hidden_bias=hidden_bias, **wide)

    return fault


@replaces("ops.leaky_relu")
def leaky_relu_slope_0_01(honest):
    return _with_op(slope=0.01)(honest)


@replaces("ops.relu6")
def relu6_unbounded(honest):
    return lambda op, x: tf.nn.relu(x)


@replaces("ops.softmax")
def softmax_over_positions(honest):
    return lambda op, x: tf.nn.softmax(x, axis=1)


@replaces("ops.batch_norm_training")
def batch_norm_input_gradient_without_the_scale(honest):
    def fault(op, x, scale, bias, mean, variance):
        y, state = honest(op, x, tf.ones_like(scale), tf.zeros_like(bias), mean, variance)
        return y - tf.stop_gradient(y) + scale * tf.stop_gradient(y) + bias, state

    return fault


@replaces("ops.concat")
def concat_other_order(honest):
    return lambda op, *inputs: honest(op, *inputs[::-1])


@replaces("optimizers.sgd")
def sgd_decay_left_out(honest):
    return _with_op(weight_decay=0.0)(honest)


@replaces("optimizers._move_by_moments")
def adam_epsilon_hat(honest):
    """Epsilon beside a root that is not corrected, as Keras has it."""

    def fault(optimizer, gradients, slots, rate, steps):
        correction = tf.sqrt(1 - tf.pow(tf.constant(optimizer.beta2, tf.float64), steps))
        hat = optimizer.model_copy(update={"epsilon": optimizer.epsilon / correction})
        return honest(hat, gradients, slots, rate, steps)

    return fault


@replaces("ops.dropout")
def drawn_dropout_is_drawn_again_in_the_backward_pass(honest):
    def fault(op, x, mask, generator):
        if mask is not None:
            return honest(op, x, mask, generator)
        kept, again = (honest(op, tf.ones_like(x), None, generator) for _ in range(2))
        return x * again + tf.stop_gradient(x * (kept - again))

    return fault


@replaces("ops.dropout")
def drawn_dropout_keeps_eight_bits(honest):
    """Chances in 1/256, as of a generator of bytes."""

    def fault(op, x, mask, generator):
        if mask is None:
            mask = generator.uniform(x.shape) >= 3 / 256 * round(op.rate * 256 / 3 + 8)
        return honest(op, x, mask, generator)

    return fault


@replaces("optimizers._clipped")
def nothing_is_clipped(honest):
    return lambda optimizer, *a: honest(optimizer.model_copy(update={"clip_norm": None}), *a)
