"""What would make this machine's figures steadier or fuller, from what `doctor` found."""

from collections.abc import Iterator
from typing import Any

BUSY_LOAD_PER_CPU = 0.3
"""Above this share of a CPU each, other work meets the workers often enough to be seen."""
SLOWED = 0x4 | 0x8 | 0x20 | 0x40 | 0x80
"""NVML's bits for power cap, hardware slowdown, heat (software, hardware) and power brake."""


def advice(found: dict[str, Any]) -> list[str]:
    """A sentence for each thing to mend: what is so, what it costs, what to do. Absent facts give none."""
    machine = found["machine"]
    return [
        *_installation(found["backends"], found["broken_plugins"]),
        *_cpus(machine["hardware"], machine["system"]),
        *_other_work(machine["system"], found["contention"]),
        *_blind_spots(found["measures"]),
        *_gpus(machine["system"]["gpus"]),
    ]


def _installation(backends: list[dict[str, Any]], broken: dict[str, str]) -> Iterator[str]:
    for row in backends:
        if not row["installed"]:
            yield f"{row['title']} cannot run: {row['status']}"
    for name, reason in broken.items():
        yield f"plugin '{name}' is broken ({reason}): update it, or uninstall it"


def _cpus(hardware: dict[str, Any], system: dict[str, Any]) -> Iterator[str]:
    allowed, quota, governor = len(system["affinity"]), system["cpu_quota"], system["governor"]
    if governor not in (None, "performance"):
        yield f"the frequency governor is '{governor}', so clocks follow the load: set it to 'performance'"
    if quota is not None and quota < allowed:
        threads = max(int(quota), 1)
        yield f"a quota of {quota:g} CPUs stops threads on {allowed}: use --threads {threads}, or lift it"
    if allowed == 1:
        yield "one CPU is shared by the worker and all else: give this process a second one"
    cores, logical = hardware["physical_cores"], hardware["logical_cpus"]
    if cores and logical and logical > cores:
        yield f"{logical} CPUs share {cores} cores and slow each other: use --threads {cores} at most"


def _other_work(system: dict[str, Any], contention: dict[str, Any]) -> Iterator[str]:
    load, allowed = system["load_1min"], len(system["affinity"])
    if load is not None and load > BUSY_LOAD_PER_CPU * allowed:
        yield f"other work is running (load {load:.1f} on {allowed} CPUs): end it, or expect more UNDECIDED"
    elif contention["pressure"]:
        yield "tasks wait for a CPU just now: end other work, or expect more UNDECIDED"
    if contention["steal"]:
        yield "the hypervisor takes CPU time away just now: prefer a quieter hour, or a machine of your own"
    if contention["throttled"]:
        yield "the control group's quota stops this process just now: lift it, or use fewer threads"


def _blind_spots(measures: dict[str, Any]) -> Iterator[str]:
    for counter in measures["absent_counters"]:
        name = counter.removesuffix("_s")
        yield f"this system does not count {name}: such disturbances go unnoticed; repeat what surprises you"
    if measures["peak_memory"]:
        yield f"peak memory is not exact: {measures['peak_memory']}"


def _gpus(gpus: list[dict[str, Any]]) -> Iterator[str]:
    for index, gpu in enumerate(gpus):
        if gpu["processes"]:
            yield f"gpu:{index} has {gpu['processes']} other process(es): end them before measuring on it"
        if (gpu["throttle_reasons"] or 0) & SLOWED:
            reasons = f"NVML's reasons {gpu['throttle_reasons']:#x}"
            yield f"gpu:{index} is held below its clock ({reasons}): check its power and cooling"
