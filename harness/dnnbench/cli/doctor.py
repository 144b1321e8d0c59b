"""dnnbench doctor: what is installed, what this machine can measure, what to fix."""

import time
from typing import TYPE_CHECKING, Any

import rich_click as click

from .options import Command, output_options
from .output import Output

if TYPE_CHECKING:
    from ..host.contention import Counters

WATCH_S = 1.0
"""How long the contention counters are watched: steal moves in ticks of 10 ms."""


@click.command("doctor", cls=Command)
@click.option(
    "--noise",
    is_flag=True,
    help="Measure for about a minute what differences this machine can tell.",
)
@output_options
@click.pass_obj
def command(output: Output, noise: bool, as_json: bool) -> None:
    """Look at this machine and installation, and say what to fix before measuring.

    Nothing is changed, no framework is imported, and the contention counters are watched
    for one second. Each fact is told with what it means; one that this machine does
    not tell is told as absent. With --noise, two equal NumPy workers are compared instead:
    the smallest slowdown that 10 s, 60 s and 10 min of visits can tell here, and what limits it.

    \b
    Examples:
      dnnbench doctor
      dnnbench doctor --json
      dnnbench doctor --noise
    """
    if noise:
        from .noise import tell_noise

        tell_noise(output, as_json)
        return
    output.detail(f"watching for other work for {WATCH_S:g} s")
    examined = examine(WATCH_S)
    if as_json:
        output.json(examined)
    else:
        _print(output, examined)


def examine(watch_s: float) -> dict[str, Any]:
    """Everything that `doctor` prints, as plain data; takes `watch_s` seconds."""
    from .. import __version__
    from ..api.listing import backend_rows, broken_plugins
    from ..host.affinity import current_mask
    from ..host.contention import Sampler
    from ..host.machine import host_hash, machine_facts
    from ..store.identity import machine_class, machine_id
    from .advice import advice
    from .preflight import preflight

    cpus, facts = current_mask(), machine_facts()
    sampler = Sampler(cpus)
    before = sampler.read()
    time.sleep(watch_s)
    after = sampler.read()
    examined = {
        "version": __version__,
        "backends": backend_rows(),
        "broken_plugins": broken_plugins(),
        "machine_id": machine_id(facts["hardware"], host_hash()),
        "machine_class": machine_class(facts["hardware"]),
        "machine": facts,
        "measures": _measures(after),
        "contention": _contention(before, after, len(cpus)),
    }
    return examined | {
        "preflight": [fact.to_json() for fact in preflight(examined)],
        "advice": advice(examined),
    }


def _measures(counters: "Counters") -> dict[str, Any]:
    from ..host.clock import read_cost_s, resolution_s
    from ..host.memory import read_memory, reset_peak
    from ..worker.environment import default_memory

    return {
        "clock_resolution_s": resolution_s(),
        "clock_read_cost_s": read_cost_s(),
        "absent_counters": counters.absent,
        "peak_memory": read_memory().reason or reset_peak(),
        "memory_setting": default_memory(),
    }


def _contention(before: "Counters", after: "Counters", cpus: int) -> dict[str, Any]:
    """Whether each flag would be raised, None where the counter is absent.

    And the shares behind two of them.
    """
    from ..host.contention import flags
    from ..stats.flags import PRESSURE, STEAL, THROTTLED

    bits, window_s = flags(before, after), after.at_s - before.at_s
    names = {"steal": STEAL, "pressure": PRESSURE, "throttled": THROTTLED}
    return {
        "watched_s": window_s,
        "steal_share": _rise(before.steal_s, after.steal_s, window_s * cpus),
        "pressure_share": _rise(before.pressure_s, after.pressure_s, window_s),
        **{
            name: None if f"{name}_s" in after.absent else bool(bits & bit)
            for name, bit in names.items()
        },
    }


def _rise(before: float | None, after: float | None, whole_s: float) -> float | None:
    return None if before is None or after is None else (after - before) / whole_s


def _print(output: Output, examined: dict[str, Any]) -> None:
    from .list import table_of

    output.text(
        f"dnnbench {examined['version']} on Python {examined['machine']['system']['python']}\n"
    )
    output.table(table_of(examined["backends"]))
    output.text("\nbefore measuring")
    for fact in examined["preflight"]:
        output.text(f"  {fact['name']:<21}{fact['told']}\n{'':<23}({fact['meaning']})")
        for sentence in fact["to_do"]:
            output.text(f"{'':<23}-> {sentence}")
    output.text("\nto fix" if examined["advice"] else "\nnothing to fix")
    for sentence in examined["advice"]:
        output.text(f"  - {sentence}")
