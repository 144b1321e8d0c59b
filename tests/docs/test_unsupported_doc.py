"""docs/unsupported.md is what the backends themselves answer."""

from itertools import chain
from pathlib import Path

import pytest
from dnnbench.errors import PluginError
from dnnbench.plugins.discovery import plugins
from dnnbench.testing.cases import CASES
from dnnbench.testing.refusals import Refusal, refusals_of, render

OWN = ("numpy", "torch", "tensorflow", "jax", "onnxruntime")
PAGE = (Path(__file__).parents[2] / "docs" / "unsupported.md").read_text()


def rows_of(page, backend):
    return [line for line in page.splitlines() if line.startswith(f"| `{backend}` |")]


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_the_rows_of_a_backend_are_what_it_says(backend):
    rows = rows_of(PAGE, backend)
    assert rows
    assert rows_of(render([backend], *refusals_of(backend)), backend) == rows


@pytest.mark.exhaustive  # it starts five backends
def test_the_page_is_what_the_backends_say():
    always, without = (
        list(chain.from_iterable(kind)) for kind in zip(*map(refusals_of, OWN), strict=True)
    )
    assert render(OWN, always, without) == PAGE
    assert {(r.backend, r.mode) for r in set(without) - set(always)} == {("torch", "compile")}


def test_a_row_says_where_a_reason_holds():
    some = [
        Refusal("jax", mode, "cpu", "float16", case, "no")
        for mode in plugins().backend("jax").modes
        for case in CASES
    ]
    assert "| `jax` | any | cpu | float16 | any | no |" in render(OWN, some, some[:1])
    one = [
        Refusal("torch", "compile", kind, "bfloat16", "lstm", "too slow")
        for kind in ("cpu", "gpu", "tpu")
    ]
    assert "| `torch` | compile | any | bfloat16 | lstm | too slow |" in render(OWN, [], one)


def test_a_reason_that_holds_for_no_block_of_arms_has_no_row():
    ragged = [
        Refusal("jax", "jit", "cpu", "float16", "lstm", "no"),
        Refusal("jax", "eager", "gpu", "float16", "gru", "no"),
    ]
    with pytest.raises(PluginError, match="a reason of its own"):
        render(OWN, ragged, [])
