"""A folder of results as airspeed velocity (asv) keeps it: `asv publish` and `asv compare` read it.

    FOLDER/benchmarks.json                       what is measured: a benchmark a workload and phase
    FOLDER/MACHINE/machine.json
    FOLDER/MACHINE/COMMIT-dnnbench.json          times of one commit, batch sizes and arms as
                                                 parameters

Source: asv's documentation of its file formats (https://asv.readthedocs.io/en/stable/dev.html),
versions 2, 1 and 2 of the three.
"""

import itertools
import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...errors import StoreError
from ...regular import Unfit, read_regular
from ...stats.distributions import t_quantile
from .timed import Row, TimedRun

if TYPE_CHECKING:
    import numpy as np

BENCHMARKS_VERSION, MACHINE_VERSION, RESULTS_VERSION = 2, 1, 2
ENVIRONMENT = "dnnbench"
PARAMETERS = ("batch_size", "arm")
COLUMNS = (
    "result", "params", "version", "started_at", "duration", "stats_ci_99_a", "stats_ci_99_b",
    "stats_q_25", "stats_q_75", "stats_number", "stats_repeat",
)  # fmt: skip
LARGEST_BYTES = 1 << 28
CLEAN = re.compile(r"[0-9a-f]{40,64}")
Combination = tuple[str, ...]


def write_folder(timed: TimedRun, samples: Mapping[str, "np.ndarray"], folder: Path) -> None:
    """Write the run into a folder of results, beside what it holds already.

    samples: seconds a call of every visit, by cell_id. The results that the folder has of the same
    commit and machine stay, but for those of benchmarks that this run measured.
    Raises StoreError for a run of no commit, and a folder that cannot be read or written.
    """
    commit = _commit(timed.run)
    machine = _machine(timed.machine)
    benchmarks = _benchmarks(timed.cells)
    place = folder / machine["machine"]
    results = _results(timed, samples, commit, machine, benchmarks)
    try:
        place.mkdir(parents=True, exist_ok=True)
        described = folder / "benchmarks.json"
        _write(described, _with(_read(described), benchmarks))
        _write(place / "machine.json", machine | {"version": MACHINE_VERSION})
        kept = place / f"{commit[:8]}-{ENVIRONMENT}.json"
        before = _read(kept).get("results")
        others = before if isinstance(before, dict) else {}
        _write(kept, results | {"results": others | results["results"]})
    except OSError as error:
        raise StoreError(
            f"export: {folder} cannot be written ({error.strerror}); name another folder with -o"
        ) from error


def _commit(run: Row) -> str:
    """The commit that the run measured: asv keeps results by commit."""
    revision = run["revision"] or ""
    if CLEAN.fullmatch(revision):
        return str(revision)
    got = f"{revision.rstrip('+')} with changes" if revision else "no commit"
    raise StoreError(
        f"export: run {run['run_id']} measured {got}, and asv keeps results by commit; "
        "measure in a git repository whose changes are committed, or choose another --format"
    )


def _machine(machine: Row) -> dict[str, str]:
    """asv's words for a machine; every value is a text."""
    facts: Mapping[str, Any] = machine["facts"]
    hardware, system = facts.get("hardware", {}), facts.get("system", {})
    name = machine["machine_label"] or machine["machine_id"]
    return {
        "machine": re.sub(r"[^\w.-]", "_", name),
        "arch": _shown(hardware.get("architecture")),
        "cpu": _shown(hardware.get("cpu_model")),
        "num_cpu": _shown(hardware.get("logical_cpus")),
        "os": _shown(system.get("kernel")),
        "ram": f"{hardware['memory_gib']} GiB" if hardware.get("memory_gib") else "",
    }


def _shown(fact: object) -> str:
    return "" if fact is None else str(fact)


@dataclass(frozen=True)
class _Benchmark:
    """A workload and phase: its cells by batch size and arm, and the values of both."""

    cells: Mapping[Combination, Row]
    values: tuple[Sequence[str], ...]
    version: str


def _benchmarks(cells: Iterable[Row]) -> dict[str, _Benchmark]:
    """By name."""
    groups: dict[str, dict[Combination, Row]] = {}
    for cell in cells:
        name = f"{ENVIRONMENT}.{cell['workload']}.{cell['phase']}"
        combination = tuple(repr(cell[parameter]) for parameter in PARAMETERS)
        groups.setdefault(name, {})[combination] = cell
    return {name: _benchmark(cells) for name, cells in groups.items()}


def _benchmark(cells: Mapping[Combination, Row]) -> _Benchmark:
    values = tuple(list(dict.fromkeys(values)) for values in zip(*cells, strict=True))
    return _Benchmark(cells, values, next(iter(cells.values()))["spec_hash"])


