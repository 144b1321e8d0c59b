"""What the terminal says of a run whose true times are known, and the JSON document and the page
of the same.
"""

import re

import numpy as np
import pytest
from dnnbench.cli.run_json import run_document
from dnnbench.execution.agreement_rows import agreement_rows
from dnnbench.execution.measured import measured
from dnnbench.execution.twins import twin_doubt, twins_of
from dnnbench.report import html
from dnnbench.report.evidence import gather
from dnnbench.report.outcomes.check import check_sections
from dnnbench.stats.flags import UNSETTLED
from dnnbench.store.frames import records
from helpers import reporting
from helpers.reporting import cell, printed

pytestmark = pytest.mark.slow

SMALL = {
    "workloads": ("mlp_digits",),
    "seconds": {phase: reporting.SECONDS[phase] for phase in ("infer", "train_step")},
}
"""A run of few cells, where more of them would say the same."""


def test_the_terminal_shows_the_fastest_first_in_a_hundred_columns(known):
    text = printed(known, only="cells")
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 100
    training = text[text.index("train_step") : text.index("infer")]
    order = re.findall(r"(\w+:\w+)", training.split("base torch:eager")[-1])
    assert order == ["jax:jit", "torch:eager", "tensorflow:graph", "numpy:eager"]
    assert re.search(
        r"jax:jit +2\.0\d +\[[\d., ]+\] +0\.(49|50)\d +\[0\.\d+, 0\.\d+\] +FASTER +agrees",
        training,
    )
    assert "differs" in printed(known, only="agreement")


def test_pieces_run_alone_stand_beside_the_whole_step_and_in_the_document(known, store):
    document, text = run_document(store, "known"), printed(known, only="steps")
    assert len(document["pieces"]) == 16
    assert len(document["steps"]) == 8
    rows = text[text.index("Pieces run alone") :].splitlines()
    assert rows[1].split()[-3:] == ["alone", "inside", "saved"]
    (loss, update) = [row.split()[-3] for row in rows if "torch:eager" in row][:2]
    told = {p["name"]: p["alone"]["value"] for p in document["pieces"] if p["arm"] == "torch:eager"}
    assert (
        float(loss)
        == pytest.approx(0.15, rel=0.05)
        == pytest.approx(1e3 * told["loss calculation"], rel=0.05)
    )
    assert (
        float(update)
        == pytest.approx(1.2, rel=0.05)
        == pytest.approx(1e3 * told["weight update"], rel=0.05)
    )


def test_arms_that_run_no_piece_alone_have_no_row_for_it(empty):
    reporting.add_run(
        empty, "r", seconds={p: s for p, s in reporting.SECONDS.items() if p != "update_alone"}
    )
    text = printed(gather(empty, "r"), only="steps").split("Pieces run alone")[1]
    assert "loss calculation" in text
    assert "weight update" not in text


def test_unsteady_warm_ups_and_the_noop_program_stand_in_the_tables(empty, tmp_path):
    cells = reporting.add_run(empty, "r", generations=2, **SMALL)
    steady = gather(empty, "r")
    assert set(steady.cells.no_steady_state) == {0}
    assert "~" not in printed(steady)
    assert steady.noop_call_s is None
    (infer,) = (
        empty.cells("r")
        .query("arm == 'jax:jit' and phase == 'infer' and workload == 'mlp_digits'")
        .cell_id
    )
    samples = empty.samples(cells)
    block = samples[(samples.cell_id == infer) & (samples.generation == 0)]
    block = block[["round", "position", "k", "seconds", "flags"]].to_numpy(float)
    block[:, 4] = UNSETTLED
    empty.add_generation("r", 2, {}, {infer: block})
    found = gather(empty, "r")
    assert (
        cell(found.cells, "jax:jit").no_steady_state == 1 == (found.cells.no_steady_state > 0).sum()
    )
    assert cell(found.cells, "jax:jit").rounds_dropped == 0
    text = printed(found)
    assert "~ jax:jit (infer): no_steady_state 1/3 generations" in text
    assert text.count("~") == 2, "before the time, and where it is explained"
    page = html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    assert page.count("no_steady_state 1/3") == 2, "in its row, and where it is explained"


