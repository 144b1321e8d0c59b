"""Mechanisms that any op can suffer, told in a few tools that each framework brings.

TOOLS: `times(y, factors)` multiplies by factors(shape), an array made for y's shape;
`single(y)` is y through float32; `still(x)` is x without a gradient;
`kept(y, memory)` is the first y that was ever seen of this shape; HEIGHT is y's axis of rows.
"""

import numpy as np


def _of_value(result, change):
    """Change an op's value, which may come with new state."""
    return (change(result[0]), result[1]) if isinstance(result, tuple) else change(result)


def nan_in_one_element(honest, tools):
    def factors(shape):
        found = np.ones(shape)
        found.reshape(-1)[-1] = np.nan
        return found

    return lambda *a, **k: _of_value(honest(*a, **k), lambda y: tools.times(y, factors))


def one_border_row_wrong(honest, tools):
    def factors(shape):
        found = np.ones(shape)
        np.moveaxis(found, tools.HEIGHT, 0)[-1] = 1.01
        return found

    return lambda *a, **k: _of_value(honest(*a, **k), lambda y: tools.times(y, factors))


def six_millionths_off(honest, tools):
    return lambda *a, **k: _of_value(honest(*a, **k), lambda y: y * (1 + 6e-6))


def float32_inside_float64(honest, tools):
    return lambda *a, **k: _of_value(honest(*a, **k), tools.single)


def answers_cached(honest, tools):
    memory = {}
    return lambda op, *a, **k: _of_value(honest(op, *a, **k), lambda y: tools.kept(y, memory, op))


def input_gradient_dropped(honest, tools):
    return lambda op, x, *a, **k: honest(op, tools.still(x), *a, **k)


def gradient_halved(honest, tools):
    """y as it is, half of it without a gradient."""
    return lambda *a, **k: _of_value(honest(*a, **k), lambda y: 0.5 * y + 0.5 * tools.still(y))
