"""Functions of tf.nn in tf.function, trained by TensorFlow's fused optimizer kernels."""

from functools import partial
from itertools import chain

import tensorflow as tf

from .tensorflow_networks import NETWORKS, RATES, Net


class TensorflowTwin:
    """options: `xla` compiles."""

    def __init__(self, network, sizes, weights, task, options):
        self._net, self._task = NETWORKS[network], task
        self._rate = sizes.get("dropout", RATES.get(network, 0.0))
        self._sizes = {name: size for name, size in sizes.items() if name != "dropout"}
        self._variables = {name: _variable(name, array) for name, array in weights.items()}
        self._trained = [v for v in self._variables.values() if v.trainable]
        kind = task.optimizer.kind
        slots = {"sgd": 0, "momentum": 1}.get(kind, 2)
        self._slots = [[_zeros(v) for v in self._trained] for _ in range(slots)]
        self._steps = tf.Variable(0.0, trainable=False, dtype=self._trained[0].dtype)
        self._xla = "xla" in options
        self._predict, self._step = (
            tf.function(f, jit_compile=self._xla, autograph=False)
            for f in (self._outputs, self._train)
        )
        self._first = weights

    def put(self, batch):
        """Ids and labels as int64, in which TensorFlow looks up and scores."""
        inputs = {name: _placed(array) for name, array in batch.inputs.items()}
        return inputs, _placed(batch.targets)

    def begin(self, phase):
        """The first weights again."""
        if phase == "train_step":
            for name, variable in self._variables.items():
                variable.assign(self._first[name])
            for variable in (*chain(*self._slots), self._steps):
                variable.assign(tf.zeros_like(variable))

    def infer(self, placed):
        return self._predict(placed[0])

    def train_step(self, placed):
        return self._step(*placed)

    def wait(self, result):
        """Functions return when they are done."""

    def read(self, phase, result):
        """Arrays by what they are."""
        second = "prediction" if phase == "infer" else "loss"
        return {"outputs": result[0].numpy(), second: result[1].numpy()}

    def weights(self):
        """By dnnbench's names, in its axes."""
        return {name: variable.numpy() for name, variable in self._variables.items()}

    def _outputs(self, inputs):
        logits = self._net(Net(self._variables, False, self._xla), inputs, **self._sizes)
        return logits, tf.argmax(logits, -1)

    def _train(self, inputs, labels):
        net = Net(self._variables, True, self._xla, self._rate)
        with tf.GradientTape() as tape:
            logits = self._net(net, inputs, **self._sizes)
            loss = self._score(logits, labels)
        gradients = tape.gradient(loss, self._trained)
        for name, value in net.moved.items():
            self._variables[name].assign(value)
        if self._task.optimizer.clip_norm:
            gradients, _ = tf.clip_by_global_norm(gradients, self._task.optimizer.clip_norm)
        self._update(gradients)
        return logits, loss

    def _score(self, logits, labels):
        ignored = self._task.loss.ignored
        if ignored is None:
            each = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            return tf.reduce_mean(each)
        counted = labels != ignored
        each = tf.nn.sparse_softmax_cross_entropy_with_logits(tf.maximum(labels, 0), logits)
        counts = tf.cast(counted, each.dtype)
        return tf.reduce_sum(each * counts) / tf.reduce_sum(counts)

    def _update(self, gradients):
        spec = self._task.optimizer
        decays = spec.weight_decay if spec.kind != "adamw" else 0.0
        steps = self._steps.assign_add(1.0)
        number = partial(tf.constant, dtype=steps.dtype)
        for i, (p, gradient) in enumerate(zip(self._trained, gradients, strict=True)):
            slots = [slot[i] for slot in self._slots]
            if spec.kind == "sgd":
                p.assign_sub(spec.learning_rate * gradient) if not _sparse(gradient) else (
                    p.scatter_sub(tf.IndexedSlices(
                        spec.learning_rate * gradient.values, gradient.indices)))  # fmt: skip
                continue
            g = tf.convert_to_tensor(gradient)
            g = g + decays * p if decays else g
            if spec.kind == "momentum":
                tf.raw_ops.ResourceApplyMomentum(
                    var=p.handle, accum=slots[0].handle, lr=number(spec.learning_rate), grad=g,
                    momentum=number(spec.momentum),
                )  # fmt: skip
                continue
            if spec.kind == "adamw":
                p.assign_sub(spec.learning_rate * spec.weight_decay * p)
            second = tf.pow(number(spec.beta2), steps)
            tf.raw_ops.ResourceApplyAdam(
                var=p.handle, m=slots[0].handle, v=slots[1].handle, grad=g,
                beta1_power=tf.pow(number(spec.beta1), steps), beta2_power=second,
                lr=number(spec.learning_rate), beta1=number(spec.beta1), beta2=number(spec.beta2),
                epsilon=spec.epsilon * tf.sqrt(1 - second),
            )  # fmt: skip


def _sparse(gradient):
    return isinstance(gradient, tf.IndexedSlices)


def _variable(name, array):
    return tf.Variable(array, trainable=not name.endswith((".mean", ".variance")))


def _zeros(variable):
    return tf.Variable(tf.zeros_like(variable), trainable=False)


def _placed(array):
    return tf.constant(array, tf.int64 if array.dtype.kind == "i" else None)
