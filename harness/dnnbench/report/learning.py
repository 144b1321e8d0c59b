"""Figures on the test set, as text, by what the task's metric is."""

from ..execution.training import Figures
from ..spec.workload import Workload


def headings_of(workload: Workload) -> tuple[str, ...]:
    """Which test figures tell of the task's metric."""
    return ("accuracy", "wrong") if workload.task.metric == "accuracy" else ("test loss",)


def figures_of(workload: Workload, figures: Figures) -> list[str]:
    """Test figures as text, under `headings_of`."""
    if workload.task.metric == "accuracy":
        return [f"{figures.accuracy:.4f}", f"{figures.wrong}/{figures.n_test}"]
    return [f"{figures.test_loss:.4f}"]


def metric_of(workload: Workload) -> str:
    """The name of the figure that the workload is trained for."""
    return headings_of(workload)[0]


def test_figure(workload: Workload, figures: Figures) -> str:
    """That figure with its name: 'accuracy 0.9639'."""
    return f"{metric_of(workload)} {figures_of(workload, figures)[0]}"
