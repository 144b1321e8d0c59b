"""The code of each op's gradient, over values in place of arrays.

Each function takes (op, g, y, *inputs, **parameters): g = dL/dy, y the op's value. How NumPy
computes it, and the formula, stand in `dnnbench_numpy.gradients`.
"""

from dataclasses import dataclass, field
from math import prod

from dnnbench.scripts.values import call


@dataclass(frozen=True)
class Backward:
    """Code of dL/dx for each input that may have one, and of dL/dp for each parameter by role.

    together: code of all of them at once, in that order, whose own are then empty.
    """

    inputs: tuple[str, ...] = ()
    learned: dict[str, str] = field(default_factory=dict)
    together: str = ""


def _joint(code, inputs, roles):
    return Backward(("",) * inputs, dict.fromkeys(roles, ""), code)


def dense(op, g, y, x, weight, bias=None):
    back, pair = (weight, (g, x)) if op.transposed else (f"{weight}.T", (x, g))
    learned = {"weight": call("summed_products", *pair)} | _bias(g, bias)
    return Backward((call("dense", g, back),), learned)


def _bias(g, bias):
    return {} if bias is None else {"bias": f"rows({g}).sum(axis=0)"}


def matmul(op, g, y, a, b):
    if op.transpose_b:
        return Backward((f"{g} @ {b}", f"{g}.swapaxes(-1, -2) @ {a}"))
    return Backward((f"{g} @ {b}.swapaxes(-1, -2)", f"{a}.swapaxes(-1, -2) @ {g}"))


def conv1d(op, g, y, x, weight, bias=None):
    """An image one pixel high."""
    geometry = {"strides": (1, op.strides), "pads": ((0, 0), op.pads([x.type]))}
    geometry |= _apart(op, (1, op.dilation))
    image, kernel = f"{x}[:, None]", f"{weight}[None]"
    to_input = call("conv_to_input", f"{g}[:, None]", kernel, f"{image}.shape", **geometry)
    shape = (1, *weight.shape)
    to_weight = call("conv_to_weight", f"{g}[:, None]", image, shape, **geometry)
    return Backward((f"{to_input}[:, 0]",), {"weight": f"{to_weight}[0]"} | _bias(g, bias))


def conv2d(op, g, y, x, weight, bias=None):
    geometry = {"strides": op.strides, "pads": op.pads([x.type]), **_apart(op, op.dilation)}
    to_input = call("conv_to_input", g, weight, f"{x}.shape", **geometry)
    to_weight = call("conv_to_weight", g, x, weight.shape, **geometry)
    return Backward((to_input,), {"weight": to_weight} | _bias(g, bias))


def _apart(op, dilation):
    spread = dilation if dilation != (1, 1) else None
    return {"dilation": spread, "groups": op.groups if op.groups > 1 else None}


def conv_transpose2d(op, g, y, x, weight, bias=None):
    geometry = {"strides": op.strides, "pads": op.pads}
    geometry |= {"dilation": op.dilation if op.dilation != (1, 1) else None}
    to_input = call("conv", g, weight, **geometry)
    to_weight = call("conv_to_weight", x, g, weight.shape, **geometry)
    return Backward((f"cropped({to_input}, {x}.shape)",), {"weight": to_weight} | _bias(g, bias))


def max_pool2d(op, g, y, x):
    return Backward((call("max_pool_backward", g, x, *_windows(op, x)),))


def _windows(op, x):
    return op.window, op.steps, op.pads([x.type])


def avg_pool2d(op, g, y, x):
    count = prod(op.window) if op.count_include_pad else None
    return Backward((call("avg_pool_backward", g, x, *_windows(op, x), count=count),))


def global_avg_pool(op, g, y, x):
    size = prod(x.shape[:2])
    return Backward((f"np.broadcast_to({g}[:, None, None] / {size}, {x}.shape)",))


def global_max_pool(op, g, y, x):
    return Backward((call("global_max_pool_backward", g, x),))


def adaptive_avg_pool2d(op, g, y, x):
    return Backward((call("adaptive_avg_pool_backward", g, x, *op.windows([x.type])),))


def flatten(op, g, y, x):
    return Backward((f"{g}.reshape({x}.shape)",))


def reshape(op, g, y, x):
    return Backward((f"{g}.reshape({x}.shape)",))


def transpose(op, g, y, x):
    back = sorted(range(len(op.axes)), key=op.axes.__getitem__)
    return Backward((f"{g}.transpose(0, {', '.join(str(axis + 1) for axis in back)})",))


def slice(op, g, y, x):
    axis = op.axis % len(x.shape) + 1
    return Backward((call("slice_backward", g, f"{x}.shape", axis, op.start),))


def concat(op, g, y, *inputs):
    axis = op.axis % (g.ndim - 1) + 1
    parts, start = [], 0
    for x in inputs:
        stop = start + x.shape[axis - 1]
        part = f"{g}[{':, ' * axis}{start}:{stop}]"
        parts.append(part if x.type.batched else f"{part}.sum(axis=0)")
        start = stop
    return Backward(tuple(parts))


