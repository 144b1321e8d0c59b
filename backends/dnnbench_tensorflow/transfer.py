"""Arrays on the way to the device and back."""

import numpy as np
import tensorflow as tf


def upload(array, kind, dtype):
    """A copy on the device.

    Integers are int64: TensorFlow keeps int32 in host memory even on a GPU.
    """
    dtype = {"float": dtype, "int32": "int64", "bool": "bool"}[kind]
    return tf.constant(np.array(array, tf.as_dtype(dtype).as_numpy_dtype))


def download(tensor):
    """A copy on the host.

    Numbers that NumPy computes with slowly or not at all become float32, which holds them exactly.
    """
    array = np.array(tensor)
    return array.astype(np.float32) if tensor.dtype in (tf.bfloat16, tf.float16) else array


def download_all(tensors):
    """By name."""
    return {name: download(tensor) for name, tensor in tensors.items()}
