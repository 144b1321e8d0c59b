"""`dnnbench run` as a user meets it: real workers and a real store."""

import json
import os
import re
import sys
from pathlib import Path

import pytest
from dnnbench.execution.measured import measured
from dnnbench.store.store import open_store
from helpers.running import FAST, NEVER_CONTENDED, WITH_PAGE, cells_of, dnnbench

pytestmark = pytest.mark.xdist_group("run")


@pytest.mark.slow
def test_a_run_ends_with_the_answer_a_report_and_code_0(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy", *WITH_PAGE)
    assert done.returncode == 0, done.stderr
    assert "The answer" in done.stdout
    assert "numpy:eager" in done.stdout
    assert "Every cell" not in done.stdout
    assert "results/report.html" in done.stderr
    assert (place / "results/report.html").stat().st_size > 2000
    cells = cells_of(place)
    assert {status for status, _, _ in cells.values()} == {"ok"}
    assert cells["control", "control"][2] > 0, "the control arm is visited in every round"
    shown = dnnbench(place, "runs", "show")
    assert shown.stdout == done.stdout, "what was said at the end can be read again"
    details = dnnbench(place, "runs", "show", "--details")
    assert "no-op program (it does nothing): " in details.stdout


@pytest.mark.exhaustive  # the page that cannot be written there is refused often
def test_a_page_is_written_where_it_is_wanted(place):
    request = ("run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--no-check")
    done = dnnbench(place, *request, *WITH_PAGE, "--report", "pages/mine.html")
    assert "the report is pages/mine.html" in done.stderr
    assert not (place / "results/report.html").exists()
    assert (place / "pages/mine.html").stat().st_size > 2000


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("tiny.toml/page.html", "cannot be written (Not a directory)"),
        ("results", "cannot be written (Is a directory)"),
        ("kept.sqlite", "is a store, and would be overwritten"),
    ],
)
def test_a_page_that_cannot_be_written_is_refused_before_anything_is_measured(place, page, said):
    (place / "results").mkdir()
    open_store(place / "kept.sqlite").close()
    request = ("run", "tiny.toml", "--backend", "numpy", "--store", "new.sqlite", *WITH_PAGE)
    refused = dnnbench(place, *request, "--report", page)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not (place / "new.sqlite").exists()


@pytest.mark.exhaustive  # a run for one line
@pytest.mark.slow
def test_a_page_that_fails_at_the_end_leaves_the_reader_where_the_run_is(place):
    request = ("run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--no-check")
    full = dnnbench(place, *request, *WITH_PAGE, "--report", "/dev/full")
    assert full.returncode == 2
    assert "report: /dev/full cannot be written" in full.stderr
    assert "is in results/dnnbench.sqlite; dnnbench report makes its page" in full.stderr


@pytest.mark.slow
@pytest.mark.exhaustive  # every gate measures one
def test_a_twin_is_the_base_in_a_process_of_its_own(place):
    fast = (
        "--threads",
        "1",
        "--max-time",
        "2s",
        "--generations",
        "2",
        "--wait",
        "--no-check",
        "--json",
    )
    request = ("run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--twin", *fast)
    done = dnnbench(place, *request, changes=NEVER_CONTENDED)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (twin,) = document["twins"]
    assert (twin["arm"], twin["phase"], twin["generations"]) == ("numpy:eager", "infer", 2)
    assert 0.2 < twin["value"] < 5
    assert twin["doubt"] or twin["covers_1"] == (twin["low"] <= 1 <= twin["high"])
    assert (
        [cell["arm"] for cell in document["cells"]]
        == ["numpy:eager"]
        == document["run"]["settings"]["backends"]
    )
    cells = cells_of(place)
    assert cells["numpy:eager#twin", "infer"][2] == cells["numpy:eager", "infer"][2] > 0


@pytest.mark.exhaustive  # test_memory_guard.py plans them; here they are measured
def test_arms_that_do_not_fit_in_memory_together_are_measured_in_pairs_with_the_base(place):
    tight = {
        "dnnbench.execution.memory_guard:available_bytes": "helpers.stand_ins:three_thousand_bytes"
    }
    modes = "saboteur:honest,numpy,saboteur:wrong"
    done = dnnbench(
        place,
        "run",
        "tiny.toml",
        "--backend",
        modes,
        "--phase",
        "infer",
        "--no-check",
        *FAST,
        changes=tight,
    )
    assert done.returncode == 0, done.stderr
    assert "3 arms on cpu need about" in done.stderr
    assert "each is measured beside the base alone" in done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        rounds = {
            arm: set(store.samples([cell])["round"])
            for arm, cell in zip(cells.arm, cells.cell_id, strict=True)
        }
    first, second = rounds["numpy:eager"], rounds["saboteur:wrong"]
    assert first, "never up at the same time"
    assert second, "never up at the same time"
    assert not first & second, "never up at the same time"
    assert rounds["saboteur:honest"] == first | second, "the base stands beside each"


TELLING_CACHES = {"dnnbench.execution.generation:WorkerPool": "helpers.stand_ins:TellingPool"}


