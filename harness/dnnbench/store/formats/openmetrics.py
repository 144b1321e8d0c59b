"""OpenMetrics text, as Prometheus and its push gateways read it.

Source: https://prometheus.io/docs/specs/om/open_metrics_spec (version 1.0.0): a unit is the end of
a metric's name, an info metric's sample ends in `_info`, and the text ends in `# EOF`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from .timed import Row, TimedRun

LABELS = ("workload", "batch_size", "phase", "arm", "device", "dtype", "threads")


@dataclass(frozen=True)
class Gauge:
    """A metric of a cell: its column, its unit ('' for a ratio) and what it means."""

    name: str
    column: str
    unit: str
    help: str


GAUGES = (
    Gauge("dnnbench_call_seconds", "call_s", "seconds", "Wall time of one call."),
    Gauge(
        "dnnbench_call_low_seconds",
        "call_s_low",
        "seconds",
        "Lower end of the 95 % interval of the time of one call.",
    ),
    Gauge(
        "dnnbench_call_high_seconds",
        "call_s_high",
        "seconds",
        "Upper end of the 95 % interval of the time of one call.",
    ),
    Gauge("dnnbench_time_ratio", "ratio", "", "Time over that of the base of the run."),
    Gauge("dnnbench_time_ratio_low", "ratio_low", "", "Lower end of its 95 % interval."),
    Gauge("dnnbench_time_ratio_high", "ratio_high", "", "Upper end of its 95 % interval."),
    Gauge(
        "dnnbench_peak_resident_bytes",
        "peak_rss_bytes",
        "bytes",
        "Peak resident memory of the worker in one call.",
    ),
)


def text(timed: TimedRun) -> str:
    """The run as an info metric, and a gauge for each statistic that a cell has."""
    return "\n".join([*_info(timed), *_gauges(timed), "# EOF", ""])


def _info(timed: TimedRun) -> Iterator[str]:
    """`dnnbench_run_info`: what the figures belong to."""
    run, machine = timed.run, timed.machine
    labels = {
        "run_id": run["run_id"],
        "label": run["label"],
        "revision": run["revision"],
        "created": run["created"],
        "machine": machine["machine_label"] or machine["machine_id"],
        "dnnbench_version": run["dnnbench_version"],
    }
    yield "# TYPE dnnbench_run info"
    yield "# HELP dnnbench_run The recorded run that these figures come from."
    yield f"dnnbench_run_info{_labels(labels)} 1"


def _gauges(timed: TimedRun) -> Iterator[str]:
    for gauge in GAUGES:
        values = [(cell, cell.get(gauge.column)) for cell in timed.cells]
        present = [(cell, value) for cell, value in values if value is not None]
        if not present:
            continue
        yield f"# TYPE {gauge.name} gauge"
        if gauge.unit:
            yield f"# UNIT {gauge.name} {gauge.unit}"
        yield f"# HELP {gauge.name} {gauge.help}"
        for cell, value in present:
            yield f"{gauge.name}{_labels(_names(timed, cell))} {float(value)!r}"


def _names(timed: TimedRun, cell: Row) -> dict[str, object]:
    return {"run_id": timed.run["run_id"]} | {name: cell[name] for name in LABELS}


def _labels(labels: Mapping[str, object]) -> str:
    """`{name="value",...}` of those that have a value."""
    written = [f'{name}="{_escaped(str(value))}"' for name, value in labels.items() if value]
    return "{" + ",".join(written) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
