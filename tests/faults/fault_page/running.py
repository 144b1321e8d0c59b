"""A sitting: checks that are not recorded yet, one after the other, until its minutes are over."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from datetime import date
from importlib.metadata import version

from dnnbench.agreement.check import Agreement
from dnnbench.agreement.status import Status
from dnnbench.errors import DnnbenchError
from dnnbench.execution.checking import reference_path
from dnnbench.execution.pool import spawn, start_request
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.testing.arm_under_test import ArmUnderTest
from dnnbench.testing.case_checker import CaseChecker
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.laws import LAWS
from dnnbench.worker.clients.agreement import AgreementClient
from dnnbench.worker.clients.arm import ArmClient
from helpers.faulty import BUILDERS, FaultyWorkers, request_of

from .plan import KIT, PLANTED, TIMED, Planned, fault_of
from .recorded import NOW, Recorded

DISTRIBUTIONS = {"numpy": ("numpy",), "torch": ("torch",), "tensorflow": ("tensorflow",),
                 "jax": ("jax", "jaxlib")}  # fmt: skip
RAISED = "could not run"
EVERY = 10
"""Checks after which what came out is kept."""


def run(
    checks: Sequence[Planned],
    minutes: float,
    keep: Callable[[list[Recorded]], None],
    tell: Callable[[str], None],
) -> int:
    """How many checks were made; `keep` is called with those since it was last called."""
    end, made = time.monotonic() + 60 * minutes, 0
    fresh: list[Recorded] = []
    with ExitStack() as stack:
        workers = _Workers(stack)
        try:
            for check in checks:
                if time.monotonic() > end:
                    break
                fresh.append(_made(workers, check))
                made += 1
                tell(_line(fresh[-1]))
                if len(fresh) == EVERY:
                    keep(fresh)
                    fresh = []
        finally:
            keep(fresh)
    return made


def _line(row: Recorded) -> str:
    said = f"{row.ratio:.3g} {row.named} {row.fault}" if row.differs else "no alarm"
    return f"{row.what} {row.backend}:{row.mode} {row.case} {row.dtype} {row.rows or ''}: {said}"


def _made(workers: "_Workers", check: Planned) -> Recorded:
    """A worker that raises, or dies, gives no answer, which is not right either."""
    named = fault = ""
    try:
        if check.what == KIT:
            return _recorded(check, *_of_kit(check))
        rows = workers.check(check)
        differs = not all(row.ok for row in rows)
        ratio = max((row.ratio for row in rows if row.ratio == row.ratio), default=0.0)
        if differs and check.what == PLANTED:
            named, fault = workers.explain(check, rows)
    except DnnbenchError as error:
        workers.forget()
        differs, ratio, named, fault = True, float("inf"), RAISED, _brief(str(error))
    return _recorded(check, differs, ratio, named, fault)


def _of_kit(check: Planned) -> tuple[bool, float, str, str]:
    """(whether the kit speaks against the arm, by how much, by which law or case, what it says)"""
    arm = Arm(f"faulty_{check.backend}", check.mode, dtype=check.dtype)
    if check.case in LAWS:
        under_test = ArmUnderTest(arm)
        try:
            law = law_verdict(under_test, check.case)
        finally:
            under_test.close()
        broken = law.status == "broken"
        return broken, float("inf") if broken else 0.0, f"law {check.case}", _brief(law.reason)
    checker = CaseChecker(arm, (check.case,))
    try:
        sides = checker.verdicts(check.case).values()
    finally:
        checker.arm_under_test.close()
    wrong = [side for side in sides if side.status is Status.DIFFERS]
    ratio = max((side.ratio for side in sides if side.ratio == side.ratio), default=0.0)
    said = f"{wrong[0].tensor}: {wrong[0].reason}" if wrong else ""
    return bool(wrong), ratio, f"case {check.case}", _brief(said)


def _recorded(check: Planned, differs: bool, ratio: float, named: str, fault: str) -> Recorded:
    return Recorded(
        check.what, check.backend, check.mode, check.case, check.dtype, check.rows, NOW,
        date.today().isoformat(), versions(check.backend), differs, ratio, named, fault,
    )  # fmt: skip


def _brief(text: str) -> str:
    """What was said, without who was asked and where its traceback lies."""
    said = text.rpartition("LawBroken: ")[2].partition("; the traceback is")[0]
    return " ".join(said.split())[:80]


def versions(backend: str) -> str:
    """Of NumPy, which the reference is computed by, and of the backend's framework."""
    names = dict.fromkeys(("numpy", *DISTRIBUTIONS[backend]))
    return " ".join(f"{name}-{version(name)}" for name in names)


class _Workers:
    """Faulty workers, and honest ones by arm; all that are open end with the stack."""

    def __init__(self, stack: ExitStack) -> None:
        self._stack = stack
        self.forget()

    def forget(self) -> None:
        """Begin with new processes."""
        self._faulty, self._honest = FaultyWorkers(self._stack), {}

    def check(self, check: Planned) -> Sequence[Agreement]:
        """Rows of a check, by the requests that `dnnbench check` makes."""
        if check.what == PLANTED:
            steps = getattr(fault_of(check), "steps", (1, 5))
            place = check.backend, check.mode, check.case, check.dtype
            return self._faulty.check(*place, steps, check.rows)
        request = _honest_request(check)
        path = reference_path(request)
        if not path.exists():
            self._faulty.make_reference(request, path)
        return AgreementClient(self._worker(check)).check(request, path)

    def _worker(self, check: Planned):
        arm = Arm(check.backend, check.mode, dtype=check.dtype)
        key = str(arm), check.dtype
        if key not in self._honest:
            self._honest[key] = self._stack.enter_context(spawn(arm, f"honest-{check.backend}"))
            ArmClient(self._honest[key]).start(start_request(arm))
        return self._honest[key]

    def explain(self, check: Planned, rows: Sequence[Agreement]) -> tuple[str, str]:
        """What is named, and the known fault."""
        explanation = self._faulty.explain(check.backend, check.case, check.dtype, rows)
        part = explanation.op if explanation.what == "node" else explanation.name
        return f"{explanation.what} {part}", explanation.convention


def _honest_request(check: Planned):
    if check.case in BUILDERS:
        return request_of(check.case, check.dtype, (1, 5), check.rows)
    assert check.case in TIMED
    workload = find_workload(check.case)
    timed = batches_of(workload, 1, workload.batch_size)[0]
    small = request_of("dense", check.dtype)
    first, second, *others = batches_of(workload)
    batches = (first, second.rows(slice(1, None)), *others)
    return replace(small, workload=workload, batches=batches, timed=timed)
