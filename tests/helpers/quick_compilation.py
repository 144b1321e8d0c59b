"""XLA without the optimisation of its machine code, where only values are of interest."""

import os

import pytest

FLAGS = "--xla_backend_optimization_level=0"
"""Of XLA in JAX and TensorFlow: it takes half the time to compile, and fuses as ever."""


@pytest.fixture(scope="module", autouse=True)
def quick_compilation(request):
    """For workers that tests start from here on; the matrix compiles as users do."""
    if not request.config.option.markexpr or "XLA_FLAGS" in os.environ:
        yield
        return
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XLA_FLAGS", FLAGS)
        yield
