"""docs/proof.md: every figure in it is counted from the recordings."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from statistics import mean, median

from table import filled, markdown

from . import placement, starts, tables
from .charts import draw
from .findings import ELSEWHERE, Findings
from .limits import by_position, order_bias, planned, spread, with_interval
from .outcomes import SECONDS, gated, judged, label, lasting
from .targets import table_of, targets
from .trial import Trial

TEMPLATE = Path(__file__).with_name("template.md")
EMPTY_LINES = re.compile(r"\n{3,}")
PLOTS = {
    "power": "Share of trials called SLOWER over the extra work in the step",
    "errors": "Measured ratios less the true ones",
    "peers": "False alarms and missed slowdowns of every rule",
}


def write(trials: Sequence[Trial], folder: Path, size_bytes: int) -> Path:
    """Write the page and its plots; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    found = Findings(trials)
    parts = (
        _tables(found) | _plots(draw(found, folder)) | {"sittings": _sittings(trials, size_bytes)}
    )
    path = folder / "proof.md"
    page = TEMPLATE.read_text().format(**{name: part.rstrip() for name, part in parts.items()})
    path.write_text(filled(EMPTY_LINES.sub("\n\n", page)))
    return path


def _tables(found: Findings) -> dict[str, str]:
    return {
        "targets": table_of(targets(found)),
        "verdicts": tables.verdicts(found.verdicts),
        "verdicts_by_machine": tables.verdicts(
            {where: judged(part) for where, part in found.by_machine.items()}
        ),
        "gates": tables.gates(found.gates),
        "gates_by_machine": tables.gates(
            {where: gated(part) for where, part in found.by_machine.items()}
        ),
        "confirmations": tables.confirmations(found.confirmations),
        "covers": tables.covers(found.verdicts),
        "positions": _positions(found.counted),
        "starts": starts.table_of(found.counted),
        "verdicts_elsewhere": tables.verdicts(found.elsewhere),
        "kept_elsewhere": tables.verdicts(found.kept_elsewhere),
        "gates_elsewhere": tables.gates(found.gates_elsewhere),
        "peers": tables.peers(found.beside),
        "ablated": tables.ablated(lasting(found.quiet, SECONDS[0])),
        "spreads": _spreads(found),
        "flags": tables.flagged(found.trials),
        "placements": placement.table_of(found.trials),
    }


def _plots(files: dict[str, str]) -> dict[str, str]:
    """Markdown of every plot; empty for one that has nothing to show yet."""
    shown = {
        name: f"![{words}]({files[name]})" if name in files else "" for name, words in PLOTS.items()
    }
    return {f"{name}_plot": text for name, text in shown.items()}


def _sittings(trials: Sequence[Trial], size_bytes: int) -> str:
    """When, where, how much; start-up times apart."""
    if not trials:
        return "Nothing is recorded yet.\n"
    days = sorted({trial.facts["began"][:10] for trial in trials})
    machines = sorted({trial.facts["machine"] for trial in trials})
    versions = sorted(
        {f"{name} {number}" for trial in trials for name, number in trial.facts["versions"].items()}
    )
    lead = (
        f"Recorded so far: {len(trials)} trials in {_sat(trials)}, {_span(days)}, "
        f"on {' and on '.join(machines)}, one core for the arms; {', '.join(versions)}; "
        f"{size_bytes / 1e6:.1f} MB. The figures below grow with every sitting.\n"
    )
    heading = [
        "kind",
        "trials",
        "rounds a generation",
        "a visit, ms",
        "seconds to start a generation",
        "rounds contended",
    ]
    kinds = Counter(trial.kind for trial in trials)
    rows = [
        [kind, str(n), *_facts([t for t in trials if t.kind == kind])] for kind, n in kinds.items()
    ]
    return lead + "\n" + markdown(heading, rows)


def _facts(trials: Sequence[Trial]) -> list[str]:
    rounds = median(len(trial.generation) / len(trial.generations) for trial in trials)
    visit_ms = 1e3 * median(float(trial.cell_s.mean()) for trial in trials)
    start_s = median(s for trial in trials for s in trial.facts["starts_s"])
    contended = mean(float(trial.contended.mean()) for trial in trials)
    return [f"{rounds:.0f}", f"{visit_ms:.2f}", f"{start_s:.1f}", f"{contended:.0%}"]


def _sat(trials: Sequence[Trial]) -> str:
    count = len({trial.sitting for trial in trials})
    return f"{count} sitting{'s' if count > 1 else ''}"


def _span(days: Sequence[str]) -> str:
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]}"


def _positions(trials: Sequence[Trial]) -> str:
    if not (biases := order_bias(trials)):
        return ""
    lead = (
        f"Ratio of equals, second over first, mean over {len(biases)} pairs: "
        f"{with_interval(biases)}.\n\n"
    )
    places = by_position(trials)
    rows = [
        [str(place + 1), with_interval(places[:, place].tolist())]
        for place in range(places.shape[1])
    ]
    return lead + markdown(
        ["position in the round", "a visit's time against the round's median arm"], rows
    )


def _spreads(found: Findings) -> str:
    rows = []
    groups = {label(s): lasting(found.quiet, s) for s in SECONDS} | found.by_machine
    groups |= {kind: found.of(kind) for kind in ELSEWHERE}
    for name, trials in groups.items():
        if one := spread(trials):
            numbers = [f"{number:.2%}" for number in (one.between, one.within, one.half_width)]
            rows.append(
                [name, str(len(trials)), *numbers, f"{one.contended:.0%}", _planned(trials)]
            )
    heading = [
        "trials",
        "n",
        "sd of D_g between processes",
        "of it, noise of rounds",
        "half-width of the interval",
        "rounds contended",
        "generations by `auto`",
    ]
    return markdown(heading, rows)


def _planned(trials: Sequence[Trial]) -> str:
    """As "7 (6 to 9)", the median of the trials and the ends; as "6" where all are alike."""
    found = sorted(count for trial in trials if (count := planned(trial)))
    if not found:
        return ""
    return (
        str(found[0])
        if found[0] == found[-1]
        else f"{median(found):.0f} ({found[0]} to {found[-1]})"
    )