def test_what_any_generation_compiled_while_it_was_timed_is_a_doubt(empty):
    reporting.add_run(empty, "quiet")
    assert gather(empty, "quiet").doubts == []
    reporting.add_run(
        empty, "r", facts=[{}, *({"compiled_late": {"jax:jit mlp_digits/64": n}} for n in (3, 1))]
    )
    found = gather(empty, "r")
    (doubt,) = found.doubts
    assert doubt.startswith("jax:jit mlp_digits/64: compiled 3 program(s) after warming up")
    assert doubt in printed(found)


SPEC = {
    "weights": 4 * 10**5,
    "optimizer": 8 * 10**5,
    "gradients": 4 * 10**5,
    "activations": 10**6,
    "batch": 7,
}
HELD = {
    "weights_bytes": 4 * 10**5,
    "optimizer_bytes": 8 * 10**5,
    "by_spec": {"train_step": SPEC},
}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({}, "400 kB 800 kB 400 kB 1.00 MB 7.00 B 300 MB –"),
        (
            {"optimizer_bytes": 12 * 10**5},
            "400 kB 1.20 MB (spec 800 kB) 400 kB 1.00 MB 7.00 B 300 MB –",
        ),
        (
            {"before_build_bytes": 10**8},
            "400 kB 800 kB 400 kB 1.00 MB 7.00 B 300 MB –",
        ),  # as older versions recorded it
    ],
)
def test_memory_is_told_by_part(empty, tmp_path, change, words):
    cells = reporting.add_run(empty, "r", generations=0)
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    empty.add_generation(
        "r", 0, {"memory": {"jax:jit mlp_digits/64": HELD | change}}, {cells[0]: block}
    )
    (row,) = gather(empty, "r").memory
    assert (row.arm, row.phase, row.peak_rss, row.peak_device) == (
        "jax:jit",
        "train_step",
        3 * 10**8,
        None,
    )
    lines = printed(gather(empty, "r"), width=120, only="memory").splitlines()
    (line,) = [line for line in lines if "400 kB" in line]
    assert " ".join(line.split()) == f"mlp_digits/64 train_step jax:jit {words}"
    assert run_document(empty, "r")["memory"] == [row.to_json()]
    assert (
        "Memory by part"
        in html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    )


def test_an_older_store_has_no_batch_of_an_inference(empty):
    cells = reporting.add_run(empty, "r", generations=0)
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    held = HELD | {"by_spec": {"infer": SPEC | {"batch": 0}}}
    empty.add_generation("r", 0, {"memory": {"jax:jit mlp_digits/64": held}}, {cells[0]: block})
    lines = printed(gather(empty, "r"), width=120, only="memory").splitlines()
    (line,) = [line for line in lines if "400 kB" in line]
    assert line.split("1.00 MB")[1].split() == ["–", "300", "MB", "–"]


TWIN = f"{reporting.BASE}#twin"


@pytest.mark.parametrize(("speed", "covers"), [(1.0, True), (1.03, False)])
def test_a_twin_that_is_not_like_the_base_takes_every_verdict_away(empty, tmp_path, speed, covers):
    reporting.add_run(empty, "r", generations=6, arms=reporting.SPEED | {TWIN: speed}, **SMALL)
    found = gather(empty, "r")
    assert TWIN not in set(found.cells.arm)
    assert len(found.twins) == len(SMALL["workloads"]) * len(SMALL["seconds"])
    assert all(twin.covers for twin in found.twins) is covers
    assert all(twin.ratio.value == pytest.approx(speed, rel=0.02) for twin in found.twins)
    judged = found.cells[(found.cells.arm != reporting.BASE)]
    assert set(judged.verdict) == ({"FASTER", "SLOWER"} if covers else {"UNDECIDED"})
    text = printed(found)
    assert ("against itself came out as 1.0" in text, "NO" in text.split()) == (
        not covers,
        not covers,
    )
    assert (
        "The base over itself covers 1 in"
        in html.render_report([empty], tmp_path / "page.html", runs=["r"]).read_text()
    )
    (document,) = {twin["covers_1"] for twin in run_document(empty, "r")["twins"]}
    assert document is covers


def test_a_run_without_a_twin_tells_of_none_and_one_generation_of_no_interval(empty, known):
    assert known.twins == []
    assert "Twin" not in printed(known)
    reporting.add_run(empty, "r", generations=1, arms={reporting.BASE: 1.0, TWIN: 1.0}, **SMALL)
    found = gather(empty, "r")
    assert {twin.covers for twin in found.twins} == {None}
    assert "gives no interval" in printed(found)


