"""Training: seconds until the target was reached, by epochs that are known."""

import pytest
from dnnbench.report.evidence import gather
from dnnbench.report.sections.learning import learning
from helpers import reporting

EPOCHS_TO_TARGET = 10
"""1 - 0.9 * 0.7**e is above 0.96 from e = 9 on: 0.9637; the target below asks for 0.97."""


@pytest.fixture
def section(empty):
    def of(**task):
        workloads = [{"name": name, "task": task} for name in reporting.WORKLOADS]
        reporting.add_run(empty, "r", generations=1, workloads=("mlp_digits",), networks=workloads)
        reporting.add_epochs(empty, "r", list(reporting.SPEED))
        return learning(gather(empty, "r"))

    return of


def to_target(section):
    (table,) = section.tables
    place = [column.heading for column in table.columns].index("to target")
    return {row[2].text: row[place].value for row in table.rows}


def test_the_time_to_the_target_ends_with_the_first_epoch_that_reached_it(section):
    found = to_target(section(metric="accuracy", target=0.97))
    assert found == pytest.approx(
        {arm: 0.1 * speed * EPOCHS_TO_TARGET for arm, speed in reporting.SPEED.items()}
    )


def test_a_loss_reaches_its_target_from_above(section):
    """2.4 * 0.9**e is at most 1 from e = 9 on."""
    found = to_target(section(metric="loss", target=1.0))
    assert found["torch:eager"] == pytest.approx(0.1 * 9)


def test_who_came_first_and_last_is_said(section):
    (said,) = section(metric="accuracy", target=0.97).sentences
    assert said == (
        "mlp_digits: jax:jit came to the target first, after 500 ms, numpy:eager last, after 3.00 s"
    )


def test_a_target_that_nobody_reached_has_no_time(section):
    found = section(metric="accuracy", target=0.9999)
    assert set(to_target(found).values()) == {None}
    assert "took the least time" in found.sentences[0]
