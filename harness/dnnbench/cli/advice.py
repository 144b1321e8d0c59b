"""What would make this machine's figures steadier or fuller, from what `doctor` found."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from ..host.gpus import SLOWED, spell_reasons

Found = Mapping[str, Any]

BUSY_LOAD_PER_CPU = 0.3
"""Above this share of a CPU each, other work meets the workers often enough to be seen."""
UNEVEN_CLOCKS = 0.05


def advice(found: Found) -> list[str]:
    """A sentence for each thing to mend: what is so, what it costs, what to do.

    Absent facts give none.
    """
    return [
        *_installation(found),
        *(sentence for adviser in ADVISERS.values() for sentence in adviser(found)),
    ]


def advice_on(fact: str, found: Found) -> list[str]:
    """The sentences on one fact of the preflight."""
    return list(ADVISERS[fact](found)) if fact in ADVISERS else []


def _installation(found: Found) -> Iterator[str]:
    for row in found["backends"]:
        if not row["installed"]:
            yield f"{row['title']} cannot run: {row['status']}"
    for name, reason in found["broken_plugins"].items():
        yield f"plugin '{name}' is broken ({reason}): update it, or uninstall it"


def _governor(found: Found) -> Iterator[str]:
    governor = _system(found)["governor"]
    if governor not in (None, "performance"):
        yield (
            f"the frequency governor is '{governor}', so clocks follow the load: "
            "set it to 'performance'"
        )


def _frequency(found: Found) -> Iterator[str]:
    clocks = _system(found).get("frequencies_mhz")
    if clocks and max(clocks) > (1 + UNEVEN_CLOCKS) * min(clocks):
        yield (
            f"the CPUs run at {min(clocks):.0f} to {max(clocks):.0f} MHz: fix the clock, "
            "or keep each --threads below the CPUs that boost together"
        )


def _boost(found: Found) -> Iterator[str]:
    if _system(found).get("boost"):
        yield (
            "clocks may rise above the nominal one and fall again with heat: "
            "turn boost off for steadier figures"
        )


def _quota(found: Found) -> Iterator[str]:
    allowed, quota = len(_system(found)["affinity"]), _system(found)["cpu_quota"]
    if quota is not None and quota < allowed:
        threads = max(int(quota), 1)
        yield (
            f"a quota of {quota:g} CPUs stops threads on {allowed}: "
            f"use --threads {threads}, or lift it"
        )


def _affinity(found: Found) -> Iterator[str]:
    if len(_system(found)["affinity"]) == 1:
        yield "one CPU is shared by the worker and all else: give this process a second one"


def _cores(found: Found) -> Iterator[str]:
    cores, logical = (
        found["machine"]["hardware"][name] for name in ("physical_cores", "logical_cpus")
    )
    if cores and logical and logical > cores:
        yield (
            f"{logical} CPUs share {cores} cores and slow each other: use --threads {cores} at most"
        )


def _load(found: Found) -> Iterator[str]:
    load, allowed = _system(found)["load_1min"], len(_system(found)["affinity"])
    if load is not None and load > BUSY_LOAD_PER_CPU * allowed:
        yield (
            f"other work is running (load {load:.1f} on {allowed} CPUs): "
            "end it, or expect more UNDECIDED"
        )


def _pressure(found: Found) -> Iterator[str]:
    if found["contention"]["pressure"] and not list(_load(found)):
        yield "tasks wait for a CPU just now: end other work, or expect more UNDECIDED"


def _steal(found: Found) -> Iterator[str]:
    if found["contention"]["steal"]:
        yield (
            "the hypervisor takes CPU time away just now: "
            "prefer a quieter hour, or a machine of your own"
        )


def _throttling(found: Found) -> Iterator[str]:
    if found["contention"]["throttled"]:
        yield "the control group's quota stops this process just now: lift it, or use fewer threads"


def _counters(found: Found) -> Iterator[str]:
    for counter in found["measures"]["absent_counters"]:
        name = counter.removesuffix("_s")
        yield (
            f"this system does not count {name}: such disturbances go unnoticed; "
            "repeat what surprises you"
        )


def _peak_memory(found: Found) -> Iterator[str]:
    if found["measures"]["peak_memory"]:
        yield f"peak memory is not exact: {found['measures']['peak_memory']}"


def _flags(found: Found) -> Iterator[str]:
    if told := _system(found).get("flags"):
        yield (
            f"{', '.join(told)} change how libraries compute: "
            "unset what you did not mean, or name it with the figures"
        )


def _gpu_processes(found: Found) -> Iterator[str]:
    for index, gpu in enumerate(_system(found)["gpus"]):
        if gpu["processes"]:
            yield (
                f"gpu:{index} has {gpu['processes']} other process(es): "
                "end them before measuring on it"
            )


def _gpu_reasons(found: Found) -> Iterator[str]:
    for index, gpu in enumerate(_system(found)["gpus"]):
        if bits := (gpu["throttle_reasons"] or 0) & SLOWED:
            yield (
                f"gpu:{index} is held below its clock ({spell_reasons(bits)}): "
                "check its power and cooling"
            )


def _gpu_power(found: Found) -> Iterator[str]:
    for index, gpu in enumerate(_system(found)["gpus"]):
        limit, default = gpu.get("power_limit_mw"), gpu.get("power_limit_default_mw")
        if limit and default and limit < default:
            yield (
                f"gpu:{index} is capped at {limit / 1e3:g} W, its default is {default / 1e3:g} W: "
                "raise the cap, or name it with the figures"
            )


def _system(found: Found) -> Mapping[str, Any]:
    return found["machine"]["system"]


ADVISERS: dict[str, Callable[[Found], Iterator[str]]] = {
    "governor": _governor,
    "frequency": _frequency,
    "boost": _boost,
    "quota": _quota,
    "affinity": _affinity,
    "cores": _cores,
    "load": _load,
    "pressure": _pressure,
    "steal": _steal,
    "throttling": _throttling,
    "counters": _counters,
    "peak memory": _peak_memory,
    "flags": _flags,
    "GPU processes": _gpu_processes,
    "GPU throttle reasons": _gpu_reasons,
    "GPU power cap": _gpu_power,
}
"""By the name of the fact that each is about."""
