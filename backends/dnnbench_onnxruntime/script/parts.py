"""Functions that scripts of ONNX Runtime hold as they stand here."""

import numpy as np
import onnxruntime


def session_of(path, level, threads):
    """A session that sleeps between calls and takes denormal numbers for zero."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.graph_optimization_level = getattr(onnxruntime.GraphOptimizationLevel, level)
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.add_session_config_entry("session.set_denormal_as_zero", "1")
    return onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def bound(session, inputs, outputs):
    """Where the session reads and writes: memory of its own, so that a call copies nothing.

    outputs: (shape, type) by name
    """
    binding = session.io_binding()
    for name, array in inputs.items():
        value = empty(array.shape, array.dtype)
        value.update_inplace(array)
        binding.bind_ortvalue_input(name, value)
    for name, (shape, dtype) in outputs.items():
        binding.bind_ortvalue_output(name, empty(shape, dtype))
    return binding


def empty(shape, dtype):
    return onnxruntime.OrtValue.ortvalue_from_shape_and_type(shape, np.dtype(dtype).type)