@pytest.mark.slow
def test_the_intervals_of_all_twins_hold_together(empty):
    """Of 40 honest runs of fourteen phases, plain 95 % intervals would doubt about half."""
    doubted = 0
    for seed in range(40):
        reporting.add_run(
            empty,
            f"r{seed}",
            seed=seed,
            generations=3,
            arms={reporting.BASE: 1.0, TWIN: 1.0},
            workloads=("mlp_digits",),
        )
        doubted += bool(twin_doubt(twins_of(measured(empty, f"r{seed}"))))
    assert doubted <= 6


def test_what_the_harness_takes_is_told(empty, tmp_path):
    reporting.add_run(empty, "r", generations=0)
    cells = empty.cells("r").cell_id
    block = reporting.visits(np.arange(9), np.zeros(9), 1e-3, np.random.default_rng(0))
    empty.add_generation(
        "r", 0, {"null_call_s": {"median": 2.5e-7, "p90": 3e-7, "max": 9e-7}}, {cells[0]: block}
    )
    sentence = "does nothing): 250 ns a call"
    assert sentence in printed(gather(empty, "r"), only="cells")
    assert sentence in html.render_report([empty], tmp_path / "p.html", runs=["r"]).read_text()


def test_the_terminal_tells_why_a_cell_has_no_verdict(empty):
    cells = reporting.add_run(empty, "r", generations=1)
    empty.update_cells(
        "r", [{"cell_id": cells[3], "status": "failed", "reason": "failed: killed by signal 9"}]
    )
    text = printed(gather(empty, "r"), width=160)
    assert "jax:jit (infer): not ranked: failed: killed by signal 9" in text
    assert "one generation gives no interval" in text
    assert "not checked" in text


UNPROVEN = {
    "could not run": {
        "kind": "could not run",
        "tensor": "",
        "ratio": None,
        "reason": "NotImplementedError",
    },
    "not compared": {
        "kind": "loss",
        "tensor": "loss",
        "ratio": None,
        "reason": "the reference is not finite either",
    },
    "differs": {"kind": "outputs", "tensor": "y", "ratio": float("inf"), "reason": "missing"},
}


@pytest.mark.parametrize("place", [0, 1])
@pytest.mark.parametrize("status", UNPROVEN)
def test_what_has_no_error_has_its_word_and_no_figure(place, status):
    row = {
        "workload": "mlp",
        "arm": "jax:jit",
        "dtype": "float64",
        "optimizer": "",
        "ok": False,
        "tensors": 1,
        "status": status,
    }
    section = check_sections(agreement_rows([row | UNPROVEN[status]]))[place]
    text = reporting.text_of([section], 120)
    assert text.count(status) >= 2
    assert "∞" not in text
    assert "✗" not in text


@pytest.mark.parametrize("status", UNPROVEN)
def test_a_run_says_which_of_the_three_it_is_wherever_it_shows_a_check(empty, status):
    reporting.add_run(empty, "r", generations=2, **SMALL)
    place = {
        "workload": "mlp_digits",
        "arm": "jax:jit",
        "dtype": "float64",
        "optimizer": "",
        "ok": False,
    }
    empty.add_agreement("r", [place | {"status": status} | UNPROVEN[status]])
    evidence = gather(empty, "r")
    text = printed(evidence, width=120, only="cells")
    row = next(line for line in text.splitlines() if "jax:jit" in line)
    assert status in row
    page = html.page_of([evidence], static=True)
    assert f'<span class="bad">{status}</span>' in page
    assert "∞" not in page


def test_agreement_shows_the_worst_tensor_of_each(store):
    stored = records(store.agreement("known"))
    worse = {
        "kind": "state",
        "tensor": "bn/mean",
        "ratio": float("nan"),
        "ok": False,
        "status": "differs",
    }
    rows = agreement_rows([*stored, stored[0] | worse])
    place = (rows[0].arm, rows[0].workload, rows[0].dtype)
    outcome, details = check_sections(rows)
    *_, worst = details.tables
    assert len(worst.rows) == 16
    [first] = [row for row in worst.rows if (row[1].text, row[0].text, row[2].text) == place]
    assert (first[3].text, first[6].text) == ("differs", "bn/mean")
    assert f"{rows[0].arm} (differs)" in outcome.title
