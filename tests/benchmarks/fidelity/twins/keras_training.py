"""A Keras model in tf.function: a GradientTape of the user's own, or `fit`'s own step."""

import keras
import numpy as np
import tensorflow as tf

from .keras_networks import NETWORKS


class KerasTwin:
    """options: `fit` takes the step of `fit`, which tells the loss alone; `xla` compiles."""

    def __init__(self, network, sizes, weights, task, options):
        keras.utils.clear_session()
        keras.config.set_floatx(next(iter(weights.values())).dtype.name)
        renamed = {"layers_" if name == "layers" else name: n for name, n in sizes.items()}
        self._model = model = NETWORKS[network](**renamed)
        self._copy_in(weights)
        ignored = {} if task.loss.ignored is None else {"ignore_class": task.loss.ignored}
        self._loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True, **ignored)
        self._optimizer = _optimizer(task.optimizer)
        self._optimizer.build(model.trainable_variables)
        xla, self._fits = "xla" in options, "fit" in options
        model.compile(self._optimizer, self._loss, jit_compile=xla)
        self._predict = tf.function(self._outputs, jit_compile=xla)
        self._step = tf.function(self._own_step, jit_compile=xla)
        self._fit = tf.function(model.train_step, jit_compile=xla)
        self._kept = [variable.value for variable in (*model.variables, *self._optimizer.variables)]
        self._first = None

    def put(self, batch):
        """Ids as int32; one input without its name."""
        inputs = {name: tf.constant(array) for name, array in batch.inputs.items()}
        x = inputs if len(inputs) > 1 else next(iter(inputs.values()))
        return x, tf.constant(batch.targets)

    def begin(self, phase):
        """The first weights again."""
        if self._first is None:
            self._first = [variable.numpy() for variable in self._kept]
        elif phase == "train_step":
            for variable, first in zip(self._kept, self._first, strict=True):
                variable.assign(first)
        if self._fits:
            self._model.reset_metrics()

    def infer(self, placed):
        return self._predict(placed[0])

    def train_step(self, placed):
        return self._fit(placed) if self._fits else self._step(*placed)

    def wait(self, result):
        """Functions return when they are done."""

    def read(self, phase, result):
        """Arrays by what they are."""
        if phase == "infer":
            return {"outputs": result[0].numpy(), "prediction": result[1].numpy()}
        if self._fits:
            return {"loss": result["loss"].numpy()}
        return {"outputs": result[0].numpy(), "loss": result[1].numpy()}

    def weights(self):
        """By dnnbench's names, in its axes."""
        return {
            name: to_ours(variable.numpy()) for name, variable, _, to_ours in _parts(self._model)
        }

    def _outputs(self, x):
        logits = self._model(x, training=False)
        return logits, tf.argmax(logits, -1)

    def _own_step(self, x, labels):
        with tf.GradientTape() as tape:
            logits = self._model(x, training=True)
            loss = self._loss(labels, logits)
        variables = self._model.trainable_variables
        self._optimizer.apply(tape.gradient(loss, variables), variables)
        return logits, loss

    def _copy_in(self, weights):
        for name, variable, to_theirs, _ in _parts(self._model):
            variable.assign(to_theirs(weights[name]))


def _optimizer(spec):
    """Keras takes weight decay from the weights themselves, and adds epsilon before the second
    moment is corrected: scaled here so that the first step is dnnbench's.
    """
    options = {"learning_rate": spec.learning_rate, "weight_decay": spec.weight_decay or None}
    options["global_clipnorm"] = spec.clip_norm
    match spec.kind:
        case "momentum":
            return keras.optimizers.SGD(momentum=spec.momentum, **options)
        case "sgd":
            return keras.optimizers.SGD(**options)
    kind = {"adam": keras.optimizers.Adam, "adamw": keras.optimizers.AdamW}[spec.kind]
    epsilon = spec.epsilon * (1 - spec.beta2) ** 0.5
    return kind(beta_1=spec.beta1, beta_2=spec.beta2, epsilon=epsilon, **options)


ROLES = {
    "kernel": "weight",
    "bias": "bias",
    "gamma": "scale",
    "beta": "bias",
    "moving_mean": "mean",
    "moving_variance": "variance",
    "embeddings": "weight",
    "recurrent_kernel": "recurrent",
}


def _parts(model):
    """(dnnbench's name, variable, its axes there to these, the other way round)"""
    for layer in model.layers:
        if isinstance(layer, keras.layers.MultiHeadAttention):
            yield from _of_attention(layer)
        elif isinstance(layer, keras.layers.GRU):
            yield from _of_gru(layer)
        elif isinstance(layer, keras.layers.DepthwiseConv2D):
            yield f"{layer.name}.weight", layer.kernel, _swapped, _swapped
        else:
            own = [v for v in layer.variables if v.name in ROLES]
            tied = hasattr(layer, "biased")
            for variable in own:
                if not (tied and variable.name == "embeddings"):
                    yield f"{layer.name}.{ROLES[variable.name]}", variable, _same, _same


def _of_attention(layer):
    """Kernels are (D, heads, d) and (heads, d, D) there."""
    denses = {"query": layer.query_dense, "key": layer.key_dense, "value": layer.value_dense,
              "projection": layer.output_dense}  # fmt: skip
    for part, dense in denses.items():
        width = dense.kernel.shape[0] if part != "projection" else dense.kernel.shape[-1]
        for variable, shape in ((dense.kernel, (width, width)), (dense.bias, (width,))):
            to_theirs = _shaped(tuple(variable.shape))
            yield f"{layer.name}.{part}.{ROLES[variable.name]}", variable, to_theirs, _shaped(shape)


def _of_gru(layer):
    """The two biases of a gate are rows of one variable there."""
    cell = layer.cell
    yield f"{layer.name}.weight", cell.kernel, _same, _same
    yield f"{layer.name}.recurrent", cell.recurrent_kernel, _same, _same

    def first(array):
        return np.stack([array, cell.bias.numpy()[1]])

    def second(array):
        bias = cell.bias.numpy()
        bias[1, 2 * layer.units :] = array
        return bias

    yield f"{layer.name}.bias", cell.bias, first, lambda array: array[0]
    yield f"{layer.name}.hidden_bias", cell.bias, second, lambda array: array[1, 2 * layer.units :]


def _shaped(shape):
    return lambda array: array.reshape(shape)


def _swapped(array):
    """(h, w, 1, C) is (h, w, C, 1) there."""
    return array.transpose(0, 1, 3, 2)


def _same(array):
    return array
