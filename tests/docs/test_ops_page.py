"""docs/ops.md is what the docstrings and fields of the spec say."""

import re
from pathlib import Path

import pytest
from dnnbench.spec.op_examples import EXAMPLES
from dnnbench.spec.ops import OPS
from dnnbench.spec.page import render

PAGE = (Path(__file__).parents[2] / "docs" / "ops.md").read_text()
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## )", PAGE, re.M | re.S))


def test_the_page_is_what_the_code_says():
    assert render() == PAGE


def test_every_op_has_a_section_in_the_order_of_the_spec():
    assert list(SECTIONS) == list(OPS)


def test_every_op_has_an_example():
    assert set(EXAMPLES) == set(OPS)


@pytest.mark.parametrize("kind", OPS)
def test_a_section_names_every_attribute_of_its_op(kind):
    rows = re.findall(r"^\| `(\w+)` \|", SECTIONS[kind], re.M)
    assert rows == [name for name in OPS[kind].model_fields if name != "kind"]


@pytest.mark.parametrize("kind", OPS)
def test_a_section_holds_the_formula_of_its_op(kind):
    assert f"`{OPS[kind].formula}`" in SECTIONS[kind]


@pytest.mark.parametrize("kind", [kind for kind, op in OPS.items() if "Source: " in op.__doc__])
def test_a_section_names_the_source_of_its_op(kind):
    [year] = re.findall(r"Source: .*?(\d{4}|PyTorch)", OPS[kind].__doc__, re.S)
    assert re.search(rf"^Source: .*{year}", SECTIONS[kind], re.M)


def test_roles_and_shapes_come_from_the_code():
    assert "learned   weight (3, 3, 3, 4) uniform in ±0.471, bias (4,) zeros" in SECTIONS["conv2d"]


def test_running_statistics_are_told():
    assert "running   mean (3,) zeros, variance (3,) ones" in SECTIONS["batch_norm"]
