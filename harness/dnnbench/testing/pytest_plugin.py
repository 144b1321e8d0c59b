"""What pytest loads of dnnbench: the options of `pytest --pyargs dnnbench.testing`, which no other
session has, and the fixtures of `measuring_plugin`.
"""

from itertools import product
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..protocol.arm import Arm

pytest_plugins = ("dnnbench.testing.measuring_plugin",)
PACKAGE = "dnnbench.testing"
KEY = "dnnbench_backends"


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(parser: pytest.Parser, args: list[str]) -> None:
    """Add the options before pytest parses them: it finds a conftest inside an installed package
    too late for that.
    """
    if not any(argument.partition("::")[0].startswith(PACKAGE) for argument in args):
        return
    group = parser.getgroup("dnnbench", "the conformance kit of dnnbench")
    group.addoption(
        "--backend",
        dest=KEY,
        action="append",
        metavar="NAME[:MODE]",
        help="backend to hold to the laws",
    )
    group.addoption(
        "--dtype", default="float64,float32", metavar="NAME,...", help="element types to hold it to"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Refuse bad options at once.

    Know the marker by which pytest-xdist keeps an arm in one process.
    """
    if hasattr(config.option, KEY):
        arms_of(config)
        if not config.pluginmanager.hasplugin("xdist"):
            config.addinivalue_line(
                "markers", "xdist_group(name): tests that share a worker of dnnbench"
            )


def arms_of(config: pytest.Config) -> "list[Arm]":
    """The arms asked for, each in every element type asked for;
    pytest.UsageError if that cannot be meant.
    """
    from ..errors import DnnbenchError
    from ..execution.arms import select
    from ..execution.best_choice import refuse_best
    from ..protocol.device import CPU
    from ..protocol.dtypes import DType
    from ..protocol.precision import PRECISIONS

    names, dtypes = getattr(config.option, KEY), config.option.dtype.split(",")
    if not names:
        raise pytest.UsageError(
            "say which backend to hold against the laws, such as --backend numpy"
        )
    if strangers := set(dtypes) - set(PRECISIONS):
        raise pytest.UsageError(
            f"--dtype {', '.join(strangers)}: expected some of {', '.join(PRECISIONS)}"
        )
    try:
        requested = select(names).arms
        refuse_best(requested)
    except DnnbenchError as error:
        raise pytest.UsageError(str(error)) from error
    each = product(requested, dtypes)
    return [arm.on(CPU).with_dtype(DType(dtype)) for arm, dtype in each]
