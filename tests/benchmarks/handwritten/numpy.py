"""The digits networks in NumPy: matrix products, in-place arithmetic,
and backpropagation by hand.
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

LEARNING_RATE, MOMENTUM = 0.05, 0.9


def dense(x, w, b):
    y = x @ w
    y += b
    return y


def relu(x):
    """In place."""
    return np.maximum(x, 0, out=x)


def columns(x):
    """The 3x3 window around each pixel as a row.      x: (N, H, W, C)   returns: (N H W, 9 C)"""
    n, h, w, c = x.shape
    padded = np.zeros((n, h + 2, w + 2, c), x.dtype)
    padded[:, 1:-1, 1:-1] = x
    windows = sliding_window_view(padded, (3, 3), axis=(1, 2))  # (N, H, W, C, 3, 3)
    return windows.transpose(0, 1, 2, 4, 5, 3).reshape(n * h * w, 9 * c)


def from_columns(rows, shape):
    """Add each window up where it came from: the gradient of `columns`."""
    n, h, w, c = shape
    windows = rows.reshape(n, h, w, 3, 3, c)
    padded = np.zeros((n, h + 2, w + 2, c), rows.dtype)
    for i in range(3):
        for j in range(3):
            padded[:, i : i + h, j : j + w] += windows[:, :, :, i, j]
    return padded[:, 1:-1, 1:-1]


def corners(x):
    """The four elements of all 2x2 windows.
    x: (N, H, W, C)
    returns: four of (N, H/2, W/2, C)
    """
    return x[:, ::2, ::2], x[:, ::2, 1::2], x[:, 1::2, ::2], x[:, 1::2, 1::2]


def pool(x):
    a, b, c, d = corners(x)
    return np.maximum(np.maximum(a, b), np.maximum(c, d))


def pool_gradient(g, y, x):
    """g goes to the first element of each window that is the largest."""
    dx = np.empty_like(x)
    left = np.ones(y.shape, bool)
    for corner, d in zip(corners(x), corners(dx), strict=True):
        hit = (corner == y) & left
        np.multiply(g, hit, out=d)
        left &= ~hit
    return dx


def conv(x, w, b):
    """(feature maps after relu, windows)"""
    rows = columns(x)
    y = relu(dense(rows, w.reshape(-1, w.shape[-1]), b))
    return y.reshape(*x.shape[:3], -1), rows


def dense_gradients(w, layer, x, g):
    return {
        f"{layer}.weight": (x.T @ g).reshape(w[f"{layer}.weight"].shape),
        f"{layer}.bias": g.sum(axis=0),
    }


def mlp(w, x):
    """(logits, what backpropagation needs)"""
    h1 = relu(dense(x, w["fc1.weight"], w["fc1.bias"]))
    h2 = relu(dense(h1, w["fc2.weight"], w["fc2.bias"]))
    return dense(h2, w["logits.weight"], w["logits.bias"]), (x, h1, h2)


def mlp_gradients(w, kept, dz):
    x, h1, h2 = kept
    d2 = dz @ w["logits.weight"].T
    d2 *= h2 > 0
    d1 = d2 @ w["fc2.weight"].T
    d1 *= h1 > 0
    layers = (("fc1", x, d1), ("fc2", h1, d2), ("logits", h2, dz))
    return {k: g for layer, a, d in layers for k, g in dense_gradients(w, layer, a, d).items()}


def cnn(w, x):
    """(logits, what backpropagation needs)"""
    a1, rows1 = conv(x, w["conv1.weight"], w["conv1.bias"])
    p1 = pool(a1)
    a2, rows2 = conv(p1, w["conv2.weight"], w["conv2.bias"])
    p2 = pool(a2)
    flat = p2.reshape(len(x), -1)
    h = relu(dense(flat, w["fc1.weight"], w["fc1.bias"]))
    return dense(h, w["logits.weight"], w["logits.bias"]), (rows1, a1, p1, rows2, a2, p2, flat, h)


def cnn_gradients(w, kept, dz):
    rows1, a1, p1, rows2, a2, p2, flat, h = kept
    dh = dz @ w["logits.weight"].T
    dh *= h > 0
    d2 = pool_gradient((dh @ w["fc1.weight"].T).reshape(p2.shape), p2, a2)
    d2 *= a2 > 0
    d2 = d2.reshape(-1, d2.shape[-1])
    d1 = pool_gradient(
        from_columns(d2 @ w["conv2.weight"].reshape(-1, d2.shape[-1]).T, p1.shape), p1, a1
    )
    d1 *= a1 > 0
    d1 = d1.reshape(-1, d1.shape[-1])
    layers = (("conv1", rows1, d1), ("conv2", rows2, d2), ("fc1", flat, dh), ("logits", h, dz))
    return {k: g for layer, a, d in layers for k, g in dense_gradients(w, layer, a, d).items()}


def cross_entropy(z, labels):
    """(mean loss, softmax)"""
    shifted = z - z.max(axis=1, keepdims=True)
    p = np.exp(shifted)
    total = p.sum(axis=1, keepdims=True)
    p /= total
    loss = (np.log(total[:, 0]) - shifted[np.arange(len(z)), labels]).mean()
    return loss, p


NETWORKS = {"mlp_digits": (mlp, mlp_gradients), "cnn_digits": (cnn, cnn_gradients)}


class Trainer:
    """A network with its momentum."""

    def __init__(self, network, mode, weights):
        self._net, self._backward = NETWORKS[network]
        self._first = weights
        self.restart()

    def restart(self):
        self._weights = {name: array.copy() for name, array in self._first.items()}
        self._velocity = {name: np.zeros_like(array) for name, array in self._first.items()}

    def phases(self, images, labels):
        x, y = images.copy(), labels.astype(np.intp)
        return {
            "infer": lambda: self.infer(x),
            "forward": lambda: self._net(self._weights, x),
            "loss": lambda: self.loss(x, y),
            "gradients": lambda: self.gradients(x, y),
            "train_step": lambda: self.train_step(x, y),
        }

    def infer(self, x):
        z, _ = self._net(self._weights, x)
        return z, z.argmax(axis=1)

    def loss(self, x, y):
        z, kept = self._net(self._weights, x)
        return z, cross_entropy(z, y)[0], kept

    def gradients(self, x, y):
        z, kept = self._net(self._weights, x)
        loss, dz = cross_entropy(z, y)
        dz[np.arange(len(y)), y] -= 1
        dz /= len(y)
        return z, loss, self._backward(self._weights, kept, dz)

    def train_step(self, x, y):
        z, loss, gradients = self.gradients(x, y)
        for name, p in self._weights.items():
            v = self._velocity[name]
            v *= MOMENTUM
            v += gradients[name]
            p -= LEARNING_RATE * v
        return z, loss

    def weights(self):
        return self._weights

    def gradients_in(self, result):
        return result[2]
