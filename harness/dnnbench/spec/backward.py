"""The backward pass of each op and loss as formulas: what `show --backward` and docs/ops.md print.

dy is the gradient of the loss with respect to y, and so for every name; ids and masks have none.
A product of two names is the op's own: of matrices where the op multiplies matrices, else of
elements. `tests/spec/test_backward.py` evaluates them beside the NumPy backend's gradients.
"""

from collections.abc import Mapping

from .ops import AnyOp
from .ops.combine import Matmul
from .ops.dense import Dense

Formulas = tuple[str, ...]

_AFFINE = ("dg = sum(dy xhat)", "db = sum(dy)", "xhat = (x - mu) / sqrt(v + eps)")
_STANDARDISED = "dx = (h - mean(h) - xhat mean(h xhat)) / sqrt(v + eps), h = g dy"
_THROUGH_TIME = ("dW = sum_t x^T da", "db = sum_t da")

BACKWARD: Mapping[str, Formulas] = {
    "dense": ("dx = dy W^T", "dW = x^T dy", "db = sum(dy)"),
    "matmul": ("da = dy b^T", "db = a^T dy"),
    "conv1d": ("dx = dy *^T W", "dW = x * dy, summed over the batch", "db = sum(dy)"),
    "conv2d": ("dx = dy *^T W", "dW = x * dy, summed over the batch", "db = sum(dy)"),
    "conv_transpose2d": ("dx = dy * W", "dW = dy * x, summed over the batch", "db = sum(dy)"),
    "max_pool2d": ("dx = sum over windows of dy at the first largest x, 0 elsewhere",),
    "avg_pool2d": ("dx = sum over windows that read x of dy / count",),
    "global_avg_pool": ("dx = dy / (H W)",),
    "global_max_pool": ("dx = dy at the first largest x, 0 elsewhere",),
    "adaptive_avg_pool2d": ("dx = sum over windows that read x of dy / count",),
    "flatten": ("dx = dy in the axes of x",),
    "reshape": ("dx = dy in the axes of x",),
    "transpose": ("dx = dy, axes permuted back",),
    "slice": ("dx = dy at start:stop, 0 elsewhere",),
    "concat": ("dx1 = the part of dy that x1 became",),
    "mean": ("dx = dy / count",),
    "relu": ("dx = x > 0 ? dy : 0",),
    "relu6": ("dx = x > 0 and x < 6 ? dy : 0",),
    "leaky_relu": ("dx = x > 0 ? dy : a dy",),
    "elu": ("dx = x > 0 ? dy : dy (y + a)",),
    "gelu": ("dx = dy (Phi(x) + x Phi'(x))",),
    "silu": ("dx = dy (s + y (1 - s)), s = 1 / (1 + exp(-x))",),
    "hardswish": ("dx = x <= -3 ? 0 : x >= 3 ? dy : dy (2 x + 3) / 6",),
    "sigmoid": ("dx = dy y (1 - y)",),
    "tanh": ("dx = dy (1 - y^2)",),
    "softmax": ("dx = y (dy - sum(dy y))",),
    "add": ("dx1 = dy",),
    "mul": ("dx1 = dy x2",),
    "dropout": ("dx = dy m / (1 - rate)",),
    "stochastic_depth": ("dx = dy m / (1 - rate)",),
    "batch_norm": (_STANDARDISED, *_AFFINE),
    "layer_norm": (_STANDARDISED, *_AFFINE),
    "rms_norm": (
        "dx = (h - xhat mean(h xhat)) / r, h = g dy",
        "dg = sum(dy xhat)",
        "xhat = x / r, r = sqrt(mean(x^2) + eps)",
    ),
    "group_norm": (_STANDARDISED, *_AFFINE),
    "embedding": ("dW[id] = sum of dy wherever the id was looked up",),
    "position_embedding": ("dx = dy", "dW[offset + t] = sum over the batch of dy at t"),
    "lstm": (
        "for t from the last: dh' = dy + dh, dc' = dc + dh' o (1 - tanh(c')^2)",
        "da = [dc' g i (1 - i), dc' c f (1 - f), dc' i (1 - g^2), dh' tanh(c') o (1 - o)]",
        "dx = da W^T, dh = da U^T, dc = dc' f",
        *_THROUGH_TIME,
        "dU = sum_t h^T da",
    ),
    "gru": (
        "for t from the last: dh' = dy + dh, dn = dh' (1 - z) (1 - n^2)",
        "da = [dh' (h - n) z (1 - z), dn (u_n + b_h) r (1 - r), dn]",
        "du = [da_z, da_r, dn r]",
        "dx = da W^T, dh = dh' z + du U^T",
        *_THROUGH_TIME,
        "dU = sum_t h^T du",
        "db_h = sum_t du_n",
    ),
    "attention": (
        "dv = p^T dy, p = softmax(q k^T / sqrt(d))",
        "ds = p (dp - sum(dp p)), dp = dy v^T",
        "dq = ds k / sqrt(d)",
        "dk = ds^T q / sqrt(d)",
    ),
}
"""Formulas by kind of op, of an op as its `formula` writes it."""

BACKWARD_OF_LOSS: Mapping[str, Formulas] = {
    "cross_entropy": ("dz = (softmax(z) - onehot(label)) / n, n labels that count",),
    "bce_with_logits": ("dz = (1 / (1 + exp(-z)) - t) / n, n elements",),
    "mse": ("dz = 2 (z - t) / n, n elements",),
}
"""What a loss hands to the last layer, by kind of loss."""

_TRANSPOSED_DENSE = ("dx = dy W", "dW = dy^T x", "db = sum(dy)")
_TRANSPOSED_MATMUL = ("da = dy b", "db = dy^T a")


def backward_of(op: AnyOp) -> Formulas:
    """The formulas of this op, as its attributes have it."""
    if isinstance(op, Dense) and op.transposed:
        return _TRANSPOSED_DENSE
    if isinstance(op, Matmul) and op.transpose_b:
        return _TRANSPOSED_MATMUL
    return BACKWARD[op.kind]
