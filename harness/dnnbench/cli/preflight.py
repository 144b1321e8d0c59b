"""What `doctor` looks at before a measurement: each fact, what it means,
and what to do about it.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from itertools import chain
from typing import Any

from ..host.gpus import spell_reasons
from .advice import advice_on

Examined = Mapping[str, Any]
ABSENT = "absent"


@dataclass(frozen=True)
class Fact:
    """One fact.

    `value` is plain data, None where this machine does not tell it,
    and `text` is the same in words.
    """

    name: str
    value: Any
    text: str
    meaning: str
    to_do: list[str]

    def to_json(self) -> dict[str, Any]:
        facts = asdict(self)
        return facts | {"told": facts.pop("text"), "absent": self.value is None}


def preflight(examined: Examined) -> list[Fact]:
    """Every fact of `LOOKED_AT`, from what `doctor` found; GPU facts once, for all GPUs."""
    return [_fact(name, examined, *looked) for name, looked in LOOKED_AT.items()]


def _fact(
    name: str,
    examined: Examined,
    meaning: str,
    read: Callable[[Examined], Any],
    spell: Callable[[Any], str],
) -> Fact:
    value = read(examined)
    text = ABSENT if value is None else spell(value)
    return Fact(name, value, text, meaning, advice_on(name, examined))


def _hardware(name: str) -> Callable[[Examined], Any]:
    return lambda examined: examined["machine"]["hardware"].get(name)


def _system(name: str) -> Callable[[Examined], Any]:
    return lambda examined: examined["machine"]["system"].get(name)


def _contention(name: str) -> Callable[[Examined], Any]:
    return lambda examined: examined["contention"][name]


def _cores(examined: Examined) -> dict[str, Any] | None:
    counts = {
        "cores": _hardware("physical_cores")(examined),
        "logical": _hardware("logical_cpus")(examined),
    }
    return None if None in counts.values() else counts


def _versions(examined: Examined) -> dict[str, str]:
    return {row["title"]: row["version"] or row["status"] for row in examined["backends"]}


def _gpu(*names: str) -> Callable[[Examined], Any]:
    """The named answers of every GPU; None without one, or where no GPU tells any."""

    def read(examined: Examined) -> list[dict[str, Any]] | None:
        rows = [_some(gpu, names) for gpu in _system("gpus")(examined)]
        answers = chain.from_iterable(row.values() for row in rows)
        return rows if any(value is not None for value in answers) else None

    return read


def _some(gpu: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    return {name: gpu.get(name) for name in names}


def _each_gpu(spell: Callable[..., str]) -> Callable[[list[dict[str, Any]]], str]:
    return lambda rows: "; ".join(
        f"gpu:{index} {_one_gpu(row, spell)}" for index, row in enumerate(rows)
    )


def _one_gpu(row: Mapping[str, Any], spell: Callable[..., str]) -> str:
    return ABSENT if None in row.values() else spell(*row.values())


def _list(values: list[Any]) -> str:
    return ", ".join(map(str, values)) or "none"


def _siblings(groups: list[list[int]]) -> str:
    return (
        "; ".join(" and ".join(map(str, group)) for group in groups)
        or "none among the CPUs allowed"
    )


def _clocks(values: list[float]) -> str:
    low, high = min(values), max(values)
    return f"{low:.0f} MHz" if low == high else f"{low:.0f} to {high:.0f} MHz"


def _pools(rows: list[dict[str, Any]]) -> str:
    texts = [
        (
            f"{r['library']} {r['version'] or ''} ({r['kernels'] or 'kernels not texts'}), "
            f"{r['threads']} threads"
        )
        for r in rows
    ]
    return "; ".join(texts) or "no pool of threads"


def _share(value: float) -> str:
    return f"{value:.1%}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in values.items()) or "none set"


ASLR = {"0": "off", "1": "on, without the heap", "2": "on"}

LOOKED_AT: dict[str, tuple[str, Callable[[Examined], Any], Callable[[Any], str]]] = {
    "CPU": ("absolute times hold for this model alone", _hardware("cpu_model"), str),
    "CPU signature": (
        "processors of several generations may share a name under a hypervisor, "
        "and differ in speed and noise",
        _hardware("cpu_signature"),
        str,
    ),
    "caches": ("of one CPU; what fits into them stays fast", _hardware("caches"), _pairs),
    "CPU level": (
        "the instructions that libraries choose their kernels by",
        _hardware("cpu_level"),
        str,
    ),
    "cores": (
        "more threads than cores share their arithmetic units",
        _cores,
        lambda v: f"{v['cores']} cores, {v['logical']} logical CPUs",
    ),
    "SMT siblings": (
        "CPUs of one core slow each other by up to half; dnnbench takes one of each core first",
        _system("smt_siblings"),
        _siblings,
    ),
    "affinity": ("the CPUs that workers may be confined to", _system("affinity"), _list),
    "quota": (
        "CPUs' worth of time that the control group allows; absent: no limit, or none can be read",
        _system("cpu_quota"),
        lambda v: f"{v:g} CPUs",
    ),
    "throttling": (
        "whether that quota stopped this process while it was watched",
        _contention("throttled"),
        lambda v: "yes" if v else "no",
    ),
    "steal": (
        "CPU time that the hypervisor gave to others while it was watched; "
        "a step then takes 6 to 40 times as long",
        _contention("steal_share"),
        _share,
    ),
    "pressure": (
        "share of the time watched in which some task waited for a CPU; "
        "above half a round is dropped",
        _contention("pressure_share"),
        _share,
    ),
    "load": (
        "tasks that ran or waited in the last minute",
        _system("load_1min"),
        lambda v: f"{v:.2f}",
    ),
    "governor": ("who sets the clock: 'performance' keeps it up", _system("governor"), str),
    "frequency": (
        "the clock of each CPU now; a virtual machine tells a nominal one, "
        "which may not be the real",
        _system("frequencies_mhz"),
        _clocks,
    ),
    "boost": (
        "whether clocks may rise above the nominal one",
        _system("boost"),
        lambda v: "on" if v else "off",
    ),
    "ASLR": (
        "whether each process lies elsewhere in memory: "
        "on, a layout's luck shows between generations, and is averaged",
        _system("aslr"),
        lambda v: ASLR.get(v, v),
    ),
    "huge pages": (
        "who gets pages of 2 MB: 'always' saves page faults and differs between frameworks",
        _system("huge_pages"),
        str,
    ),
    "BLAS": (
        "pools of threads in this process; a worker's have as many as --threads says",
        _system("blas"),
        _pools,
    ),
    "frameworks": ("versions, from their metadata", _versions, _pairs),
    "flags": (
        "variables that reach every worker and change how it computes",
        _system("flags"),
        _pairs,
    ),
    "memory setting": (
        "steady: glibc keeps what was freed, so that steps meet no page faults",
        lambda examined: examined["measures"]["memory_setting"],
        str,
    ),
    "clock": (
        "the finest step of the clock; a visit lasts 1 ms and 10,000 readings at least",
        lambda examined: examined["measures"]["clock_resolution_s"],
        lambda v: f"{v * 1e9:.0f} ns",
    ),
    "counters": (
        "disturbances that nobody counts here",
        lambda examined: examined["measures"]["absent_counters"],
        lambda v: ", ".join(name.removesuffix("_s") for name in v) or "none is missing",
    ),
    "peak memory": (
        "whether each phase's peak can be told apart",
        lambda examined: examined["measures"]["peak_memory"],
        lambda v: v or "of each worker, resettable",
    ),
    "GPU clocks": (
        "streaming multiprocessors now and at most; idle GPUs clock down",
        _gpu("sm_clock_mhz", "sm_clock_max_mhz"),
        _each_gpu(lambda now, most: f"{now} of {most} MHz"),
    ),
    "GPU power cap": (
        "watts at which the GPU slows itself, and its default",
        _gpu("power_limit_mw", "power_limit_default_mw"),
        _each_gpu(lambda cap, default: f"{cap / 1e3:g} of {default / 1e3:g} W"),
    ),
    "GPU throttle reasons": (
        "why a GPU runs below the clock it could have; idle is harmless",
        _gpu("throttle_reasons"),
        _each_gpu(spell_reasons),
    ),
    "GPU processes": (
        "others on the GPU share its time and memory",
        _gpu("processes"),
        _each_gpu(str),
    ),
}
"""Name -> what it means, where it is found, how it is told."""
