"""Functions of tensors compiled into graphs."""

import tensorflow as tf


def traced(function, tensors, xla):
    """`function`, which returns tensors by group and name, as a graph for tensors like these.

    Its result leaves the graph as a list: TensorFlow takes 4 microseconds to put a dictionary
    together again.
    """
    form = []

    def listed(*arguments):
        result = function(*arguments)
        form[:] = _form(result)
        return _flat(result)

    specs = [tf.TensorSpec(tensor.shape, tensor.dtype) for tensor in tensors]
    graph = tf.function(listed, autograph=False, jit_compile=xla)
    return _named(graph.get_concrete_function(*specs), form)


def _flat(result):
    tensors = []
    for value in result.values():
        tensors += value.values() if isinstance(value, dict) else [value]
    return tensors


def _form(result):
    """(group, its names or None, where it begins, where it ends) in `_flat(result)`."""
    form, start = [], 0
    for group, value in result.items():
        names = list(value) if isinstance(value, dict) else None
        end = start + (1 if names is None else len(names))
        form.append((group, names, start, end))
        start = end
    return form


def _named(function, form):
    """`function`, which returns a list of tensors, as one that returns them by group and name.

    The concrete function stands in its attribute `concrete`.
    """

    def call(*arguments):
        tensors = function(*arguments)
        return {
            group: tensors[start]
            if names is None
            else dict(zip(names, tensors[start:end], strict=True))
            for group, names, start, end in form
        }

    call.concrete = function
    return call
