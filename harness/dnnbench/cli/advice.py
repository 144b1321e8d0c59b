"""What would make this machine's figures steadier or fuller, from what `doctor` found."""

from collections.abc import Callable, Iterator, Mapping
from itertools import chain
from typing import Any

from ..host.gpus import SLOWED, spell_reasons

Examined = Mapping[str, Any]

BUSY_LOAD_PER_CPU = 0.3
"""Above this share of a CPU each, other work meets the workers often enough to be seen."""
UNEVEN_CLOCKS = 0.05


def advice(examined: Examined) -> list[str]:
    """A sentence for each thing to mend: what is so, what it costs, what to do.

    Absent facts give none.
    """
    of_facts = (adviser(examined) for adviser in ADVISERS.values())
    return [*_installation(examined), *chain.from_iterable(of_facts)]


def advice_on(fact: str, examined: Examined) -> list[str]:
    """The sentences on one fact of the preflight."""
    return list(ADVISERS[fact](examined)) if fact in ADVISERS else []


def _installation(examined: Examined) -> Iterator[str]:
    for row in examined["backends"]:
        if not row["installed"]:
            yield f"{row['title']} cannot run: {row['status']}"
    for name, reason in examined["broken_plugins"].items():
        yield f"plugin '{name}' is broken ({reason}): update it, or uninstall it"


def _governor(examined: Examined) -> Iterator[str]:
    governor = _system(examined)["governor"]
    if governor not in (None, "performance"):
        yield (
            f"the frequency governor is '{governor}', so clocks follow the load: "
            "set it to 'performance'"
        )


def _frequency(examined: Examined) -> Iterator[str]:
    clocks = _system(examined).get("frequencies_mhz")
    if clocks and max(clocks) > (1 + UNEVEN_CLOCKS) * min(clocks):
        yield (
            f"the CPUs run at {min(clocks):.0f} to {max(clocks):.0f} MHz: fix the clock, "
            "or keep each --threads below the CPUs that boost together"
        )


def _boost(examined: Examined) -> Iterator[str]:
    if _system(examined).get("boost"):
        yield (
            "clocks may rise above the nominal one and fall again with heat: "
            "turn boost off for steadier figures"
        )


def _quota(examined: Examined) -> Iterator[str]:
    allowed, quota = len(_system(examined)["affinity"]), _system(examined)["cpu_quota"]
    if quota is not None and quota < allowed:
        threads = max(int(quota), 1)
        yield (
            f"a quota of {quota:g} CPUs stops threads on {allowed}: "
            f"use --threads {threads}, or lift it"
        )


def _affinity(examined: Examined) -> Iterator[str]:
    if len(_system(examined)["affinity"]) == 1:
        yield "one CPU is shared by the worker and all else: give this process a second one"


def _cores(examined: Examined) -> Iterator[str]:
    cores, logical = (
        examined["machine"]["hardware"][name] for name in ("physical_cores", "logical_cpus")
    )
    if cores and logical and logical > cores:
        yield (
            f"{logical} CPUs share {cores} cores and slow each other: use --threads {cores} at most"
        )


def _load(examined: Examined) -> Iterator[str]:
    load, allowed = _system(examined)["load_1min"], len(_system(examined)["affinity"])
    if load is not None and load > BUSY_LOAD_PER_CPU * allowed:
        yield (
            f"other work is running (load {load:.1f} on {allowed} CPUs): "
            "end it, or expect more UNDECIDED"
        )


def _pressure(examined: Examined) -> Iterator[str]:
    if examined["contention"]["pressure"] and not list(_load(examined)):
        yield "tasks wait for a CPU just now: end other work, or expect more UNDECIDED"


def _steal(examined: Examined) -> Iterator[str]:
    if examined["contention"]["steal"]:
        yield (
            "the hypervisor takes CPU time away just now: "
            "prefer a quieter hour, or a machine of your own"
        )


def _throttling(examined: Examined) -> Iterator[str]:
    if examined["contention"]["throttled"]:
        yield "the control group's quota stops this process just now: lift it, or use fewer threads"


def _counters(examined: Examined) -> Iterator[str]:
    for counter in examined["measures"]["absent_counters"]:
        name = counter.removesuffix("_s")
        yield (
            f"this system does not count {name}: such disturbances go unnoticed; "
            "repeat what surprises you"
        )


def _peak_memory(examined: Examined) -> Iterator[str]:
    if examined["measures"]["peak_memory"]:
        yield f"peak memory is not exact: {examined['measures']['peak_memory']}"


def _flags(examined: Examined) -> Iterator[str]:
    if flags := _system(examined).get("flags"):
        yield (
            f"{', '.join(flags)} change how libraries compute: "
            "unset what you did not mean, or name it with the figures"
        )


def _gpu_processes(examined: Examined) -> Iterator[str]:
    for index, gpu in enumerate(_system(examined)["gpus"]):
        if gpu["processes"]:
            yield (
                f"gpu:{index} has {gpu['processes']} other process(es): "
                "end them before measuring on it"
            )


def _gpu_reasons(examined: Examined) -> Iterator[str]:
    for index, gpu in enumerate(_system(examined)["gpus"]):
        if bits := (gpu["throttle_reasons"] or 0) & SLOWED:
            yield (
                f"gpu:{index} is held below its clock ({spell_reasons(bits)}): "
                "check its power and cooling"
            )


def _gpu_power(examined: Examined) -> Iterator[str]:
    for index, gpu in enumerate(_system(examined)["gpus"]):
        limit, default = gpu.get("power_limit_mw"), gpu.get("power_limit_default_mw")
        if limit and default and limit < default:
            yield (
                f"gpu:{index} is capped at {limit / 1e3:g} W, its default is {default / 1e3:g} W: "
                "raise the cap, or name it with the figures"
            )


def _system(examined: Examined) -> Mapping[str, Any]:
    system: Mapping[str, Any] = examined["machine"]["system"]
    return system


ADVISERS: dict[str, Callable[[Examined], Iterator[str]]] = {
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