@pytest.mark.exhaustive  # tests/plugins/test_versions_in_a_run.py has a cold start of NumPy's often
@pytest.mark.compiled
def test_a_cold_start_compiles_in_the_first_generation_and_finds_it_in_the_next(place, monkeypatch):
    """The user's caches hold the program already, and are neither read nor written."""
    cache = place / "cache"  # of this test alone: others write to the session's
    monkeypatch.setenv("DNNBENCH_CACHE", str(cache))
    fast = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--wait",
        "--json",
    )
    asked = ("run", "tiny.toml", "--backend", "jax", *fast)
    warmed = dnnbench(place, *asked, "--generations", "1")
    assert [start["caches"] for start in json.loads(warmed.stdout)["starts"]] == ["as found"], (
        warmed.stderr
    )
    before = sorted((cache / "jax_compilation_cache_dir").iterdir())
    done = dnnbench(place, *asked, "--generations", "2", "--cold-start", changes=TELLING_CACHES)
    (first, none), (second, some) = re.findall(r"caches: (\S+) (\d+)", done.stderr)
    assert first == second
    assert int(none) == 0 < int(some)
    assert not Path(first).exists()
    assert before
    assert sorted((cache / "jax_compilation_cache_dir").iterdir()) == before
    document = json.loads(done.stdout)
    assert [generation["facts"]["compile_cache"] for generation in document["generations"]] == [
        "empty",
        "warm",
    ]
    assert [start["caches"] for start in document["starts"]] == ["empty", "warm"]


@pytest.mark.exhaustive
def test_auto_takes_six_generations_or_more_and_says_why(place):
    asked = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "3s",
        "--generations",
        "auto",
        "--wait",
    )
    done = dnnbench(place, "run", "tiny.toml", "--backend", "saboteur:honest,numpy", *asked)
    assert done.returncode == 0, done.stderr
    assert " more generations of " in done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        facts = store.generations()["facts"]
    assert len(facts) >= 6
    assert all(fact["start_s"] > 0 for fact in facts)


@pytest.mark.exhaustive  # tests/worker audits rates often
@pytest.mark.slow
def test_a_rate_near_the_peak_is_audited_again_and_a_kept_answer_is_found(place):
    """Every cell counts as near, so that the tiny one does."""
    asked = ("--backend", "numpy,saboteur:kept", "--no-check", "--phase", "infer,train_step")
    done = dnnbench(
        place, "run", "tiny.toml", *asked, *FAST, changes={"dnnbench.execution.peaks:NEAR": 0.0}
    )
    assert done.returncode == 0, done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        (run_id,) = store.runs()["run_id"]
        [facts, *_] = measured(store, run_id).facts
    faults = {
        str(key): cell.rate_audit.faults for key, cell in facts.cells.items() if cell.rate_audit
    }
    assert set(faults) == {
        f"{arm} tiny/4 {phase}"
        for arm in ("numpy:eager", "saboteur:kept")
        for phase in ("infer", "train_step")
    }
    kept = "inference gave the same output before and after a step: an answer is cached"
    assert kept in faults["saboteur:kept tiny/4 infer"]
    assert kept not in faults["numpy:eager tiny/4 infer"]
    assert f"saboteur:kept tiny/4 infer: {kept}" in done.stderr


@pytest.mark.slow
def test_json_is_one_document_on_stdout_and_no_page_is_written_that_is_not_wanted(place):
    done = dnnbench(
        place, "run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--json", *FAST
    )
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert "the report is" not in done.stderr
    assert not (place / "results/report.html").exists()
    assert document["schema_version"] == 2
    assert [cell["phase"] for cell in document["cells"]] == ["infer"]
    assert document["cells"][0]["call_s"] > 0
    (held,) = document["memory"]
    assert held["weights"] == held["by_spec"]["weights"] == 4 * (6 * 8 + 8 + 8 * 3 + 3)
    assert (held["optimizer"], held["phase"]) == (held["weights"], "infer")
    assert held["peak_rss"] > 10 * 2**20
    facts = document["generations"][0]["facts"]
    assert (
        0
        < facts["null_call_s"]["median"]
        < document["cells"][0]["call_s"]
        < facts["null_call_s"]["max"] * 1e6
    )
    assert facts["switches_per_s"]["median"] >= 0
    assert facts["system"]["affinity"] == sorted(os.sched_getaffinity(0)), (
        "as the machine was set up for this generation"
    )


def test_a_dry_run_measures_nothing(place):
    done = dnnbench(
        place,
        "run",
        "tiny.toml",
        "--backend",
        "numpy",
        "--batch-size",
        "1,8",
        "--dry-run",
        "--json",
    )
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(document["cells"]) == 14
    assert {cell["batch_size"] for cell in document["cells"]} == {1, 8}
    assert not (place / "results").exists()


@pytest.mark.exhaustive  # test_environments.py measures a backend of another environment often
def test_an_arm_may_name_another_interpreter(place):
    """This very environment, asked for by its folder: packages are lent,
    versions and cells are its own.
    """
    arms = f"numpy,numpy@{sys.prefix}"
    done = dnnbench(
        place, "run", "tiny.toml", "--backend", arms, "--phase", "infer", "--json", *FAST
    )
    assert done.returncode == 0, done.stderr
    names = {cell["arm"]: cell["call_s"] for cell in json.loads(done.stdout)["cells"]}
    assert set(names) == {"numpy:eager", f"numpy:eager@{sys.prefix}"}
    assert all(names.values())
