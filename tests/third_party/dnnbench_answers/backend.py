"""Every op in inference, on NumPy, with batch normalisations folded to a scale and a shift when
weights are loaded.

wrong: outputs are off by a thousandth.
deaf: `load` is ignored.
initial: given weights are ignored.
writing: `infer` writes to the placed batch.
boastful: says that it trains, and does not.
reluctant: trains by NumPy's backend, and every training phase raises.
"""

from dataclasses import replace

import numpy as np
from dnnbench.protocol.backend import Backend
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.protocol.device import CPU
from dnnbench.protocol.evaluation import outputs
from dnnbench.protocol.program import InferenceProgram
from dnnbench.spec.weights import initial_weights
from dnnbench_numpy import losses, ops
from dnnbench_numpy.backend import NumpyBackend

REASON = "answers has no gradients"


class AnswersBackend(Backend):
    name = "answers"

    def versions(self):
        return {"numpy": np.__version__}

    def configure(self, arm):
        NumpyBackend().configure(arm)

    def devices(self):
        return [CPU]

    def capabilities(self, workload, arm):
        if arm.dtype not in ("float64", "float32"):
            return Capabilities.none(f"answers does not compute in {arm.dtype}")
        if arm.mode in ("boastful", "reluctant"):
            return Capabilities()
        return Capabilities.inference_only(REASON)

    def build(self, workload, weights, arm, seed=0):
        if arm.mode == "reluctant":
            return Reluctant(
                NumpyBackend().build(workload, weights, replace(arm, mode="eager"), seed)
            )
        start = initial_weights(workload.model, seed) if arm.mode == "initial" else weights
        return AnswersProgram(workload, start, arm)


class AnswersProgram(InferenceProgram):
    def __init__(self, workload, weights, arm):
        self._model, self._mode, self._dtype = workload.model, arm.mode, arm.precision.weights
        self._predict = getattr(losses, workload.task.loss.prediction)
        self._fold(weights)

    def put(self, batch):
        return {name: self._array(x) for name, x in batch.inputs.items()}

    def infer(self, batch):
        values = outputs(self._model, batch, self._weights, self._folded, self._apply)
        if self._mode == "wrong":
            values = {name: y * 1.001 for name, y in values.items()}
        if self._mode == "writing":
            for x in batch.values():
                x[...] = 0
        return {"outputs": values, "prediction": self._predict(values[self._model.outputs[0]])}

    def wait(self, result):
        """NumPy has finished when it returns."""

    def get(self, result):
        named = {f"outputs/{name}": np.array(y) for name, y in result["outputs"].items()}
        return named | {"prediction": np.array(result["prediction"])}

    def weights(self):
        return {name: p.copy() for name, p in self._weights.items()}

    def load(self, weights):
        if self._mode != "deaf":
            self._fold(weights)

    def facts(self):
        facts = {
            "device": "cpu",
            "dtype": self._dtype,
            "layout": "NHWC",
            "threads": None,
            "compilations": 0,
        }
        return facts | {"denormals": "kept", "donation": "none", "autotune": "off"}

    def peak_memory(self):
        return None

    def close(self):
        self._weights = self._folded = {}

    def _fold(self, weights):
        """Off the clock: a batch normalisation becomes a factor and an offset,
        in the places of its statistics.
        """
        self._weights = {name: self._array(weights[name]) for name in self._model.parameters}
        self._folded = {}
        for node in self._model.nodes:
            names, kept = self._model.roles(node)
            if kept:
                scale, bias = (self._weights[names[role]] for role in ("scale", "bias"))
                mean, variance = (self._array(weights[kept[role]]) for role in ("mean", "variance"))
                factor = scale / np.sqrt(variance + np.asarray(node.op.epsilon, self._dtype))
                self._folded |= {kept["mean"]: bias - mean * factor, kept["variance"]: factor}

    def _apply(self, node, arguments, parameters, state):
        if node.op.random:
            return arguments[0], {}
        if state:
            return arguments[0] * state["variance"] + state["mean"], {}
        return getattr(ops, node.op.kind)(node.op, *arguments, **parameters), {}

    def _array(self, array):
        return np.array(array, self._dtype if array.dtype.kind == "f" else array.dtype)


class Reluctant:
    """NumPy's program, of which no training phase can be called."""

    def __init__(self, program):
        self._program = program

    def _refuse(self, *batch):
        raise RuntimeError("a training phase was called")

    forward = loss = gradients = train_step = pieces = snapshot = restore = activations = (
        cotangents
    ) = _refuse

    def __getattr__(self, name):
        return getattr(self._program, name)
