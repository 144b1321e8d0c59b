"""What is counted of a call: operations of the compiled program, its FLOPs, bytes and sizes."""

import re

import jax
from dnnbench.protocol.figures import Figure

_OPERATION = re.compile(r"^\s*(?:ROOT )?%?[\w.-]+ = .*?\s(?P<kind>[a-z][\w-]*)\(", re.M)
NO_WORK = frozenset({"parameter", "constant", "tuple", "get-tuple-element", "bitcast"})
"""Operations of a compiled program that compute nothing."""
COSTS = {"flops": ("flops", "FLOP"), "bytes accessed": ("bytes_accessed", "B")}
"""Name and unit of each figure of XLA's cost analysis."""
SIZES = {
    "temp_size_in_bytes": "temporary_bytes",
    "output_size_in_bytes": "output_bytes",
    "generated_code_size_in_bytes": "code_bytes",
}
"""Name of each figure of XLA's memory analysis."""


def of_compiled(function, arguments, compilations):
    """Figures of a jitted function, compiled once more for these arguments.

    compilations: of the function so far.
    """
    compiled = function.lower(*arguments).compile()
    kinds = [match["kind"] for match in _OPERATION.finditer(_entry(compiled.as_text()))]
    operators = sum(kind not in NO_WORK for kind in kinds)
    return [
        Figure("operators", operators, "operators"),
        *_costs(compiled),
        *_sizes(compiled),
        Figure("compilations", compilations, "programs"),
    ]


def of_call(function, arguments):
    """Figures of a function that runs op by op: the primitives that it is made of."""
    return [Figure("operators", _primitives(jax.make_jaxpr(function)(*arguments)), "operators")]


def _entry(text):
    """The computation that a call runs, of a compiled program's text; what it calls is fused."""
    _, _, rest = text.partition("\nENTRY ")
    return rest.partition("\n}")[0]


def _costs(compiled):
    analysis = compiled.cost_analysis() or {}
    if isinstance(analysis, list):  # of one entry, as JAX 0.4.31 gives it
        [analysis] = analysis
    return [
        Figure(name, analysis[key], unit) for key, (name, unit) in COSTS.items() if key in analysis
    ]


def _sizes(compiled):
    analysis = compiled.memory_analysis()
    sizes = {name: getattr(analysis, key, None) for key, name in SIZES.items()}
    return [Figure(name, size, "B") for name, size in sizes.items() if size is not None]


def _primitives(jaxpr):
    return sum(1 + sum(map(_primitives, _inner(equation))) for equation in jaxpr.eqns)


def _inner(equation):
    return [value for value in equation.params.values() if hasattr(value, "eqns")]
