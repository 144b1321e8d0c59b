"""Faults in the JAX backend."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import optax
from jax import lax

from .planting import alters, replaces


def _times(y, factors):
    return y * jnp.asarray(factors(y.shape), y.dtype)


TOOLS = SimpleNamespace(
    times=_times,
    single=lambda y: y.astype("float32").astype(y.dtype),
    still=lax.stop_gradient,
    HEIGHT=1,
)


@replaces("ops.conv1d")
def conv1d_bias_gradient_dropped(honest):
    return lambda op, x, weight, bias=None: honest(
        op, x, weight, None if bias is None else lax.stop_gradient(bias)
    )


@replaces("ops.layer_norm")
def layer_norm_no_gradient_through_statistics(honest):
    def fault(op, x, scale, bias):
        mean, variance = (
            lax.stop_gradient(f(x, axis=-1, keepdims=True)) for f in (jnp.mean, jnp.var)
        )
        return (x - mean) * lax.rsqrt(variance + op.epsilon) * scale + bias

    return fault


@replaces("ops.group_norm")
def group_norm_input_gradient_without_the_scale(honest):
    def fault(op, x, scale, bias):
        y = honest(op, x, jnp.ones_like(scale), jnp.zeros_like(bias))
        return y - lax.stop_gradient(y) + scale * lax.stop_gradient(y) + bias

    return fault


@replaces("ops.rms_norm")
def rms_norm_epsilon_of_the_type(honest):
    return lambda op, x, scale: honest(
        op.model_copy(update={"epsilon": float(jnp.finfo(x.dtype).eps)}), x, scale
    )


@replaces("ops.attention")
def attention_softmax_in_float32(honest):
    """What `jax.nn.dot_product_attention` does even for float64."""

    def fault(op, q, k, v, mask=None):
        heads = [x.reshape(*x.shape[:2], op.heads, -1) for x in (q, k, v)]
        return jax.nn.dot_product_attention(*heads, is_causal=op.causal).reshape(q.shape)

    return fault


@replaces("ops.gelu")
def gelu_tanh(honest):
    return lambda op, x: jax.nn.gelu(x)


@replaces("ops.relu")
def relu_derivative_1_at_zero(honest):
    return lambda op, x: jnp.where(x >= 0, x, 0)


@replaces("ops.slice")
def slice_one_place_late(honest):
    def fault(op, x):
        axis = op.axis % (x.ndim - 1) + 1
        return honest(op, jnp.roll(x, -1, axis))

    return fault


@replaces("ops.mean")
def mean_sum(honest):
    return lambda op, x: x.sum(axis=tuple(axis % (x.ndim - 1) + 1 for axis in op.axes))


@replaces("losses.cross_entropy")
def cross_entropy_ignored_labels_counted(honest):
    def fault(loss, z, labels):
        share = jnp.mean(labels != loss.ignored, dtype=z.dtype) if loss.ignored is not None else 1.0
        return honest(loss, z, labels) * share

    return fault


@replaces("optimizers._prepared")
def momentum_clipped_after_decay(honest):
    def fault(optimizer, update):
        clipped = (
            optax.chain(optax.clip_by_global_norm(optimizer.clip_norm), update)
            if optimizer.clip_norm
            else update
        )
        return optax.chain(optax.add_decayed_weights(optimizer.weight_decay), clipped)

    return fault


@replaces("optimizers.rmsprop")
def rmsprop_epsilon_inside_the_root(honest):
    def fault(optimizer):
        return optax.rmsprop(optimizer.learning_rate, optimizer.decay, optimizer.epsilon)

    return fault


@alters
def train_step_running_statistics_not_kept(program):
    honest = program.train_step

    def forgetful(batch):
        kept = program._state
        result = honest(batch)
        program._state = jax.tree.map(jnp.copy, kept)
        return result

    program.train_step = forgetful


@replaces("ops.dropout")
def drawn_dropout_is_not_scaled(honest):
    def fault(op, x, mask, generator):
        y = honest(op, x, mask, generator)
        return y if mask is not None else y * (1 - op.rate)

    return fault


@replaces("ops.stochastic_depth")
def drawn_stochastic_depth_keeps_the_rate(honest):
    """The share that is to be dropped is kept."""

    def fault(op, x, mask, generator):
        if mask is None:
            mask = jax.random.bernoulli(generator, op.rate, x.shape[:1])
        return honest(op, x, mask, generator)

    return fault


@replaces("optimizers._clipped")
def nothing_is_clipped(honest):
    return lambda optimizer, update: update
