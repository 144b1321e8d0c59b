"""Which device `--device` means, and what devices there are: frameworks are asked in workers."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path

from ..errors import UsageError, WorkerError
from ..protocol.arm import Arm
from ..protocol.device import AUTO, CPU, Device
from ..worker.clients.arm import ArmClient
from .backend_info import info_of
from .parallel import in_parallel
from .pool import started, worker_cpus
from .reporter import Reporter

Devices = tuple[Device, ...]
ACCELERATOR_FILES = ("nvidia0", "nvidiactl", "kfd", "dxg", "accel0", "accel", "vfio/0")
"""What drivers of NVIDIA and AMD GPUs, of Windows' subsystem for Linux,
and of TPUs leave in /dev.
"""


def list_devices(arms: Sequence[Arm]) -> dict[str, Devices | str]:
    """By backend: its devices, or why it could not be asked.

    Takes seconds: frameworks are imported.
    """
    by_backend = {arm.backend: arm for arm in arms}
    answers = in_parallel(_ask, by_backend.values(), len(worker_cpus(1)) + 1)
    return dict(zip(by_backend, answers, strict=True))


def _ask(arm: Arm) -> Devices | str:
    arm = arm.on(CPU)  # every framework has one, and says there what else it has
    try:
        with started(arm, f"devices-{arm.backend}") as worker:
            return ArmClient(worker).devices()
    except WorkerError as error:
        return str(error)


def accelerator_in_sight(dev: Path = Path("/dev")) -> bool:
    """Whether a driver of a GPU or TPU is there; without one, no framework need be asked."""
    return "TPU_NAME" in os.environ or any((dev / name).exists() for name in ACCELERATOR_FILES)


def devices_of(arms: Sequence[Arm], report: Reporter) -> dict[Device, Device]:
    """What each device that an arm requests means, decided among the arms that request it."""
    wanted = dict.fromkeys(arm.device for arm in arms)
    asking = {device: [arm for arm in arms if arm.device == device] for device in wanted}
    return {device: choose_device(device, several, report) for device, several in asking.items()}


def choose_device(wanted: Device, arms: Sequence[Arm], report: Reporter) -> Device:
    """The device that `wanted` means for some arms, whichever they request.

    `auto` takes the GPU when every arm has one, but for backends that know no other device than the
    CPU; else the CPU.

    UsageError if a device is named that an arm lacks: nothing falls back to the CPU in silence.
    """
    others = [arm for arm in arms if not info_of(arm).cpu_only]
    if wanted != AUTO:
        return wanted if wanted.kind == CPU.kind else _demand(wanted, arms, others)
    if not others or not accelerator_in_sight():
        report.note("device: cpu (auto: no GPU or TPU in sight)")
        return CPU
    return _automatic(others, report)


def _automatic(others: Sequence[Arm], report: Reporter) -> Device:
    by_backend = list_devices(others)
    for kind in ("gpu", "tpu"):
        without = [name for name, devices in by_backend.items() if not _has(devices, Device(kind))]
        if not without:
            report.note(f"device: {kind} (auto: every backend has one)")
            return _with_memory(Device(kind), by_backend)
        if len(without) < len(by_backend):
            report.note(f"device: no {kind}, because {', '.join(without)} cannot use one")
    report.note("device: cpu (auto)")
    return CPU


def _listed(arms: Sequence[Arm]) -> str:
    """`numpy computes`, `numpy and onnxruntime compute`."""
    names = list(dict.fromkeys(arm.backend for arm in arms))
    return f"{' and '.join(names)} compute{'s' if len(names) == 1 else ''}"


def _demand(wanted: Device, arms: Sequence[Arm], others: Sequence[Arm]) -> Device:
    """others: the arms that know other devices than the CPU."""
    if not others:
        raise UsageError(
            f"--device {wanted}: {_listed(arms)} on cpu alone; add a backend that can use {wanted}"
        )
    by_backend = list_devices(others)
    without = {name: devices for name, devices in by_backend.items() if not _has(devices, wanted)}
    if without:
        has = "; ".join(f"{name} has {_names(devices)}" for name, devices in without.items())
        raise UsageError(
            f"--device {wanted}: not there for every backend: {has}; "
            "name other backends, or another device"
        )
    return _with_memory(wanted, by_backend)


def _with_memory(wanted: Device, by_backend: Mapping[str, Devices | str]) -> Device:
    """The device with the least memory that any backend tells of it:
    JAX counts what it may use, PyTorch all there is.
    """
    lists = [devices for devices in by_backend.values() if not isinstance(devices, str)]
    same = [device for device in chain.from_iterable(lists) if device == wanted]
    known_bytes = [device.memory_bytes for device in same if device.memory_bytes]
    return replace(wanted, memory_bytes=min(known_bytes, default=None))


def _has(devices: Devices | str, wanted: Device) -> bool:
    return not isinstance(devices, str) and wanted in devices


def _names(devices: Devices | str) -> str:
    return devices if isinstance(devices, str) else ", ".join(map(str, devices))
