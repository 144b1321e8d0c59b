"""docs/workloads.md has a row for every workload, with the figures that `dnnbench show` counts."""

from pathlib import Path

import pytest
from dnnbench.plugins.catalog import find_workload
from dnnbench.plugins.discovery import plugins
from dnnbench.spec.costs import node_costs, parameter_count

PAGE = (Path(__file__).parents[2] / "docs" / "workloads.md").read_text()
OWN = [
    info
    for info in plugins().workloads.values()
    if info.build.__module__.startswith("dnnbench_workloads.")
]


def size(workload):
    macs = sum(cost.macs for cost in node_costs(workload.model, batch_size=1))
    return f"{parameter_count(workload.model):,} / {macs:,}"


def learned(workload):
    task = workload.task
    if task.target is None:
        return task.data.kind
    sign = {"accuracy": "at least", "loss": "at most"}[task.metric]
    return f"{task.data.kind}: {task.metric} {sign} {task.target:g}"


def row(info):
    """The line of the page's table for a workload."""
    full = find_workload(info.name)
    cells = [f"`{info.name}`", info.description, size(full), learned(full)]
    tiny = find_workload(f"{info.name}[tiny]") if "tiny" in info.presets else None
    return f"| {' | '.join([*cells, *((size(tiny), learned(tiny)) if tiny else ('', ''))])} |"


@pytest.mark.parametrize("info", OWN, ids=lambda info: info.name)
def test_the_page_has_the_row(info):
    assert row(info) in PAGE


def test_the_page_has_no_other_row():
    rows = [
        line
        for line in PAGE.splitlines()
        if line.startswith("| `") and line.count(" | ") == row(OWN[0]).count(" | ")
    ]
    assert OWN
    assert len(rows) == len(OWN)
