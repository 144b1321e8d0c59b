"""Which revision, or release of a package, changed a figure: what the command `bisect` calls."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..execution.arm_text import in_environment, separate
from ..execution.gate_policy import Inconclusive
from ..execution.reporter import Reporter
from ..execution.request import Request
from ..report.outcomes.bisect import bisect_sections
from ..report.section import Section
from ..revisions.agreement_figure import AgreementFigure
from ..revisions.arms import Added
from ..revisions.bisecting import bisect_line
from ..revisions.bisection import Bisection, By
from ..revisions.count_figure import CountFigure
from ..revisions.figure import Figure, Sitting
from ..revisions.line import Line, commit_line, release_line
from ..revisions.ratio_figures import MemoryFigure, TimeFigure
from .gate import gate_request
from .gate_sides import GateSides
from .measuring import Keeping
from .options import Texts, texts
from .showing import Shown

FIGURES: dict[By, type[Figure]] = {
    By.TIME: TimeFigure,
    By.MEMORY: MemoryFigure,
    By.AGREEMENT: AgreementFigure,
    By.KERNELS: CountFigure,
}


@dataclass(frozen=True)
class Bisected(Shown):
    """How a bisection ended."""

    bisection: Bisection

    def sections(self) -> Sequence[Section]:
        """The answer; every revision that was asked."""
        return bisect_sections(self.bisection)


def bisected(
    workloads: Sequence[str],
    *,
    good: str,
    bad: str,
    package: str,
    by: By,
    backend: Texts,
    requirements: Sequence[str],
    constraints: Sequence[str],
    build: str,
    keeping: Keeping,
    report: Reporter,
    **options: Any,
) -> Bisection:
    """Ends, walk and confirmation.  options: those of a gate's request.

    UsageError for ends that cannot be meant, BuildError for one that cannot be installed.
    """
    line = _line(good, bad, package, Added(tuple(requirements), tuple(constraints), build))
    if sentence := line.left_out():
        report.note(sentence)
    last = len(line.ids) - 1
    environments = line.environment(0, report.note), line.environment(last, report.note)
    request = _request(line, environments, workloads, texts("backend", backend), options)
    sitting = Sitting(request, environments, keeping.store, keeping.origin, keeping.wait_s, report)
    return bisect_line(line, FIGURES[by](sitting), by, _question(line, request, environments, by))


def _line(good: str, bad: str, package: str, added: Added) -> Line:
    if not package:
        return commit_line(good, bad, added)
    if added.build:
        raise UsageError("--build installs a commit; releases of --package are installed by pip")
    return release_line(package.lower(), good, bad, added)


def _request(
    line: Line,
    environments: tuple[str, str],
    workloads: Sequence[str],
    backends: Sequence[str],
    options: dict[str, Any],
) -> Request:
    """Of a gate that holds the bad end against the good one."""
    parts = [part for whole in backends for part in separate(whole)]
    named = parts or line.backends(environments[1])
    arms = [[in_environment(name, place) for name in named] for place in environments]
    request = gate_request(
        GateSides(tuple(chain.from_iterable(arms)), workloads),
        base="",
        thresholds=(),
        must_see=None,
        inconclusive=Inconclusive.FAIL,
        figure=(),
        fail_on_unexplained_improvement=False,
        confirm_again=False,
        allow_unequal=False,
        **options,
    )
    return replace(request, settings=replace(request.settings, figures=False))


def _question(
    line: Line, request: Request, environments: tuple[str, str], by: By
) -> dict[str, Any]:
    """All that decides what is measured: who asks the same goes on with the same file."""
    return {
        "folder": str(Path.cwd()),
        "ids": list(line.ids),
        "environments": list(environments),
        "by": by,
        "workloads": [workload.spec_hash for workload in request.workloads],
        "backends": list(request.backends),
        "batch_sizes": list(request.batch_sizes),
        "settings": request.settings.to_json(),
        "data": request.data,
    }
