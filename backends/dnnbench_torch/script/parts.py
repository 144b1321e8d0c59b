"""Functions that scripts of PyTorch hold as they stand here."""

import numpy as np
import torch
import torch.nn.functional as F

ARRAYS: dict = {}


def group(kind):
    """Arrays of the file by name, of one kind: `weights/`, `inputs/`, ..."""
    return {
        name.removeprefix(kind): placed(ARRAYS[name]) for name in ARRAYS if name.startswith(kind)
    }


def placed(array):
    """A copy as a tensor, images and kernels with their channels innermost in memory.

    `contiguous` would leave the strides of axes of size 1 as they fell, by which kernels choose.
    """
    x = torch.from_numpy(np.array(array))
    if x.ndim != 4:
        return x
    return x.movedim(1, -1).clone(memory_format=torch.contiguous_format).movedim(-1, 1)


def conv1d(x, weight, bias=None, stride=1, padding=(0, 0), dilation=1, groups=1):
    """As an image one row high, which F.conv1d would copy.      x: (N, T, C)   y: (N, T', F)"""
    row = x.transpose(1, 2).unsqueeze(2)  # (N, C, 1, T)
    before, after = padding if isinstance(padding, tuple) else (padding, padding)
    if before != after:
        row, before = F.pad(row, (before, after)), 0
    kernel = weight.unsqueeze(2)
    y = F.conv2d(row, kernel, bias, (1, stride), (0, before), (1, dilation), groups)
    return y.squeeze(2).transpose(1, 2)


def window_means(x, window, steps, pads):
    """Mean of each window over the elements that are no padding.      x: (N, C, H, W)"""
    (top, bottom), (left, right) = pads
    around = (left, right, top, bottom)
    sums = F.avg_pool2d(F.pad(x, around), window, steps, divisor_override=1)
    ones = F.pad(x.new_ones((1, 1, *x.shape[2:])), around)
    return sums / F.avg_pool2d(ones, window, steps, divisor_override=1)


def batch_norm(x, scale, bias, state, mean, variance, momentum, epsilon, unbiased=False):
    """In training; keeps running statistics in `state`, F.batch_norm would keep an unbiased
    variance.

    x: (N, C), (N, C, H, W) or (N, ..., C)
    """
    taken = x.ndim == 2 or (x.ndim == 4 and 1 not in x.shape[1:])
    last = x.permute(0, 2, 3, 1) if x.ndim == 4 else x  # channels last
    rows = x if taken else last.flatten(0, -2)
    saved = torch._batch_norm_impl_index(rows, scale, bias, None, None, True, 0.0, epsilon, True)
    y, batch_mean = saved[0], saved[1]
    batch_variance = saved[2].pow(-2) - epsilon  # saved is 1 / sqrt(variance + epsilon)
    if unbiased:
        count = rows.numel() // len(scale)
        batch_variance = batch_variance * (count / max(count - 1, 1))
    state[mean] = torch.lerp(state[mean], batch_mean, 1 - momentum)
    state[variance] = torch.lerp(state[variance], batch_variance, 1 - momentum)
    if taken:
        return y
    y = y.view_as(last)
    return y.permute(0, 3, 1, 2) if x.ndim == 4 else y


def batch_norm_of_rows(x, mean, variance, scale, bias, eps):
    """x: (N, C, H, W) or (N, ..., C)"""
    last = x.permute(0, 2, 3, 1) if x.ndim == 4 else x  # channels last
    rows = F.batch_norm(last.flatten(0, -2), mean, variance, scale, bias, eps=eps)
    y = rows.view_as(last)
    return y.permute(0, 3, 1, 2) if x.ndim == 4 else y


def layer_norm_of_images(x, scale, bias, epsilon):
    """Over the channels of each pixel.      x: (N, C, H, W)"""
    y = F.layer_norm(x.permute(0, 2, 3, 1), scale.shape, scale, bias, epsilon)
    return y.permute(0, 3, 1, 2)


