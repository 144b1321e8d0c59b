"""The code of each op, over values in place of tensors; images are (N, C, H, W).

What an op means stands in `dnnbench.spec.ops`, how PyTorch computes it in `dnnbench_torch.ops`.
"""

from dnnbench.scripts.values import call, key_of


def dense(op, x, weight, bias=None):
    return call("F.linear", x, weight, bias)


def matmul(op, a, b):
    b = f"{canonical(b)}.transpose(-1, -2)" if op.transpose_b else canonical(b)
    return inside(f"({canonical(a)} @ {b})" if a.ndim == 4 else f"{canonical(a)} @ {b}", a.ndim)


def conv1d(op, x, weight, bias=None):
    window = _window(op.strides, op.pads([x.type]), op.dilation, op.groups)
    return call("conv1d", x, weight, bias, **window)


def conv2d(op, x, weight, bias=None):
    (top, bottom), (left, right) = op.pads([x.type])
    even = top == bottom and left == right
    image = x if even else call("F.pad", x, (left, right, top, bottom))
    window = _window(op.strides, (top, left) if even else 0, op.dilation, op.groups)
    return call("F.conv2d", image, weight, bias, **window)


def _window(strides, padding, dilation, groups=1):
    """Arguments of a convolution that are not what they are by default."""
    both = {"stride": strides, "padding": padding, "dilation": dilation, "groups": groups}
    usual = {"stride": 1, "padding": 0, "dilation": 1, "groups": 1}
    return {name: _short(value) for name, value in both.items() if _short(value) != usual[name]}


def _short(value):
    """(3, 3) as 3."""
    if isinstance(value, tuple) and len(set(value)) == 1 and not isinstance(value[0], tuple):
        return value[0]
    return value


def conv_transpose2d(op, x, weight, bias=None):
    """PyTorch cuts the same on both sides; anything else is cut here."""
    height, width, _ = op.output([x.type]).shape
    (top, bottom), (left, right) = op.pads
    even = top == bottom and left == right
    window = _window(op.strides, (top, left) if even else 0, op.dilation)
    if any(op.output_padding):
        window["output_padding"] = _short(op.output_padding)
    y = call("F.conv_transpose2d", x, weight, bias, **window)
    return y if even else f"{y}.narrow(2, {top}, {height}).narrow(3, {left}, {width})"


def max_pool2d(op, x):
    x, padding = _padded(op, x, value='-float("inf")')
    return call("F.max_pool2d", x, _short(op.window), **_pool(op, padding))


def avg_pool2d(op, x):
    padded, padding = _padded(op, x)
    if padded != str(x) and not op.count_include_pad:
        return call("window_means", x, op.window, op.steps, op.pads([x.type]))
    counts = {} if op.count_include_pad or not padding else {"count_include_pad": False}
    return call("F.avg_pool2d", padded, _short(op.window), **_pool(op, padding), **counts)


def _padded(op, x, value=None):
    """(code of x, padding that PyTorch's pool does itself): the same on both sides, half a window
    at most.
    """
    (top, bottom), (left, right) = op.pads([x.type])
    fits = top <= op.window[0] // 2 and left <= op.window[1] // 2
    if top == bottom and left == right and fits:
        return str(x), _short((top, left))
    return call("F.pad", x, (left, right, top, bottom), value=value), 0


def _pool(op, padding):
    stride = {} if op.steps == op.window else {"stride": _short(op.steps)}
    return stride | ({"padding": padding} if padding else {})


def global_avg_pool(op, x):
    return f"{x}.mean((2, 3))"


def global_max_pool(op, x):
    return f"{x}.flatten(2).max(-1).values"


def adaptive_avg_pool2d(op, x):
    return call("F.adaptive_avg_pool2d", x, _short(op.size))


def flatten(op, x):
    return f"{canonical(x)}.flatten(1)"


def reshape(op, x):
    sizes = ", ".join(map(str, op.shape))
    return inside(f"{canonical(x)}.reshape(-1, {sizes})", 1 + len(op.shape))


def transpose(op, x):
    axes = ", ".join(str(1 + axis) for axis in op.axes)
    return inside(f"{canonical(x)}.permute(0, {axes})", x.ndim)


def slice(op, x):
    dim = dim_of(x.ndim, op.axis)
    stop = op.stop or x.shape[op.axis]
    return f"{x}.narrow({dim}, {op.start}, {stop - op.start})"


def concat(op, *inputs):
    [batched, *_] = [x for x in inputs if x.type.batched]
    dim = dim_of(batched.ndim, op.axis)
    joined = [str(x) if x.type.batched else _for_each(batched, x) for x in inputs]
    return f"torch.cat([{', '.join(joined)}], {dim})"


def _for_each(batched, constant):
    """A learned constant once for every example."""
    return f"{constant}.expand({batched}.size(0), {', '.join(['-1'] * len(constant.shape))})"


