"""A cell of JAX as a script."""

from pathlib import Path

from dnnbench.scripts.arrays import arrays_of
from dnnbench.scripts.writer import ScriptParts, ScriptWriter

from .code import Code

HERE = Path(__file__)
FILES = tuple(
    HERE.parent / name
    for name in ("../depthwise.py", "../recurrent.py", "../spread.py", "parts.py")
)


class JaxScript(ScriptWriter):
    """Pure functions of dictionaries of arrays, jitted; jax.grad and Optax train them."""

    title = "JAX"
    generator = "a key (jax.random.key), split at every step"

    def refusal(self, request):
        return ""

    def parts(self, request):
        return ScriptParts(Code(request, FILES).text(), FILES, arrays_of(request, label="int32"))
