"""The digits networks in TensorFlow: variables, tf.function with one concrete function
a phase, XLA.
"""

import numpy as np
import tensorflow as tf


def dense(x, w, b):
    return tf.nn.bias_add(tf.matmul(x, w), b)


def block(x, w, b):
    x = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(x, w, 1, "SAME"), b))
    return tf.nn.max_pool2d(x, 2, 2, "VALID")


def mlp(w, x):
    x = tf.nn.relu(dense(x, w["fc1.weight"], w["fc1.bias"]))
    x = tf.nn.relu(dense(x, w["fc2.weight"], w["fc2.bias"]))
    return dense(x, w["logits.weight"], w["logits.bias"])


def cnn(w, x):
    x = block(x, w["conv1.weight"], w["conv1.bias"])
    x = block(x, w["conv2.weight"], w["conv2.bias"])
    x = tf.reshape(x, (x.shape[0], -1))
    x = tf.nn.relu(dense(x, w["fc1.weight"], w["fc1.bias"]))
    return dense(x, w["logits.weight"], w["logits.bias"])


def cross_entropy(z, y):
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(y, z))


NETWORKS = {"mlp_digits": mlp, "cnn_digits": cnn}


class Trainer:
    """A network with its momentum, which TensorFlow's own fused kernel applies."""

    def __init__(self, network, mode, weights):
        self._net, self._mode, self._first = NETWORKS[network], mode, weights
        self._weights = {name: tf.Variable(array) for name, array in weights.items()}
        self._variables = list(self._weights.values())
        self._velocity = [tf.Variable(tf.zeros_like(v), trainable=False) for v in self._variables]
        self._rate, self._momentum = tf.constant(0.05), tf.constant(0.9)

    def restart(self):
        for name, variable in self._weights.items():
            variable.assign(self._first[name])
        for variable in self._velocity:
            variable.assign(tf.zeros_like(variable))

    def phases(self, images, labels):
        x, y = tf.constant(images), tf.constant(labels, tf.int64)
        infer, forward = (self._traced(f, x) for f in (self.infer, self.forward))
        loss, gradients, train_step = (
            self._traced(f, x, y) for f in (self.loss, self.gradients, self.train_step)
        )
        return {
            "infer": lambda: infer(x),
            "forward": lambda: forward(x),
            "loss": lambda: loss(x, y),
            "gradients": lambda: gradients(x, y),
            "train_step": lambda: train_step(x, y),
        }

    def _traced(self, function, *like):
        """A concrete function: calling it skips the look-up by argument types that a tf.function
        does each time.
        """
        if self._mode == "eager":
            return function
        traced = tf.function(function, autograph=False, jit_compile=self._mode == "xla")
        return traced.get_concrete_function(*(tf.TensorSpec(t.shape, t.dtype) for t in like))

    def infer(self, x):
        z = self._net(self._weights, x)
        return z, tf.argmax(z, axis=-1)

    def forward(self, x):
        with tf.GradientTape():
            return (self._net(self._weights, x),)

    def loss(self, x, y):
        with tf.GradientTape():
            z = self._net(self._weights, x)
            return z, cross_entropy(z, y)

    def gradients(self, x, y):
        with tf.GradientTape() as tape:
            z = self._net(self._weights, x)
            loss = cross_entropy(z, y)
        return z, loss, tape.gradient(loss, self._variables)

    def train_step(self, x, y):
        z, loss, gradients = self.gradients(x, y)
        for p, v, g in zip(self._variables, self._velocity, gradients, strict=True):
            tf.raw_ops.ResourceApplyMomentum(
                var=p.handle, accum=v.handle, lr=self._rate, grad=g, momentum=self._momentum
            )
        return z, loss

    def weights(self):
        return {name: variable.numpy() for name, variable in self._weights.items()}

    def gradients_in(self, result):
        return dict(zip(self._weights, map(np.array, result[2]), strict=True))
