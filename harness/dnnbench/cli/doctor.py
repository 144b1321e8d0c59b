"""dnnbench doctor: what is installed, what this machine can measure, what to fix."""

import time
from typing import Any

import rich_click as click

from .options import output_options

WATCH_S = 1.0
"""How long the contention counters are watched: steal moves in ticks of 10 ms."""


@click.command("doctor")
@output_options
@click.pass_obj
def command(output, as_json: bool):
    """Look at this machine and installation, and say what to fix before measuring.

    Nothing is changed, no framework is imported, and the contention counters are watched for one second.

    \b
    Examples:
      dnnbench doctor
      dnnbench doctor --json
    """
    output.detail(f"watching for other work for {WATCH_S:g} s")
    found = examine(WATCH_S)
    if as_json:
        output.json(found)
    else:
        _print(output, found)


def examine(watch_s: float) -> dict[str, Any]:
    """Everything that `doctor` prints, as plain data; takes `watch_s` seconds."""
    from .. import __version__
    from ..measure.affinity import current_mask
    from ..measure.contention import Sampler
    from ..measure.machine import machine_facts, machine_id
    from .advice import advice
    from .list import backends

    sampler, facts = Sampler(current_mask()), machine_facts()
    before = sampler.read()
    time.sleep(watch_s)
    after = sampler.read()
    found = {
        "version": __version__,
        **backends(),
        "machine_id": machine_id(facts),
        "machine": facts,
        "measures": _measures(after),
        "contention": _contention(before, after),
    }
    return found | {"advice": advice(found)}


def _measures(counters) -> dict[str, Any]:
    from ..measure.clock import read_cost_s, resolution_s
    from ..measure.environment import default_memory
    from ..measure.memory import read_memory, reset_peak

    return {
        "clock_resolution_s": resolution_s(),
        "clock_read_cost_s": read_cost_s(),
        "absent_counters": counters.absent,
        "peak_memory": read_memory().reason or reset_peak(),
        "memory_setting": default_memory(),
    }


def _contention(before, after) -> dict[str, Any]:
    from ..measure.contention import PRESSURE, STEAL, THROTTLED, flags

    bits = flags(before, after)
    names = {"steal": STEAL, "pressure": PRESSURE, "throttled": THROTTLED}
    return {"watched_s": after.at_s - before.at_s, **{name: bool(bits & bit) for name, bit in names.items()}}


def _print(output, found: dict[str, Any]) -> None:
    from .list import table_of

    output.text(f"dnnbench {found['version']} on Python {found['machine']['system']['python']}\n")
    output.table(table_of(found["backends"]))
    output.text("\nmachine")
    for name, value in (found["machine"]["hardware"] | found["machine"]["system"]).items():
        output.text(f"  {name.replace('_', ' '):<23}{_value(value)}")
    output.text("\nmeasuring")
    for name, value in _abilities(found["measures"]).items():
        output.text(f"  {name:<23}{value}")
    output.text("\nto fix" if found["advice"] else "\nnothing to fix")
    for sentence in found["advice"]:
        output.text(f"  - {sentence}")


def _abilities(measures: dict[str, Any]) -> dict[str, str]:
    resolution, cost = (measures[f"clock_{what}_s"] * 1e9 for what in ("resolution", "read_cost"))
    blind = ", ".join(name.removesuffix("_s") for name in measures["absent_counters"])
    return {
        "time": f"steps of {resolution:.0f} ns, {cost:.0f} ns a reading",
        "disturbances": f"noticed, but for {blind}" if blind else "steal, pressure and throttling are noticed",
        "peak memory": measures["peak_memory"] or "of each worker, resettable",
        "memory setting": measures["memory_setting"],
    }


def _value(value: Any) -> str:
    if value is None:
        return "not told"
    if isinstance(value, list):
        return ", ".join(map(_value, value)) or "none"
    return ", ".join(f"{key} {_value(item)}" for key, item in value.items()) if isinstance(value, dict) else str(value)