def _with(before: Mapping[str, Any], benchmarks: Mapping[str, _Benchmark]) -> dict[str, Any]:
    """The descriptions of both; of a benchmark that both have, the values of both."""
    described: dict[str, Any] = {**before, "version": BENCHMARKS_VERSION}
    for name, benchmark in benchmarks.items():
        values = zip(_values_before(before.get(name)), benchmark.values, strict=True)
        described[name] = {
            "name": name,
            "pretty_name": name.partition(".")[2],
            "type": "time",
            "unit": "seconds",
            "param_names": list(PARAMETERS),
            "params": [list(dict.fromkeys([*had, *has])) for had, has in values],
            "version": benchmark.version,
            "timeout": None,
            "code": "",
        }
    return described


def _values_before(entry: object) -> list[list[str]]:
    """The values of both parameters that the folder has; none of what is no entry of ours."""
    values = entry.get("params") if isinstance(entry, dict) else None
    if not isinstance(values, list) or [type(each) for each in values] != [list, list]:
        return [[] for _ in PARAMETERS]
    return values


def _results(
    timed: TimedRun,
    samples: Mapping[str, "np.ndarray"],
    commit: str,
    machine: Mapping[str, str],
    benchmarks: Mapping[str, _Benchmark],
) -> dict[str, Any]:
    versions = dict(timed.run["versions"])
    python = _shown(versions.pop("python", ""))
    measured_ms = _milliseconds(timed.run["created"])
    return {
        "commit_hash": commit,
        "env_name": ENVIRONMENT,
        "date": measured_ms,
        "params": {**machine, "python": python, **{k: _shown(v) for k, v in versions.items()}},
        "python": python,
        "requirements": versions,
        "env_vars": {},
        "result_columns": list(COLUMNS),
        "results": {
            name: _row(benchmark, samples, measured_ms) for name, benchmark in benchmarks.items()
        },
        "durations": {},
        "version": RESULTS_VERSION,
    }


def _row(benchmark: _Benchmark, samples: Mapping[str, "np.ndarray"], measured_ms: int) -> list[Any]:
    """The values of COLUMNS: a list each, over all combinations of parameters in order."""
    combinations = itertools.product(*benchmark.values)
    each = [_statistics(benchmark.cells.get(combination), samples) for combination in combinations]
    result, *stats = (list(column) for column in zip(*each, strict=True))
    about = list(benchmark.values), benchmark.version, measured_ms, None
    return [result, *about, *stats]


def _statistics(cell: Row | None, samples: Mapping[str, "np.ndarray"]) -> tuple[Any, ...]:
    """result, ci_99_a, ci_99_b, q_25, q_75, number, repeat of one combination."""
    if cell is None:
        return (None,) * 7
    low, high = _interval_99(cell)
    call_s = samples.get(cell["cell_id"])
    if call_s is None or not len(call_s):
        return cell["call_s"], low, high, None, None, None, None
    import numpy as np

    q25, q75 = (float(value) for value in np.quantile(call_s, (0.25, 0.75)))
    return cell["call_s"], low, high, q25, q75, cell["calls"], len(call_s)


def _interval_99(cell: Row) -> tuple[float | None, float | None]:
    """asv's interval is one of 99 %, the run's of 95 %, both of Student's t on logarithms:

    half(99 %) = half(95 %) t(0.995, G-1) / t(0.975, G-1)
    """
    low, high, count = (cell.get(name) for name in ("call_s_low", "call_s_high", "generations"))
    if low is None or high is None or not count or count < 2:
        return None, None
    middle, half = math.log(low * high) / 2, math.log(high / low) / 2
    half *= t_quantile(0.995, count - 1) / t_quantile(0.975, count - 1)
    return math.exp(middle - half), math.exp(middle + half)


def _milliseconds(created: str) -> int:
    return int(datetime.fromisoformat(created).timestamp() * 1000)


def _read(path: Path) -> dict[str, Any]:
    """What an earlier export left there; empty where nothing is."""
    try:
        content = json.loads(read_regular(path, LARGEST_BYTES))
    except FileNotFoundError:
        return {}
    except (Unfit, ValueError, RecursionError) as error:
        raise StoreError(
            f"export: {path} is no file of asv's ({error}); name another folder with -o"
        ) from error
    if not isinstance(content, dict):
        raise StoreError(
            f"export: {path} is no file of asv's: got a {type(content).__name__}, expected an "
            "object; name another folder with -o"
        )
    return content


def _write(path: Path, content: Mapping[str, Any]) -> None:
    """Whole, or as it was: a reader never meets half a file."""
    half = path.with_name(f"{path.name}.part")
    half.write_text(json.dumps(content, indent=1, allow_nan=False) + "\n", encoding="utf-8")
    half.replace(path)
