"""dnnbench doctor --noise: the smallest difference that this machine can tell,
and what limits it.
"""

from typing import TYPE_CHECKING

from ..execution.noise import Noise, measure_noise
from .output import Output

if TYPE_CHECKING:
    from rich.table import Table

RULE = "half-width = t(0.975, G-1) sd / sqrt(G), sd² = between² + within² / seconds a generation"


def tell_noise(output: Output, as_json: bool) -> None:
    """Measure under the machine's lock, then print tables or JSON."""
    from ..host.lock import machine_lock
    from .progress import reporter

    with machine_lock(), reporter(output) as report:
        result = measure_noise(report)
    if as_json:
        output.json({"noise": result.to_json()})
    else:
        _print(output, result)


def _print(output: Output, result: Noise) -> None:
    from ..report.quantity import percent

    parts = result.parts
    output.text("two equal NumPy workers, visited in pairs\n")
    output.table(_table(result))
    output.text(
        f"\nfrom {parts.generations} generations of {result.generation_s:.1f} s a cell, "
        f"{result.rounds} rounds: sd {percent(parts.within_s**0.5)} within "
        f"(a second of visits), {percent(parts.between**0.5)} between processes (at most "
        f"{percent(parts.between_at_most**0.5)}, 95 %); a start costs {parts.start_s:.1f} s"
    )
    output.text(RULE)
    output.text("\nlimited by" if result.limits else "\nnothing in particular limits it")
    for name, sentence in result.limits.items():
        output.text(f"  {name:<19}{sentence}")


def _table(result: Noise) -> "Table":
    from ..report.columns import column_table
    from ..report.quantity import percent, seconds

    table = column_table(
        ">visits a cell",
        ">generations",
        ">half-width",
        ">told from 1 beyond",
        ">called SLOWER beyond",
    )
    for row in result.floors:
        table.add_row(
            seconds(row.visits_s),
            str(row.generations),
            *map(percent, (row.half_width, row.from_one, row.slower)),
        )
    return table