@torch.compiler.disable  # traced, a layer would be unrolled
def lstm(x, weight, recurrent, bias, h=None, c=None, last=False):
    """Gates i, f, g, o; PyTorch adds two biases, the second one is zero.      x: (N, T, I)"""
    zeros = x.new_zeros((x.size(0), recurrent.size(1)))
    first = [(zeros if state is None else state).unsqueeze(0) for state in (h, c)]
    parameters = [weight, recurrent, bias, torch.zeros_like(bias)]
    trains = torch.is_grad_enabled()
    y, h, _ = torch.lstm(x, first, parameters, True, 1, 0.0, trains, False, True)
    return h.squeeze(0) if last else y  # (N, H) or (N, T, H)


@torch.compiler.disable  # traced, a layer would be unrolled
def gru(x, weight, recurrent, bias, hidden_bias, h=None, last=False):
    """Gates r, z, n; PyTorch's second bias stands before each gate.      x: (N, T, I)"""
    units = recurrent.size(1)
    first = (x.new_zeros((x.size(0), units)) if h is None else h).unsqueeze(0)
    parameters = [weight, recurrent, bias, F.pad(hidden_bias, (2 * units, 0))]
    trains = torch.is_grad_enabled()
    y, h = torch.gru(x, first, parameters, True, 1, 0.0, trains, False, True)
    return h.squeeze(0) if last else y  # (N, H) or (N, T, H)


def attention(q, k, v, heads, mask=None, causal=False):
    """q: (N, T, D)   k, v: (N, S, D)   mask: (N, S) or (N, T, S), True = attend"""
    queries, keys = q.shape[1], k.shape[1]
    q, k, v = (x.unflatten(-1, (heads, -1)).transpose(1, 2) for x in (q, k, v))
    if mask is not None:
        mask = mask[:, None, None] if mask.ndim == 2 else mask[:, None]
    triangle = causal and mask is None and 1 < queries == keys
    if causal and queries > 1 and not triangle:
        earlier = k.new_ones((queries, keys), dtype=torch.bool).tril(keys - queries)
        mask = earlier if mask is None else mask & earlier
    y = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=triangle)
    return y.transpose(1, 2).flatten(2)  # (N, T, D)


def copied(groups):
    """Copies of tensors by group and name."""
    return {
        group: {name: x.detach().clone() for name, x in named.items()}
        for group, named in groups.items()
    }


def restart(w, optimizer, first):
    """The first weights again, and slots of zeros; in place, as compiled code reads them there."""
    with torch.no_grad():
        for name, p in w.items():
            p.copy_(first["weights"][name])
        for slots in optimizer.state.values():
            for slot in slots.values():
                slot.zero_()


def gradients_of(loss, w):
    """dL/dp by name, zeros where none flows."""
    leaves = list(w.values())
    each = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
    return dict(zip(w, each, strict=True))


def in_memory_order(x):
    """A view whose axes lie in memory as they are named: PyTorch's fused steps take four times as
    long over kernels whose channels are innermost.
    """
    return x.permute(sorted(range(x.ndim), key=lambda axis: -x.stride(axis)))


def stepped(w):
    """What the optimizer changes: the weights, through views."""
    return [in_memory_order(p.detach()) for p in w.values()]


def hand_over(w, optimizer):
    """Gives each view its weight's gradient, which lies in memory as the weight does."""
    for p, view in zip(w.values(), optimizer.param_groups[0]["params"], strict=True):
        view.grad, p.grad = in_memory_order(p.grad), None


def clip(w, largest):
    """Makes the global norm at most `largest`; clip_grad_norm_ would add 1e-6 to the norm."""
    gradients = [p.grad for p in w.values()]
    norm = torch.nn.utils.get_total_norm(gradients, foreach=True)
    torch._foreach_mul_(gradients, largest / norm.clamp(min=largest))


def set_rate(optimizer, rate):
    """The learning rate of the next step, in place where it is a tensor."""
    for kept in optimizer.param_groups:
        if isinstance(kept["lr"], torch.Tensor):
            kept["lr"].fill_(rate)
        else:
            kept["lr"] = rate


def flat(result):
    """Arrays by `group/name`."""
    arrays = {}
    for group, value in result.items():
        named = value if isinstance(value, dict) else {None: value}
        for name, x in named.items():
            arrays[group if name is None else f"{group}/{name}"] = x.detach().numpy()
    return arrays
