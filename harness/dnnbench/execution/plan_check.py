"""The check of a run: what its plan will time is compared with the reference first."""

from collections.abc import Mapping

from ..data.dataset import Dataset
from ..protocol.dtypes import DType
from ..worker.services.agreement import CheckRequest
from .agreement_rows import AgreementRow
from .checking import check_agreement, check_requests
from .compared import compared
from .plan import Plan
from .pool import worker_cpus
from .reporter import Reporter


def check_plan(plan: Plan, datasets: Mapping[str, Dataset], report: Reporter) -> list[AgreementRow]:
    """Every arm in its element type and in float64; a twin computes what its base does."""
    requests = check_requests_of(plan, datasets)
    arms = {
        arm: tuple(dict.fromkeys((DType.FLOAT64, arm.dtype))) for arm in plan.arms if not arm.twin
    }
    at_once = len(worker_cpus(max(arm.threads for arm in arms)))
    rows = check_agreement(arms, requests, at_once, report)
    for one in compared(requests, rows):
        if one.left_out:
            report.note(one.sentence)
    return rows


def check_requests_of(plan: Plan, datasets: Mapping[str, Dataset]) -> list[CheckRequest]:
    """Of each workload once, in the phases that are timed, with trained weights if it has some,
    and with the largest batch that is timed.
    """
    workloads = {case.workload.name: case.workload for case in plan.cases}
    trained = {
        case.workload.name: case.weights for case in plan.cases if case.weights_origin != "initial"
    }
    requests: list[CheckRequest] = []
    for name, workload in workloads.items():
        phases = plan.phases_of(name)
        rows = max(case.batch_size for case in plan.cases if case.workload.name == name)
        requests += check_requests(
            workload, datasets[name], plan.settings.seed, phases, trained.get(name), rows
        )
    return requests
