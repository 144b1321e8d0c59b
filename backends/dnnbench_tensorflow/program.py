"""A workload built in TensorFlow: variables, and one function a phase and batch shape."""

import gc
import os
from contextlib import nullcontext
from functools import partial, wraps
from itertools import chain

import numpy as np
import tensorflow as tf
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.evaluation import evaluate, inference, outputs, training
from dnnbench.protocol.precision import LOSS_SCALE, cast_around
from dnnbench.protocol.program import TrainingProgram

from . import device, figures, losses, ops, optimizers, profiling
from .convolution import form_of_groups
from .kernels import in_context, inferring
from .placed import READ, TensorBatch
from .rows import dense, for_step, numbers_of, scaled
from .tracing import traced
from .transfer import download, download_all, upload

ZERO = tf.UnconnectedGradients.ZERO


class TensorflowProgram(TrainingProgram):
    """Weights, statistics and slots are variables by name; a step changes them in place."""

    def __init__(self, workload, weights, arm, seed):
        self._model, self._task, self._arm = workload.model, workload.task, arm
        self._precision = arm.precision
        self._target_kind = workload.target.kind
        self._place = device.place(arm.device)
        self._functions, self._traces = {}, 0
        self._around = _as_it_is
        device.reset_peak_memory(arm.device)
        with self._place:
            self._create_variables(seed)
        self.load(weights)

    def put(self, batch):
        with self._place:
            values, weights = self._precision.values, self._precision.weights
            inputs = {
                i.name: upload(batch.inputs[i.name], i.dtype, values) for i in self._model.inputs
            }
            masks = {name: upload(mask, "float", values) for name, mask in batch.masks.items()}
            targets = upload(batch.targets, self._target_kind, weights)
        device.synchronize(self._arm.device)
        named = Batch(inputs, targets, masks)
        arguments = {phase: self._arguments(phase, named) for phase in READ}
        return TensorBatch(named, arguments, (batch.size, *masks))

    def _arguments(self, phase, named):
        if self._arm.mode == "eager":
            return (named,)
        parts = {
            "inputs": named.inputs.values(),
            "masks": named.masks.values(),
            "targets": [named.targets],
        }
        return tuple(chain.from_iterable(parts[part] for part in READ[phase]))

    def infer(self, batch):
        return self._run("infer", batch)

    def forward(self, batch):
        return self._run("forward", batch)

    def loss(self, batch):
        return self._run("loss", batch)

    def gradients(self, batch):
        return self._run("gradients", batch)

    def train_step(self, batch):
        return self._run("train_step", batch)

    def pieces(self, batch):
        stored = self.gradients(batch)
        output = stored["outputs"][self._model.outputs[0]]
        gradients = list(stored["gradients"].values())
        loss_alone = self._function(self._loss_alone, (output, batch.named.targets))
        update_alone = self._function(self._update_alone, gradients)
        return {
            "loss_alone": lambda: loss_alone(output, batch.named.targets),
            "update_alone": lambda: update_alone(*gradients),
        }

    def wait(self, result):
        device.synchronize(self._arm.device)

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if isinstance(value, dict):
                flat |= {f"{group}/{name}": download(tensor) for name, tensor in value.items()}
            else:
                flat[group] = download(value)
        return flat

    def weights(self):
        return download_all(self._weights)

    def optimizer_state(self):
        optimizer, dtype = self._task.optimizer, self._precision.weights
        state = {}
        for slot, variables in self._slots.items():
            scale = optimizers.slot_scale(optimizer, slot, dtype)
            state |= {
                f"{slot}/{name}": array * array.dtype.type(scale)
                for name, array in download_all(variables).items()
            }
        return state

    def model_state(self):
        return download_all(self._state)

    def load(self, weights):
        with self._place:
            for name, variable in (self._weights | self._state).items():
                variable.assign(upload(weights[name], "float", self._precision.weights))
            for variable in (*self._slot_variables(), self._steps):
                variable.assign(tf.zeros_like(variable))
        device.synchronize(self._arm.device)

    def snapshot(self):
        with self._place:
            return [tf.raw_ops.DeepCopy(x=variable) for variable in self._variables()]

    def restore(self, snapshot):
        """Copies now what the next step would otherwise copy before it changes it."""
        with self._place:
            for variable, kept in zip(self._variables(), snapshot, strict=True):
                variable.assign(tf.raw_ops.DeepCopy(x=kept), read_value=False)
        device.synchronize(self._arm.device)

    def activations(self, batch):
        return download_all(self._run("values", batch))

    def cotangents(self, batch):
        return download_all(self._run("value_gradients", batch))

    def facts(self):
        product = self._denormal_product()
        return {
            "device": product.device.rpartition("device:")[2],
            "layout": "NHWC",
            "dtype": self._arm.dtype,
            "weights": self._precision.weights,
            "threads": device.threads(),
            "tf32": tf.config.experimental.tensor_float_32_execution_enabled(),
            "denormals": "kept" if np.count_nonzero(product) else "flushed to zero",
            "donation": "in place",
            "autotune": "on" if device.autotunes(self._arm.device) else "off",
            "loss_scale": LOSS_SCALE if self._precision.scaled else 1.0,
            "inter_op_threads": tf.config.threading.get_inter_op_parallelism_threads(),
            "deterministic_ops": "not requested",
            "onednn": os.environ.get("TF_ENABLE_ONEDNN_OPTS", "default"),
            "onednn_products": os.environ.get("TF_SET_ONEDNN_FPMATH_MODE", "float32"),
            "batch_norm": "two-pass",
            "grouped_convolutions": form_of_groups(self._model, self._arm),
            "compilations": self._traces,
        }

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def device_seconds(self, work):
        return device.seconds(self._arm.device, work)

    def profile(self, phase, batch, calls):
        clock = profiling.eager_clock()
        is_eager = self._arm.mode == "eager"
        kept = self._functions, self._traces
        self._functions = {}
        self._around = (
            (lambda apply: clock.around("forward", apply)) if is_eager else profiling.scoped
        )

        def call():
            self.wait(getattr(self, phase)(batch))

        try:
            call()
            if is_eager:
                return profiling.op_by_op(call, clock, calls, phase == "infer")
            return profiling.of_graph(call, calls)
        finally:
            (self._functions, self._traces), self._around = kept, _as_it_is

    def figures(self, phase, batch):
        call = partial(getattr(self, phase), batch)
        if self._arm.mode == "eager":
            return figures.of_call(call)
        call()
        return figures.of_graph(self._functions[phase, batch.shape].concrete, self._traces)

    def close(self):
        """Graphs refer to themselves and to the variables that they read:
        only the collector lets go of both.
        """
        self._functions, self._weights, self._state, self._slots = {}, {}, {}, {}
        gc.collect()

    def _create_variables(self, seed):
        dtype, model = self._precision.weights, self._model

        def variables(arrays, trainable=False):
            zeros = {name: tf.zeros(array.shape, dtype) for name, array in arrays.items()}
            return {name: tf.Variable(start, trainable=trainable) for name, start in zeros.items()}

        self._weights = variables(model.parameters, trainable=True)
        self._state = variables(model.state)
        self._slots = {slot: variables(model.parameters) for slot in self._task.optimizer.slots}
        self._steps = tf.Variable(0, trainable=False, dtype=tf.int64)
        self._generator = tf.random.Generator.from_seed(seed, alg="philox")

    def _denormal_product(self):
        """Products below the smallest normal number, made as this program's are:
        TensorFlow has no switch to ask.
        """
        dtype = self._precision.weights
        probe = tf.fill((1 << 16,), tf.constant(np.finfo(dtype).tiny / 4, dtype))
        if "probe" not in self._functions:
            self._functions["probe"] = self._function(lambda x: {"product": x * 1.5}, (probe,))
        return self._functions["probe"](probe)["product"]

    def _slot_variables(self):
        return list(chain.from_iterable(variables.values() for variables in self._slots.values()))

    def _variables(self):
        """Everything a step may change."""
        kept = (*self._weights.values(), *self._state.values(), *self._slot_variables())
        return (*kept, self._steps, self._generator.state)

    def _run(self, phase, batch):
        key = phase, batch.shape
        if key not in self._functions:
            self._functions[key] = self._phase_function(phase, batch)
        return self._functions[key](*batch.arguments[phase])

    def _phase_function(self, phase, batch):
        method = getattr(self, f"_{phase}")
        if self._arm.mode == "eager":
            return self._function(method, ())

        inputs = tuple(batch.named.inputs)
        masks = tuple(batch.named.masks) if "masks" in READ[phase] else ()

        def flat(*tensors):
            named_inputs = dict(zip(inputs, tensors, strict=False))
            named_masks = dict(zip(masks, tensors[len(inputs) :], strict=False))
            targets = tensors[-1] if "targets" in READ[phase] else None
            return method(Batch(named_inputs, targets, named_masks))

        return self._function(flat, batch.arguments[phase])

    def _function(self, function, tensors):
        """`function` in the program's mode, traced once for tensors like these."""
        function = in_context(self._arm.mode, self._arm.device, function)
        if self._arm.mode != "eager":
            self._traces += 1
            with self._place:
                function = traced(function, tensors, xla=self._arm.mode == "xla")
        return self._placed(function)

    def _placed(self, function):
        """`function`, called where the program lives."""
        if isinstance(self._place, nullcontext):
            return function

        @wraps(function)
        def run(*arguments):
            with self._place:
                return function(*arguments)

        return run

    def _infer(self, batch):
        with inferring():
            apply = self._cast_around(inference(ops))
            values = outputs(self._model, batch.inputs, self._weights, self._state, apply)
        predict = getattr(losses, self._task.loss.prediction)
        return {"outputs": values, "prediction": predict(values[self._model.outputs[0]])}

    def _forward(self, batch):
        with tf.GradientTape():
            values, state = self._evaluate(batch)
        return {"outputs": self._outputs(values), "state": state}

    def _loss(self, batch):
        with tf.GradientTape():
            values, state, loss = self._evaluate_loss(batch)
        return {"outputs": self._outputs(values), "state": state, "loss": loss}

    def _gradients(self, batch):
        result = self._differentiated(batch)
        lowered = {name: self._lowered(dense(g)) for name, g in result["gradients"].items()}
        return result | {"gradients": lowered}

    def _differentiated(self, batch):
        """Gradients are of `_lifted`; a table's names rows."""
        with tf.GradientTape() as tape:
            values, state, loss = self._evaluate_loss(batch)
            lifted = self._lifted(loss)
        raw = tape.gradient(lifted, list(self._weights.values()), unconnected_gradients=ZERO)
        return {
            "outputs": self._outputs(values),
            "state": state,
            "loss": loss,
            "gradients": dict(zip(self._weights, raw, strict=True)),
        }

    def _train_step(self, batch):
        result = self._differentiated(batch)
        for name, new in result["state"].items():
            self._state[name].assign(new, read_value=False)
        gradients = for_step(self._task.optimizer, result["gradients"])
        self._update({name: self._lowered(g) for name, g in gradients.items()})
        return {"outputs": result["outputs"], "loss": result["loss"]}

    def _loss_alone(self, output, targets):
        with tf.GradientTape() as tape:
            tape.watch(output)
            return {"loss": self._loss_of(output, targets)}

    def _update_alone(self, *gradients):
        self._update(dict(zip(self._weights, gradients, strict=True)))
        return {}

    def _values(self, batch):
        values, _ = self._evaluate(batch)
        return {node.name: values[node.name] for node in self._model.nodes}

    def _value_gradients(self, batch):
        with tf.GradientTape() as tape:
            values, _ = self._evaluate(batch)
            output = values[self._model.outputs[0]]
            tape.watch(output)
            lifted = self._lifted(self._loss_of(output, batch.targets))
        names = [node.name for node in self._model.nodes]
        leaves = [values[name] for name in names]
        raw = tape.gradient(lifted, leaves, unconnected_gradients=ZERO)
        wide = [tf.cast(g, self._precision.weights) for g in raw]
        return {name: self._lowered(g) for name, g in zip(names, wide, strict=True)}

    def _evaluate(self, batch):
        apply = self._cast_around(training(ops, batch.masks, lambda node: self._generator))
        return evaluate(self._model, batch.inputs, self._weights, self._state, apply)

    def _evaluate_loss(self, batch):
        values, state = self._evaluate(batch)
        return values, state, self._loss_of(values[self._model.outputs[0]], batch.targets)

    def _loss_of(self, output, targets):
        loss = self._task.loss
        return getattr(losses, loss.kind)(loss, tf.cast(output, self._precision.weights), targets)

    def _cast_around(self, apply):
        return self._around(cast_around(self._model, apply, self._precision, tf.cast))

    def _lifted(self, loss):
        """What is backpropagated: the loss, scaled where gradients would underflow."""
        return loss * LOSS_SCALE if self._precision.scaled else loss

    def _lowered(self, gradient):
        """A gradient of `_lifted` as one of the loss."""
        return scaled(gradient, 1 / LOSS_SCALE) if self._precision.scaled else gradient

    def _outputs(self, values):
        return {name: values[name] for name in self._model.outputs}

    def _update(self, gradients):
        if not self._precision.scaled:
            return self._step(gradients)
        numbers = [numbers_of(g) for g in gradients.values()]
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(each)) for each in numbers])
        tf.cond(finite, lambda: self._step(gradients), lambda: None)

    def _step(self, gradients):
        optimizer = self._task.optimizer
        getattr(optimizers, optimizer.kind)(
            optimizer, self._weights, gradients, self._slots, self._steps
        )


def _as_it_is(apply):
    return apply
