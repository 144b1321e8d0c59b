"""The conformance kit as tests: `pytest --pyargs dnnbench.testing --backend NAME[:MODE]`."""

from collections.abc import Iterator, Mapping
from itertools import product
from typing import Any

import pytest

from ..agreement.status import Status
from ..protocol.arm import Arm
from .case_checker import CaseCheckers
from .families import FAMILIES
from .law_checks import law_dtype, law_verdict
from .laws import LAWS
from .pytest_plugin import arms_of
from .verdicts import SIDES, Side


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test for each case and side of every arm; one for each law, in one of the element types."""
    arms = arms_of(metafunc.config)
    names: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    if metafunc.function is test_law:
        dtype = law_dtype([arm.dtype for arm in arms])
        names = ("arm", "law")
        rows = list(product([arm for arm in arms if arm.dtype == dtype], LAWS))
    else:
        names = ("arm", "case", "side")
        rows = list(product(arms, FAMILIES, SIDES))
    metafunc.parametrize(names, [_row(row) for row in rows])


def _row(row: tuple[Any, ...]) -> Any:
    """All of an arm's go to one process of pytest-xdist."""
    arm, *rest = row
    place = pytest.mark.xdist_group(f"{arm.name}-{arm.dtype}")
    return pytest.param(*row, id="-".join([arm.name, arm.dtype, *rest]), marks=place)


@pytest.fixture(scope="module")
def checkers() -> Iterator[CaseCheckers]:
    opened = CaseCheckers()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def chosen(request: pytest.FixtureRequest) -> dict[Arm, tuple[str, ...]]:
    """By arm, the cases that this session asks: no others get references or share a network."""
    cases: dict[Arm, dict[str, None]] = {}
    for item in request.session.items:
        if isinstance(item, pytest.Function) and item.function is test_case:
            row: Mapping[str, Any] = item.callspec.params
            cases.setdefault(row["arm"], {})[row["case"]] = None
    return {arm: tuple(names) for arm, names in cases.items()}


@pytest.fixture(scope="module")
def law_checkers() -> Iterator[CaseCheckers]:
    """Workers of their own: what a law says of memory is not for one that has done other work."""
    opened = CaseCheckers()
    yield opened
    opened.close()


def test_case(
    checkers: CaseCheckers, chosen: dict[Arm, tuple[str, ...]], arm: Arm, case: str, side: Side
) -> None:
    verdict = checkers.of(arm, chosen[arm]).verdicts(case)[side]
    if verdict.status is Status.UNSUPPORTED:
        pytest.skip(verdict.reason)
    assert verdict.status.passes, verdict


def test_law(law_checkers: CaseCheckers, arm: Arm, law: str) -> None:
    verdict = law_verdict(law_checkers.of(arm).arm_under_test, law)
    if verdict.status == "unsupported":
        pytest.skip(verdict.reason)
    assert verdict.status == "kept", verdict
