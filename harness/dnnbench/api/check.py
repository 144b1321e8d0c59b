"""dnnbench.check: whether all arms compute the same thing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..agreement.status import Status
from ..errors import NothingMeasured
from ..execution import spelling
from ..execution.agreement_rows import AgreementRow
from ..execution.checking import check_agreement, check_requests
from ..execution.compared import Compared, compared
from ..execution.reporter import Reporter
from ..execution.request import Request, make_plan
from ..execution.settings import Settings
from ..host.affinity import current_mask
from ..plugins.catalog import workloads_of
from ..protocol.dtypes import DType
from ..report.outcomes.check import check_sections
from ..report.section import Section
from ..spec.phases import Phase
from .options import (
    DEVICES,
    Networks,
    Texts,
    Threads,
    devices,
    element_types,
    networks,
    read,
    texts,
    thread_counts,
    whole,
)
from .progress import progress_reporter
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd

    from ..execution.explain import ArmExplanation

CHECKED = (DType.FLOAT64, DType.FLOAT32)


@dataclass(frozen=True, repr=False)
class Check(Shown):
    """How arms compare with the reference, for each workload and element type."""

    rows: tuple[AgreementRow, ...]
    explanations: "tuple[ArmExplanation, ...]" = ()
    """What is wrong with each arm that differs, where it was asked for."""
    skipped: Mapping[str, str] = field(default_factory=dict)
    """Why a backend was left out."""
    compared: tuple[Compared, ...] = ()
    """What was compared of each workload, and what was left out."""

    @property
    def failed(self) -> list[AgreementRow]:
        """Rows that speak against an arm: it differs, could not run, or could not be compared."""
        return [row for row in self.rows if not row.status.passes]

    @property
    def agree(self) -> bool:
        """Whether nothing speaks against any arm."""
        return not self.failed

    @property
    def agreement(self) -> "pd.DataFrame":
        """A row for the worst tensor of each kind, arm, workload and type: error over allowance."""
        import pandas as pd

        return pd.DataFrame([row.to_json() for row in self.rows])

    def sections(self) -> Sequence[Section]:
        """Whether all compute the same; every kind of tensor."""
        explained = [one.sentence for one in self.explanations]
        return check_sections(self.rows, explained, [one.sentence for one in self.compared])


def check(
    workloads: Networks = (),
    *,
    backend: Texts = "all",
    device: Texts = DEVICES,
    dtype: Texts = CHECKED,
    phase: Texts = tuple(Phase),
    threads: Threads = None,
    seed: int = Settings.seed,
    data: str | Path = "",
    explain: bool = False,
    progress: bool = True,
) -> Check:
    """Check that all arms agree with the NumPy reference, in each element type.

    The options are those of `dnnbench check --help`.  explain: also find the first node, loss or
    optimizer that diverges.  Arms that differ raise nothing: see `Check.agree` and `Check.failed`.
    Raises UsageError, NothingMeasured if nothing could be checked; Ctrl-C passes, for nothing is
    kept.
    """
    request, phases, dtypes = check_request(
        workloads,
        backend=backend,
        device=device,
        dtype=dtype,
        phase=phase,
        threads=threads,
        seed=seed,
        data=data,
    )
    with progress_reporter(progress) as report:
        result = checked(request, phases, dtypes, explain, report)
    refuse_nothing(result)
    return result


def check_request(
    workloads: Networks,
    *,
    backend: Texts,
    device: Texts,
    dtype: Texts,
    phase: Texts,
    threads: Threads,
    seed: int,
    data: str | Path,
) -> tuple[Request, tuple[Phase, ...], tuple[DType, ...]]:
    """The request that the options of `check` make, with the phases and element types to check."""
    dtypes = element_types(dtype)
    settings = Settings(
        dtypes=dtypes[-1:],
        threads=thread_counts(threads),
        devices=devices(device),
        seed=whole("seed", seed, 0, spelling.LARGEST_SEED),
    )
    phases = read("phase", phase, lambda text: spelling.words(text, tuple(Phase)))
    chosen = workloads_of(networks(workloads))
    return Request(chosen, texts("backend", backend), settings, data=str(data)), phases, dtypes


def checked(
    request: Request,
    phases: Sequence[Phase],
    dtypes: Sequence[DType],
    explain: bool,
    report: Reporter,
) -> Check:
    """Check every arm of the plan."""
    plan, datasets = make_plan(request, report)
    settings = request.settings
    of_each = [
        check_requests(workload, datasets[workload.name], settings.seed, phases)
        for workload in request.workloads
    ]
    requests = [one for several in of_each for one in several]
    arms = {arm: dtypes if arm.dtype == dtypes[-1] else (arm.dtype,) for arm in plan.arms}
    rows = check_agreement(arms, requests, len(current_mask()), report)
    explanations: list[ArmExplanation] = []
    if explain:
        from ..execution.explain import explain_all  # only this imports the diagnosis

        explanations = explain_all(plan.arms, requests, rows, report)
    return Check(tuple(rows), tuple(explanations), dict(plan.skipped), compared(requests, rows))


def refuse_nothing(check: Check) -> None:
    """NothingMeasured if no arm offers anything of what was to be checked."""
    if all(row.status is Status.UNSUPPORTED for row in check.rows):
        reasons = sorted({row.agreement.reason for row in check.rows})
        raise NothingMeasured("nothing could be checked: " + "; ".join(reasons))
