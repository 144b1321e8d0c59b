"""docs/training_step.md is executed, and its numbers are those that come out."""

import doctest
import re
from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli.formulas import backward, backward_of_loss, formula
from dnnbench.spec.losses import CrossEntropy

PAGE = (Path(__file__).parents[2] / "docs" / "training_step.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)


@pytest.fixture(scope="module")
def executed():
    """(names at the end of the page, what differs from it)"""
    test = doctest.DocTestParser().get_doctest("\n".join(BLOCKS), {}, "page", "page", 0)
    differing: list[str] = []
    with np.printoptions():
        runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE, verbose=False)
        runner.run(test, out=differing.append, clear_globs=False)
    return test.globs, differing


def test_there_are_steps_to_execute():
    assert PAGE.count(">>> ") >= 40


def test_every_number_is_what_comes_out(executed):
    assert "".join(executed[1]) == ""


def test_its_mathematics_is_what_show_prints(executed):
    model = executed[0]["model"]
    lines = [formula(model, node) for node in model.nodes]
    lines += backward_of_loss(model, CrossEntropy())
    lines += [line for node in reversed(model.nodes) for line in backward(model, node)]
    assert [line for line in lines if line not in PAGE] == []
