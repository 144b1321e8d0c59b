"""Many workloads in a few lines: means that are right, what is left out of them, what is folded."""

import pytest
from dnnbench.report.evidence import gather
from dnnbench.report.over_workloads import over_workloads
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.reporting import section_of

SHORT = {"infer": 1e-3}
NAMES = ("a", "b", "c", "d")


@pytest.fixture(scope="module")
def four(tmp_path_factory):
    """Of four workloads, all arms alike in each."""
    with open_store(tmp_path_factory.mktemp("over") / "s.sqlite") as store:
        reporting.add_run(store, "r", workloads=NAMES, seconds=SHORT)
        yield gather(store, "r")


def by_arm(evidence):
    return {one.arm: one for one in over_workloads(evidence)}


def test_the_mean_is_the_true_ratio_and_its_interval_holds_it(four):
    mean = by_arm(four)["jax:jit"].mean
    assert mean.low < 0.5 < mean.high
    assert mean.high / mean.low < 1.02


def test_the_fastest_stands_first_and_the_base_not_at_all(four):
    assert [one.arm for one in over_workloads(four)] == [
        "jax:jit",
        "tensorflow:graph",
        "numpy:eager",
    ]


def test_workloads_stand_by_their_ratio_the_slowest_first(four):
    ratios = list(by_arm(four)["numpy:eager"].ratios.values())
    assert ratios == sorted(ratios, reverse=True)
    assert len(ratios) == len(NAMES)


def test_four_cases_are_summarised_and_their_tables_folded(four):
    summary, *cases = section_of(four, "answer").tables
    assert summary.title == "Inference over 4 workloads against torch:eager, within-run error only"
    assert [(one.title, one.folded) for one in cases] == [(f"{name}/64", True) for name in NAMES]


def test_what_failed_on_a_workload_has_a_mean_of_the_others_and_says_so(empty):
    cells = reporting.add_run(empty, "r", workloads=NAMES, seconds=SHORT)
    failed = {"status": "failed", "reason": "failed: killed"}
    empty.update_cells("r", [{"cell_id": cells[3], **failed}])
    evidence = gather(empty, "r")
    assert set(by_arm(evidence)["jax:jit"].ratios) == {"b", "c", "d"}
    [row] = [
        row for row in section_of(evidence, "answer").tables[0].rows if row[0].text == "jax:jit"
    ]
    assert row[1].text.endswith("(of 3)")


def test_sizes_of_one_workload_are_told_apart(empty):
    reporting.add_run(empty, "r", workloads=NAMES, seconds=SHORT)
    with empty.writing() as connection:
        for number, name in enumerate(NAMES):
            connection.exec_driver_sql(
                f"UPDATE cell SET workload = 'mlp', batch_size = {number + 1} "
                f"WHERE workload = '{name}'"
            )
    evidence = gather(empty, "r")
    assert set(by_arm(evidence)["jax:jit"].ratios) == {f"mlp batch {size}" for size in range(1, 5)}
    assert "over 4 batch sizes against" in section_of(evidence, "answer").tables[0].title


def test_where_no_round_is_clean_there_is_no_mean(empty):
    reporting.add_run(empty, "r", workloads=NAMES, seconds=SHORT, flags=1)
    assert over_workloads(gather(empty, "r")) == []


def test_three_cases_stand_each_for_itself(empty):
    reporting.add_run(empty, "r", workloads=NAMES[:3], seconds=SHORT)
    assert [one.folded for one in section_of(gather(empty, "r"), "answer").tables] == [False] * 3


def test_of_many_arms_the_fastest_are_shown_and_all_are_folded(empty):
    arms = {"torch:eager": 1.0} | {f"jax:m{number}": 1.1 + number / 10 for number in range(10)}
    reporting.add_run(empty, "r", workloads=NAMES, seconds=SHORT, arms=arms)
    short, whole, *_ = section_of(gather(empty, "r"), "answer").tables
    assert [row[0].text for row in short.rows] == [f"jax:m{number}" for number in range(8)]
    assert short.title.endswith("the fastest 8 of 10 arms")
    assert (len(whole.rows), whole.folded) == (10, True)