def mean(op, x):
    axes = tuple(axis % (x.ndim - 1) + 1 for axis in op.axes)
    return inside(f"{canonical(x)}.mean({axes if len(axes) > 1 else axes[0]})", x.ndim - len(axes))


def relu(op, x):
    return call("F.relu", x)


def relu6(op, x):
    return call("F.relu6", x)


def leaky_relu(op, x):
    return call("F.leaky_relu", x, op.slope)


def elu(op, x):
    return call("F.elu", x, op.alpha)


def gelu(op, x):
    return call("F.gelu", x, approximate='"tanh"' if op.approximation == "tanh" else None)


def silu(op, x):
    return call("F.silu", x)


def hardswish(op, x):
    return call("F.hardswish", x)


def sigmoid(op, x):
    return call("torch.sigmoid", x)


def tanh(op, x):
    return call("torch.tanh", x)


def softmax(op, x):
    return call("torch.softmax", x, dim_of(x.ndim, -1))


def add(op, *inputs):
    return " + ".join([str(inputs[0]), *beside(inputs)])


def mul(op, *inputs):
    return " * ".join([str(inputs[0]), *beside(inputs)])


def dropout(op, x, mask, generator):
    return call("F.dropout", x, op.rate)


def stochastic_depth(op, x, mask, generator):
    ones = ", ".join(["1"] * (x.ndim - 1))
    return f"{x} * F.dropout({x}.new_ones(({x}.size(0), {ones})), {op.rate})"


def batch_norm(op, x, scale, bias, mean, variance):
    """As it is where PyTorch takes such a batch: (N, C), or (N, C, H, W) without an axis of 1,
    whose stride its gradient reads.
    """
    taken = x.ndim == 2 or (x.ndim == 4 and 1 not in x.shape)
    function = "F.batch_norm" if taken else "batch_norm_of_rows"
    return call(function, x, mean, variance, scale, bias, eps=op.epsilon)


def batch_norm_training(op, x, scale, bias, mean, variance):
    kept = ("state", key_of(mean), key_of(variance))
    constants = (op.momentum, op.epsilon, True if op.unbiased else None)
    return call("batch_norm", x, scale, bias, *kept, *constants), {}


def layer_norm(op, x, scale, bias):
    if x.ndim == 4:
        return call("layer_norm_of_images", x, scale, bias, op.epsilon)
    return call("F.layer_norm", x, f"({x.shape[-1]},)", scale, bias, op.epsilon)


def rms_norm(op, x, scale):
    return inside(call("F.rms_norm", canonical(x), f"({x.shape[-1]},)", scale, op.epsilon), x.ndim)


def group_norm(op, x, scale, bias):
    """In contiguous memory: for channels_last PyTorch takes the variance in one pass."""
    rows = str(x) if x.ndim in (2, 4) else f"{x}.movedim(-1, 1)"
    y = call("F.group_norm", f"{rows}.contiguous()", op.groups, scale, bias, op.epsilon)
    if x.ndim == 4:
        return f"{y}.contiguous(memory_format=torch.channels_last)"
    return y if x.ndim == 2 else f"{y}.movedim(1, -1)"


def embedding(op, ids, weight):
    return inside(call("F.embedding", ids, weight), ids.ndim + 1)


def position_embedding(op, x, weight):
    return f"{x} + {weight}.narrow(0, {op.offset}, {x.shape[0]})"


def lstm(op, x, *state, weight, recurrent, bias):
    h, c = state or (None, None)
    return call("lstm", x, weight, recurrent, bias, h=h, c=c, last=_last(op))


def gru(op, x, *state, weight, recurrent, bias, hidden_bias):
    (h,) = state or (None,)
    return call("gru", x, weight, recurrent, bias, hidden_bias, h=h, last=_last(op))


def _last(op):
    return None if op.sequences else True


def attention(op, q, k, v, mask=None):
    return call("attention", q, k, v, op.heads, mask=mask, causal=op.causal or None)


def canonical(x):
    """Code of an image as (N, H, W, C); other tensors are as the spec has them."""
    return f"{x}.permute(0, 2, 3, 1)" if x.ndim == 4 and x.type.kind == "float" else str(x)


def inside(code, ndim):
    """What `canonical` undoes, for a tensor of `ndim` axes."""
    return f"{code}.permute(0, 3, 1, 2)" if ndim == 4 else code


def dim_of(ndim, axis):
    """Where an axis of an example lies."""
    axis %= ndim - 1
    return (2, 3, 1)[axis] if ndim == 4 else axis + 1


def beside(inputs):
    """Code of all inputs but the first, a learned constant's axes where the first one's are."""
    return [_stretched(x, inputs[0].ndim) for x in inputs[1:]]


def _stretched(x, ndim):
    if x.type.batched:
        return str(x)
    match ndim, x.ndim:
        case 4, 1:
            return f"{x}.view(-1, 1, 1)"
        case 4, 2:
            return f"{x}.t().unsqueeze(1)"
        case _, 3 if ndim > 4:
            return f"{x}.permute(1, 2, 0)"
    return str(x)
