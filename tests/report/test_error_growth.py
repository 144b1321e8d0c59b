"""Where the error of an arm grows, and every workload beside every arm."""

import pytest
from dnnbench.agreement.check import Agreement, Kind
from dnnbench.agreement.status import Status
from dnnbench.execution.agreement_rows import AgreementRow
from dnnbench.report.error_growth import growths
from helpers.reporting import section_of


def row(kind, ratio, arm="torch:eager", workload="w"):
    agreement = Agreement(kind, "adam", f"{kind}/fc1", ratio, 1, "", Status.AGREES)
    return AgreementRow(arm, workload, "float32", agreement)


def test_the_worst_of_all_workloads_counts_at_each_stage():
    (growth,) = growths(
        [row("weights@1", 0.2), row("outputs", 0.1), row("outputs", 0.3, workload="v")]
    )
    assert growth.by_kind == {Kind("outputs"): 0.3, Kind("weights", 1): 0.2}


def test_stages_stand_as_training_comes_to_them():
    """Whichever optimizer was checked first, and after however many steps."""
    kinds = ("weights@5", "loss@5", "outputs@1", "slots@1", "gradients", "infer@1", "outputs")
    (growth,) = growths([row(kind, 0.1) for kind in kinds])
    assert list(map(str, growth.by_kind)) == [
        "outputs",
        "gradients",
        "outputs@1",
        "slots@1",
        "infer@1",
        "loss@5",
        "weights@5",
    ]


def test_the_sentence_names_the_steepest_rise():
    (growth,) = growths(
        [
            row("outputs", 0.02),
            row("gradients", 0.03),
            row("weights@1", 0.03),
            row("weights@5", 0.6),
        ]
    )
    assert growth.sentence == (
        "The error of torch:eager grows most from weights after 1 step (3 % of the allowance) to "
        "weights after 5 steps (60 %)"
    )


@pytest.mark.parametrize("ratios", [(0.3, 0.2), (0.3,)])
def test_an_error_that_does_not_grow_has_no_sentence(ratios):
    kinds = ("outputs", "gradients")
    (growth,) = growths([row(kind, ratio) for kind, ratio in zip(kinds, ratios, strict=False)])
    assert growth.sentence == ""


def test_every_workload_stands_beside_every_arm(known):
    matrix = section_of(known, "agreement").tables[0]
    assert [column.heading for column in matrix.columns[1:]] == [
        "numpy:eager",
        "torch:eager",
        "tensorflow:graph",
        "jax:jit",
    ]
    (cnn,) = [one for one in matrix.rows if one[0].text == "cnn_digits"]
    assert [cell.text for cell in cnn[1:]] == ["0.200", "0.200", "differs", "0.200"]
