"""XLA without the optimisation of its machine code, where only values are of interest."""

import os
from collections.abc import Mapping

import pytest

FLAGS = "--xla_backend_optimization_level=0"
"""Of XLA in JAX and TensorFlow: it takes half the time to compile, and fuses as ever."""


def flags(marks: str, environment: Mapping[str, str]) -> str | None:
    """What XLA_FLAGS is set to; None where it stays.

    marks: pytest's expression; the matrix, which has none, compiles as users do, and so does
    whoever chose flags.
    """
    return FLAGS if marks and "XLA_FLAGS" not in environment else None


@pytest.fixture(scope="module", autouse=True)
def quick_compilation(request):
    """For workers that tests start from here on."""
    with pytest.MonkeyPatch.context() as patch:
        if chosen := flags(request.config.option.markexpr, os.environ):
            patch.setenv("XLA_FLAGS", chosen)
        yield
