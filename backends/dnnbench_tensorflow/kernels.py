"""Whose kernels compute an op, which decides between ways that mean the same."""

from contextlib import contextmanager
from contextvars import ContextVar

import tensorflow as tf

_USED: ContextVar[tuple[str, str]] = ContextVar("used", default=("eager", "cpu"))

_LEARNS: ContextVar[bool] = ContextVar("learns", default=True)


def in_context(mode, device, function):
    """`function`, which runs or is traced with this mode and device as what `_USED` holds
    for its ops.
    """

    def run(*arguments):
        token = _USED.set((mode, device.kind))
        try:
            return function(*arguments)
        finally:
            _USED.reset(token)

    return run


def xla_on_cpu():
    """Whether XLA compiles for the CPU, where it makes plain loops of convolutions in groups."""
    return _USED.get() == ("xla", "cpu")


def under_xla():
    """Whether XLA compiles, on whatever device."""
    mode, _ = _USED.get()
    return mode == "xla"


@contextmanager
def inferring():
    """Inside, every value is read where it is wanted next and never again."""
    token = _LEARNS.set(False)
    try:
        yield
    finally:
        _LEARNS.reset(token)


def learns():
    """Whether values are read again, by statistics and by gradients."""
    return _LEARNS.get()


def narrow_sums(dtype):
    """Whether sums of this type lose their small terms:
    TensorFlow's own CPU kernels add float16 up in float16.
    """
    mode, kind = _USED.get()
    return dtype == tf.float16 and kind == "cpu" and mode != "xla"


def wide(dtype):
    """The type that many elements of this one are added up in."""
    return tf.float32 if dtype.size == 2 else dtype