def mean(op, g, y, x):
    axes = tuple(axis % len(x.shape) + 1 for axis in op.axes)
    count = prod(x.shape[axis - 1] for axis in axes)
    return Backward((f"np.broadcast_to(np.expand_dims({g}, {axes}) / {count}, {x}.shape)",))


def relu(op, g, y, x):
    return Backward((f"{g} * ({x} > 0)",))


def relu6(op, g, y, x):
    return Backward((f"{g} * (({x} > 0) & ({x} < 6))",))


def leaky_relu(op, g, y, x):
    return Backward((f"np.where({x} > 0, {g}, {op.slope} * {g})",))


def elu(op, g, y, x):
    return Backward((f"{g} * np.where({x} > 0, 1, {y} + {op.alpha})",))


def gelu(op, g, y, x):
    name = "gelu_by_tanh" if op.approximation == "tanh" else "gelu"
    return Backward((call(f"{name}_backward", g, x),))


def silu(op, g, y, x):
    return Backward((call("silu_backward", g, y, x),))


def hardswish(op, g, y, x):
    return Backward((call("hardswish_backward", g, x),))


def sigmoid(op, g, y, x):
    return Backward((f"{g} * {y} * (1 - {y})",))


def tanh(op, g, y, x):
    return Backward((f"{g} * (1 - {y} * {y})",))


def softmax(op, g, y, x):
    return Backward((f"{y} * ({g} - ({g} * {y}).sum(axis=-1, keepdims=True))",))


def add(op, g, y, *inputs):
    return Backward(tuple(_gathered(str(g), x, y) for x in inputs))


def _gathered(code, x, y):
    """What was stretched gathers its gradient over the axes that it was stretched along."""
    same = x.type.batched and x.shape == y.shape
    return code if same else f"gathered({code}, {x}.shape)"


def mul(op, g, y, *inputs):
    gradients = []
    for i, x in enumerate(inputs):
        others = [str(other) for j, other in enumerate(inputs) if j != i]
        gradients.append(_gathered(" * ".join([str(g), *others]), x, y))
    return Backward(tuple(gradients))


def dropout(op, g, y, x, mask):
    return Backward((call("thinned", g, mask, op.rate),))


def stochastic_depth(op, g, y, x, mask):
    return Backward((call("thinned", g, mask, op.rate),))


def batch_norm(op, g, y, x, scale, bias):
    axes = tuple(range(x.ndim - 1))
    return _norm(g, x, scale, axes, op.epsilon)


def layer_norm(op, g, y, x, scale, bias):
    return _norm(g, x, scale, (-1,), op.epsilon)


def _norm(g, x, scale, axes, epsilon):
    return _joint(call("norm_backward", g, x, scale, axes, epsilon), 1, ("scale", "bias"))


def rms_norm(op, g, y, x, scale):
    return _joint(call("rms_norm_backward", g, x, scale, op.epsilon), 1, ("scale",))


def group_norm(op, g, y, x, scale, bias):
    code = call("group_norm_backward", g, x, scale, op.groups, op.epsilon)
    return _joint(code, 1, ("scale", "bias"))


def embedding(op, g, y, ids, weight):
    return Backward((), {"weight": call("embedding_backward", g, ids, weight)})


def position_embedding(op, g, y, x, weight):
    to_weight = call("slice_backward", f"{g}.sum(axis=0)", f"{weight}.shape", 0, op.offset)
    return Backward((str(g),), {"weight": to_weight})


def lstm(op, g, y, x, *states, weight, recurrent, bias):
    roles = ("weight", "recurrent", "bias")
    return _recurrent(op, "lstm", g, x, states, (weight, recurrent, bias), roles, "hc")


def gru(op, g, y, x, *states, weight, recurrent, bias, hidden_bias):
    roles = ("weight", "recurrent", "bias", "hidden_bias")
    learned = (weight, recurrent, bias, hidden_bias)
    return _recurrent(op, "gru", g, x, states, learned, roles, "h")


def _recurrent(op, kind, g, x, states, learned, roles, names):
    first = dict(zip(names, states, strict=False))
    code = call(f"{kind}_backward", g, x, *learned, **first, last=None if op.sequences else True)
    return _joint(code, 1 + len(states), roles)


def attention(op, g, y, q, k, v, mask=None):
    causal = op.causal or None
    code = call("attention_backward", g, q, k, v, op.heads, mask=mask, causal=causal)
    return _joint(code, 3, ())


def cross_entropy(loss, z, labels):
    smoothing = loss.smoothing or None
    return call("cross_entropy_backward", z, labels, smoothing=smoothing, ignored=loss.ignored)


def bce_with_logits(loss, z, targets):
    return f"(sigmoid({z}) - {targets}) / {z}.size"


def mse(loss, z, targets):
    return f"2 * ({z} - {targets}) / {z}.size"
