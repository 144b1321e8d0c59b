"""A cell of TensorFlow as a script."""

from pathlib import Path

from dnnbench.scripts.arrays import arrays_of
from dnnbench.scripts.writer import ScriptParts, ScriptWriter

from .code import Code

HERE = Path(__file__).parent
FILES = (HERE.parent / "kernels.py", HERE.parent / "depthwise.py", HERE / "parts.py")


class TensorflowScript(ScriptWriter):
    """Functions of TensorFlow's own ops on variables by name; a GradientTape trains them."""

    title = "TensorFlow"
    generator = "a tf.random.Generator"

    def refusal(self, request):
        return ""

    def parts(self, request):
        arrays = arrays_of(request, label="int64", ids="int64")
        return ScriptParts(Code(request, FILES).text(), FILES, arrays)
