"""A workload as a session of ONNX Runtime."""

from typing import NamedTuple

import numpy as np
from dnnbench.exchange.network import PREDICTION, network
from dnnbench.protocol.program import InferenceProgram
from onnxruntime import IOBinding, OrtValue

from . import device, figures, profiling
from .session import Session, denormals, make_session


class PlacedBatch(NamedTuple):
    """Inputs and outputs in ONNX Runtime's memory, and the session's binding to both."""

    inputs: dict[str, OrtValue]
    outputs: dict[str, OrtValue]
    binding: IOBinding
    session: Session


class OnnxRuntimeProgram(InferenceProgram):
    """The network is written in ONNX and optimised whenever weights are loaded, off the clock.

    A call runs on memory that is bound beforehand; its result is written over by the next call on
    the same batch.
    """

    def __init__(self, workload, weights, arm):
        device.resolve(arm.device)
        self._workload, self._model, self._arm = workload, workload.model, arm
        self._sessions = 0
        self.load(weights)

    def put(self, batch):
        inputs = {port.name: self._copied(port, batch) for port in self._network.inputs}
        outputs = {
            port.name: _empty((batch.size, *port.shape), port.dtype)
            for port in self._network.outputs
        }
        return PlacedBatch(inputs, outputs, self._bound(inputs, outputs), self._session)

    def infer(self, batch):
        if batch.session is not self._session:
            binding = self._bound(batch.inputs, batch.outputs)
        else:
            binding = batch.binding
        self._session.session.run_with_iobinding(binding)
        return batch.outputs

    def wait(self, result):
        """ONNX Runtime has finished on the CPU when it returns."""

    def get(self, result):
        named = {f"outputs/{name}": np.array(result[name].numpy()) for name in self._model.outputs}
        predicted = result.get(PREDICTION, result[self._model.outputs[0]])
        return named | {"prediction": np.array(predicted.numpy())}

    def weights(self):
        return {name: self._weights[name].copy() for name in self._model.parameters}

    def load(self, weights):
        names = (*self._model.parameters, *self._model.state)
        self._weights = {name: np.array(weights[name], self._arm.dtype) for name in names}
        self._network = network(self._workload, self._weights, self._arm.dtype)
        self._session = make_session(self._network, self._arm)
        self._sessions += 1

    def facts(self):
        return {
            "device": "cpu",
            "layout": "NCHW",
            "dtype": str(self._arm.dtype),
            "threads": self._session.threads,
            "graph_optimization": self._arm.mode,
            "denormals": denormals(self._arm),
            "donation": "none",
            "autotune": "off",
            "compilations": self._sessions,
        }

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def device_seconds(self, work):
        return device.seconds(self._arm.device, work)

    def profile(self, phase, batch, calls):
        def run(session):
            session.run_with_iobinding(self._bound(batch.inputs, batch.outputs, session))

        nodes = [node.name for node in self._model.nodes]
        return profiling.profiled(self._network, self._arm, nodes, run, calls)

    def figures(self, phase, batch):
        def run(session):
            session.run_with_iobinding(self._bound(batch.inputs, batch.outputs, session))

        return figures.of_session(self._network, self._arm, run, self._sessions)

    def close(self):
        self._weights, self._network, self._session = {}, None, None

    def _bound(self, inputs, outputs, session=None):
        """Where a session reads and writes: the program's, unless another is named."""
        binding = (session or self._session.session).io_binding()
        for name, value in inputs.items():
            binding.bind_ortvalue_input(name, value)
        for name, value in outputs.items():
            binding.bind_ortvalue_output(name, value)
        return binding

    def _copied(self, port, batch):
        """A copy of an input where ONNX Runtime's arrays begin, in the type of the network."""
        array = np.ascontiguousarray(batch.inputs[port.name], port.dtype)
        value = _empty(array.shape, port.dtype)
        value.update_inplace(array)
        return value


def _empty(shape, dtype):
    return OrtValue.ortvalue_from_shape_and_type(shape, np.dtype(dtype).type)
