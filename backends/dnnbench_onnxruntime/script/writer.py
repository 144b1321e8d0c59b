"""A cell of ONNX Runtime as a script: a session over an .onnx file beside it."""

from pathlib import Path

import numpy as np
from dnnbench.exchange.network import PREDICTION, network
from dnnbench.exchange.proto import model_proto
from dnnbench.scripts import text
from dnnbench.scripts.wrapping import broken, line
from dnnbench.scripts.writer import ScriptParts, ScriptWriter

LEVELS = {
    "full": "ORT_ENABLE_ALL",
    "extended": "ORT_ENABLE_EXTENDED",
    "basic": "ORT_ENABLE_BASIC",
    "unoptimized": "ORT_DISABLE_ALL",
}
LARGEST_FILE = 2**31 - 1
"""Of bytes that a file of ONNX may hold."""
ENDS = '''def start():
    """A call changes nothing."""


def call():
    """One call of infer."""
    session.run_with_iobinding(binding)
    return binding


def wait(result):
    """ONNX Runtime has finished on the CPU when a call returns."""'''


class OnnxRuntimeScript(ScriptWriter):
    """An InferenceSession, bound to memory of its own."""

    title = "ONNX Runtime"
    generator = "nothing"

    def refusal(self, request):
        if request.phase != "infer":
            return "ONNX Runtime infers what others have trained"
        size = sum(array.nbytes for array in request.weights.values())
        if size > LARGEST_FILE:
            return (
                f"its weights take {size:,} bytes, and scripts beside which one .onnx file is too "
                "small are not written yet; dnnbench export-model writes the network"
            )
        return ""

    def parts(self, request):
        exported = network(request.workload, request.weights, request.arm.precision.values)
        content = model_proto(exported).SerializeToString()
        arrays = {
            f"inputs/{port.name}": np.ascontiguousarray(request.batch.inputs[port.name], port.dtype)
            for port in exported.inputs
        }
        code = "\n\n\n".join([_top(request, exported), ENDS, _answers(request)])
        files = (Path(__file__).with_name("parts.py"),)
        return ScriptParts(code, files, arrays, {".onnx": content})


def _top(request, exported):
    size = request.batch.size
    shapes = ", ".join(
        f'"{port.name}": ({(size, *port.shape)}, "{port.dtype}")' for port in exported.outputs
    )
    pairs = [
        ("outputs", f"{{{shapes}}}"),
        ("inputs", '{name.removeprefix("inputs/"): ARRAYS[name] for name in ARRAYS}'),
        ("path", f'Path(__file__).with_name("{request.name}.onnx")'),
        ("session", f'session_of(path, "{LEVELS[request.arm.mode]}", THREADS)'),
        ("binding", "bound(session, inputs, outputs)"),
    ]
    return "\n".join(broken(f"{name} = {code}") for name, code in pairs)


def _answers(request):
    """The prediction is an output of the network where it is a class, else the first output."""
    model = request.workload.model
    rows = [
        line("values = dict(zip(outputs, result.copy_outputs_to_cpu(), strict=True))"),
        line(f'predicted = values.pop("{PREDICTION}", values["{model.outputs[0]}"])'),
        line('named = {f"outputs/{name}": array for name, array in values.items()}'),
        line('return named | {"prediction": predicted}'),
    ]
    return text.function("answers", ["result"], "Arrays by name.", rows)
