"""Where TensorFlow computes, under its own names."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext

import tensorflow as tf
from dnnbench.errors import PluginError
from dnnbench.protocol.device import CPU, KINDS, Device


def devices() -> list[Device]:
    """Every logical device, the CPU first."""
    if tf.config.list_physical_devices("TPU") and not tf.config.list_logical_devices("TPU"):
        here = tf.distribute.cluster_resolver.TPUClusterResolver(tpu="local")
        tf.tpu.experimental.initialize_tpu_system(here)
    described = []
    for logical in tf.config.list_logical_devices():
        kind = logical.device_type.lower()
        if kind in KINDS:
            index = int(logical.name.rpartition(":")[2])
            described.append(_described(kind, index))
    return sorted(described, key=lambda d: (d.kind != CPU.kind, d.kind, d.index))


def _described(kind: str, index: int) -> Device:
    physical = tf.config.list_physical_devices(kind.upper())
    if kind != "gpu" or index >= len(physical):
        return Device(kind, index)
    details = tf.config.experimental.get_device_details(physical[index])
    return Device(kind, index, details.get("device_name", ""))


def resolve(device: Device) -> str:
    """The framework's own name of a device; PluginError if it is not there."""
    available = devices()
    if device not in available:
        raise PluginError(
            f"TensorFlow has no device '{device}'; it computes on {', '.join(map(str, available))}"
        )
    return f"/device:{device.kind.upper()}:{device.index}"


def place(device: Device) -> AbstractContextManager:
    """Puts on the device what is computed inside.

    Empty where it is the only one: it costs 1-5 us a call.
    """
    name = resolve(device)
    return tf.device(name) if len(devices()) > 1 else nullcontext()


def synchronize(device: Device) -> None:
    """Return when the device has nothing left to do; a call on the CPU returns only then."""
    if device.kind != CPU.kind:
        tf.test.experimental.sync_devices()


def threads() -> int:
    """Threads that one op runs on."""
    return tf.config.threading.get_intra_op_parallelism_threads()


def peak_memory(device: Device) -> int | None:
    """Most bytes held on the device; None but on a GPU: TensorFlow counts nowhere else."""
    if device.kind != "gpu":
        return None
    return tf.config.experimental.get_memory_info(f"GPU:{device.index}")["peak"]


def seconds(device: Device, work: Callable[[], None]) -> float | None:
    """By the device's own clock; None: TensorFlow shows no marks on a device's stream."""
    return None


def autotunes(device: Device) -> bool:
    """cuDNN's choice among its convolutions, on a GPU unless a variable forbids it."""
    allowed = os.environ.get("TF_CUDNN_USE_AUTOTUNE", "1") not in ("0", "false")
    return device.kind == "gpu" and allowed


def reset_peak_memory(device: Device) -> None:
    """Let the peak start again from what is held now."""
    if device.kind == "gpu":
        tf.config.experimental.reset_memory_stats(f"GPU:{device.index}")
