"""The check of a run: what its plan will time is compared with the reference first."""

from collections.abc import Collection, Mapping, Sequence

from ..data.dataset import Dataset
from ..host.affinity import current_mask
from ..protocol.arm import Arm
from ..protocol.dtypes import DType
from ..worker.services.agreement import CheckRequest
from .agreement_rows import AgreementRow
from .checking import check_agreement, check_requests
from .compared import compared
from .plan import INITIAL, Plan
from .reporter import Reporter


def check_plan(plan: Plan, datasets: Mapping[str, Dataset], report: Reporter) -> list[AgreementRow]:
    """Every arm in its element type and in float64; a twin computes what its base does.

    Arms whose environment has a network of its own are held against that network's reference.
    """
    types = {
        arm: tuple(dict.fromkeys((DType.FLOAT64, arm.dtype))) for arm in plan.arms if not arm.twin
    }
    at_once = len(current_mask())  # no time is taken here, so that workers need no CPU of their own
    own = {environment for case in plan.cases for environment in case.variants}
    rows: list[AgreementRow] = []
    for environment in ("", *sorted(own)):
        arms = {arm: t for arm, t in types.items() if _is_of(arm, environment, own)}
        if arms:
            requests = check_requests_of(plan, datasets, environment)
            rows += check_agreement(arms, requests, at_once, report)
            _note_left_out(requests, rows, report)
    return rows


def _is_of(arm: Arm, environment: str, own: Collection[str]) -> bool:
    """Whether an arm computes the networks of an environment; empty for those of all others."""
    return arm.environment == environment if environment else arm.environment not in own


def _note_left_out(
    requests: Sequence[CheckRequest], rows: Sequence[AgreementRow], report: Reporter
) -> None:
    for one in compared(requests, rows):
        if one.left_out:
            report.note(one.sentence)


def check_requests_of(
    plan: Plan, datasets: Mapping[str, Dataset], environment: str = ""
) -> list[CheckRequest]:
    """Of each workload once, in the phases that are timed, with trained weights if it has some,
    and with the largest batch that is timed.

    environment: whose networks; empty for those of all environments without their own.
    """
    cases = [case.variants.get(environment, case) for case in plan.cases]
    by_name = {case.workload.name: case for case in cases}
    trained = {case.workload.name: case.weights for case in cases if case.weights_origin != INITIAL}
    requests: list[CheckRequest] = []
    for name, case in by_name.items():
        phases = plan.phases_of(name)
        rows = max(case.batch_size for case in cases if case.workload.name == name)
        requests += check_requests(
            case.workload, datasets[case.data], plan.settings.seed, phases, trained.get(name), rows
        )
    return requests
