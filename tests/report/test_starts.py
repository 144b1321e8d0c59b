"""To the first result: what importing, building and the first call take,
with empty caches and with warm ones.
"""

import pandas as pd
import pytest
from dnnbench.execution.cache import compile_caches
from dnnbench.report.evidence import gather
from dnnbench.report.html import render_report
from dnnbench.report.starts import first_ever, starts_of, usual
from helpers import reporting

KEY = ("net", 8, "jax:jit", "train_step")


CELLS = pd.DataFrame([dict(zip(("workload", "batch_size", "arm", "phase"), KEY, strict=True))])


def first_calls(*seconds, phase="train_step"):
    """One arm's first calls, a generation each; import and build take 2 and 0.5 s."""
    where = dict(zip(("workload", "batch_size", "arm", "phase"), (*KEY[:3], phase), strict=True))
    times = {"import_s": 2.0, "build_s": 0.5}
    return pd.DataFrame(
        [where | times | {"generation": g, "first_call_s": s} for g, s in enumerate(seconds)]
    )


def generations(*states):
    return {g: state for g, state in enumerate(states) if state}


def test_a_cold_start_is_told_beside_the_warm_ones():
    cold, warm = starts_of(CELLS, first_calls(9.0, 1.0, 3.0), generations("empty", "warm", "warm"))
    assert (cold.caches, cold.import_s, cold.build_s, cold.first_call_s, cold.total_s) == (
        "empty",
        2.0,
        0.5,
        9.0,
        11.5,
    )
    assert (warm.caches, warm.first_call_s, warm.total_s) == ("warm", 2.0, 4.5), (
        "the median of the others"
    )
    assert usual([cold, warm]) == {KEY: 4.5}
    assert first_ever([cold, warm]) == {KEY: 11.5}


@pytest.mark.parametrize(
    ("states", "told"),
    [
        (["as found", "warm", "warm"], [("warm", 2.0)]),
        (["as found"], [("as found", 9.0)]),
        ([None], [("as found", 9.0)]),
        (["empty"], [("empty", 9.0)]),
        (["empty", "empty", "warm"], [("empty", 5.0), ("warm", 3.0)]),
    ],
    ids=["a plain run", "one generation", "not told", "one cold generation", "resumed"],
)
def test_what_the_caches_held_is_told_where_it_is_known(states, told):
    found = starts_of(CELLS, first_calls(*(9.0, 1.0, 3.0)[: len(states)]), generations(*states))
    assert [(start.caches, start.first_call_s) for start in found] == told


def test_phases_that_are_nobodys_purpose_have_no_start():
    assert starts_of(CELLS, first_calls(1.0, phase="loss"), generations("warm")) == []


def test_a_cold_start_has_caches_of_its_own_which_its_first_generation_fills():
    with compile_caches(cold_start=True) as caches:
        assert caches.state == "empty"
        assert not list(caches.folder.iterdir())
    assert not caches.folder.exists()
    with compile_caches(cold_start=False) as caches:
        assert (caches.folder, caches.state) == (None, "as found")


def test_the_report_takes_the_start_apart_and_counts_from_both(empty, tmp_path):
    """JAX runs twice as fast as the base: it overtakes later where it has to compile first."""
    reporting.add_run(
        empty, "r", generations=2, facts=[{"compile_cache": state} for state in ("empty", "warm")]
    )
    times = {
        "import_s": 2.0,
        "build_s": 0.1,
        "batch_size": 64,
        "workload": "mlp_digits",
        "phase": "train_step",
    }
    seconds = {"torch:eager": (0.4, 0.4), "jax:jit": (4.0, 1.0)}
    rows = [
        times | {"arm": arm, "generation": g, "first_call_s": s}
        for arm, told in seconds.items()
        for g, s in enumerate(told)
    ]
    empty.add_first_calls("r", rows)
    found = gather(empty, "r")
    assert [(s.arm, s.caches) for s in found.starts] == [
        *(("torch:eager", caches) for caches in ("empty", "warm")),
        *(("jax:jit", caches) for caches in ("empty", "warm")),
    ]
    warm, cold = found.break_evens
    assert (warm.caches, cold.caches) == ("", "from empty compile caches")
    assert cold.calls == pytest.approx(6 * warm.calls, rel=0.02)
    page = render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    assert "To the first result" in page
    assert cold.sentence in page
    assert warm.sentence in page
