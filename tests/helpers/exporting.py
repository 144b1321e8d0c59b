"""A network exported to ONNX, computed by ONNX's own evaluator; and what it should be."""

import numpy as np
from dnnbench.exchange.network import network
from dnnbench.exchange.proto import model_proto
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import generator, initial_weights
from dnnbench_numpy.backend import NumpyBackend


def weights_of(workload):
    """Initial ones, with biases, scales and statistics moved off 0 and 1."""
    moved = {}
    for name, array in initial_weights(workload.model, 0).items():
        away = generator(1, name).uniform(0.1, 0.5, array.shape)
        moved[name] = (array + away * (array.ndim == 1)).astype(np.float32)
    return moved


def evaluated(workload, weights, batch):
    """Each output in float64 by its name, after onnx has checked the model."""
    from onnx import checker
    from onnx.reference import ReferenceEvaluator

    model = model_proto(network(workload, weights, "float64"))
    checker.check_model(model, full_check=True)
    fed = {name: x.astype(float) if x.dtype.kind == "f" else x for name, x in batch.inputs.items()}
    names = [output.name for output in model.graph.output]
    return dict(zip(names, ReferenceEvaluator(model).run(None, fed), strict=True))


def reference(workload, weights, batch):
    """Each output and the prediction by name, as NumPy's backend computes them in float64."""
    arm = Arm("numpy", "eager", dtype="float64")
    program = NumpyBackend().build(workload, weights, arm, 0)
    result = program.get(program.infer(program.put(batch)))
    return {key.removeprefix("outputs/"): value for key, value in result.items()}
