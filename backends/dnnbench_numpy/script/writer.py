"""A cell of NumPy as a script."""

from pathlib import Path

from dnnbench.scripts import schedule
from dnnbench.scripts.arrays import arrays_of
from dnnbench.scripts.writer import ScriptParts, ScriptWriter

from .code import Code

PARTS = ("parts.py", "parts_backward.py", "parts_updates.py")
FILES = (*(Path(__file__).with_name(name) for name in PARTS), Path(schedule.__file__))


class NumpyScript(ScriptWriter):
    """Functions of arrays by name."""

    title = "NumPy"
    generator = "a np.random.Generator on Philox"

    def refusal(self, request):
        if request.arm.mode != "eager":
            return f"mode '{request.arm.mode}' is a study of the reference's rounding; take eager"
        return ""

    def parts(self, request):
        return ScriptParts(Code(request, FILES).text(), FILES, arrays_of(request, label="int64"))
