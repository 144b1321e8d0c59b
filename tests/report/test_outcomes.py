"""What commands come to: golden texts of two widths, the outcome first, nothing by colour alone."""

import io
import re
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from dnnbench.agreement.status import Status
from dnnbench.report.markdown import markdown
from dnnbench.report.outcomes.check import check_sections
from dnnbench.report.outcomes.compare import comparison_sections
from dnnbench.report.outcomes.conformance import conformance_section
from dnnbench.report.outcomes.gate import gate_sections
from dnnbench.report.outcomes.predict import ArmFigures, prediction_section
from dnnbench.report.outcomes.train import training_sections
from dnnbench.report.section import Tone
from dnnbench.report.terminal import drawn
from dnnbench.store.store import open_store
from dnnbench.track.compare import COLUMNS, compare
from helpers import outcomes, reporting
from helpers.reporting import text_of
from rich.console import Console

GOLDEN = Path(__file__).parent / "golden"


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """A store with the two runs of a gate, and two runs of which the second is slower."""
    with open_store(tmp_path_factory.mktemp("outcomes") / "s.sqlite") as store:
        gate = outcomes.gate(store)
        shape = {"generations": 3, "workloads": ("mlp_digits",)}
        shape["seconds"] = {"infer": 1e-3, "train_step": 4e-3}
        reporting.add_run(store, "base", **shape)
        reporting.add_run(store, "new", seed=1, slower=1.1, **shape)
        return {"gate": gate_sections(gate), "compare": comparison(store)}


def comparison(store):
    result = compare(store, "base", "new", 0.05)
    return comparison_sections(result.cells, [result.error])


TRAINED = [outcomes.trained(), outcomes.trained("cnn_digits", failed=("mx:eager",))]
SIMULATED = {
    "check": check_sections(outcomes.agreeing()),
    "check_wrong": check_sections(outcomes.differing(), ["saboteur:wrong mlp_digits: op 'fc1'"]),
    "train": training_sections(TRAINED[:1]),
    "train_several": training_sections(TRAINED),
    "predict": [
        prediction_section(
            TRAINED[0][0],
            [
                ArmFigures("numpy:eager", TRAINED[0][1][0].epochs[-1].test, ""),
                ArmFigures("torch:eager", TRAINED[0][1][1].epochs[-1].test, ""),
                ArmFigures("mx:eager", None, "killed by signal 9"),
            ],
            [3, 17],
            359,
        )
    ],
    "conformance": [conformance_section(outcomes.conformance(wrong=False))],
    "conformance_wrong": [conformance_section(outcomes.conformance())],
}
NAMES = (*SIMULATED, "gate", "compare")
NAMED = [(name, name) for name in NAMES]


@pytest.fixture
def sections(request, recorded):
    return (SIMULATED | recorded)[request.param]


each = pytest.mark.parametrize("sections", NAMES, indirect=True)


@pytest.mark.parametrize("width", [80, 40])
@pytest.mark.parametrize(("sections", "name"), NAMED, indirect=["sections"])
def test_an_outcome_reads_as_it_is_kept(sections, name, width):
    """To keep another text, delete the file and run this once."""
    text = text_of(sections[:1], width)
    kept = GOLDEN / f"outcome_{name}_{width}.txt"
    if not kept.exists():
        kept.write_text(text)
    assert text == kept.read_text()


@each
def test_the_outcome_stands_first_and_fits_a_screen(sections):
    lines = text_of(sections[:1], 80).splitlines()
    assert sections[0].title.startswith(lines[0].rstrip())
    assert len(lines) <= 30


@each
def test_markdown_says_the_same_and_has_the_reasons(sections):
    text = markdown(sections)
    assert text.startswith("## ")
    for section in sections:
        assert text.count("\n- ") + text.startswith("- ") >= len(section.doubts)
    assert len(re.findall("^## ", text, re.M)) == len(sections)


@each
def test_without_colour_the_same_is_said(sections):
    """What a tone sets apart is a word of its own, or a number beyond what the title allows."""
    said = [render(sections, **kind) for kind in ({"no_color": True}, {"force_terminal": True})]
    plain, coloured = said
    assert "\x1b[1" in coloured
    assert re.sub(r"\x1b\[[\d;]*m", "", coloured) == re.sub(r"\x1b\[[\d;]*m", "", plain)


def render(sections, **kind):
    console = Console(width=80, file=io.StringIO(), highlight=False, **kind)
    for part in drawn(sections):
        console.print(part, crop=False)
    return console.file.getvalue()


GOOD = {"agrees", "PASS", "FASTER", "target reached", "kept"}


@each
def test_no_text_is_bad_in_one_place_and_good_in_another(sections):
    rows = [row for section in sections for table in section.tables for row in table.rows]
    bad = {cell.text for row in rows for cell in row if cell.tone is Tone.BAD}
    good = {cell.text for row in rows for cell in row if cell.tone is Tone.GOOD}
    assert not bad & (good | GOOD)


# Outcomes in words.


def test_an_arm_that_differs_is_called_by_name_and_its_reason_is_a_doubt():
    outcome, _ = SIMULATED["check_wrong"]
    assert outcome.title == (
        "2 of 3 arms are not proven to compute the same network: saboteur:wrong (differs), "
        "saboteur:raise (could not run)."
    )
    assert any(text.startswith("saboteur:wrong on mlp_digits differs") for text in outcome.doubts)
    assert any("this step always fails" in text for text in outcome.doubts)


def test_nothing_checked_trained_or_paired_is_said_in_a_sentence():
    nothing = pd.DataFrame({name: [] for name in COLUMNS})
    assert check_sections([])[0].title == "Nothing was checked."
    assert training_sections([])[0].title == "Nothing was trained."
    assert comparison_sections(nothing, ["nothing to judge: x"])[0].title == (
        "no cell is in both runs"
    )


def test_a_workload_that_no_arm_trains_is_named():
    workload, [result, *_] = outcomes.trained()
    silent = replace(result, epochs=[], unsupported="it infers")
    assert training_sections([(workload, [silent])])[0].title == "No arm trains mlp_digits."


def test_who_fell_short_is_named():
    titles = [training_sections(some)[0].title for some in (TRAINED[:1], TRAINED)]
    assert titles == [
        "2 of 3 arms reached accuracy 0.96 on mlp_digits; not jax:jit.",
        "4 of 7 trainings reached the target on 2 workloads; not jax:jit on mlp_digits, "
        "jax:jit on cnn_digits, mx:eager on cnn_digits.",
    ]


def judged(*of_arms):
    """What is said of the first epoch where each arm's came to something."""
    workload, results = outcomes.trained()
    for result, of_arm in zip(results, of_arms, strict=True):
        result.first_epoch = of_arm
    return training_sections([(workload, results)])[0].conclusions[0]


def test_the_first_epoch_is_told_with_its_last_batch():
    assert judged(*[outcomes.first_epoch()] * 3) == (
        "mlp_digits: the losses of all 23 steps of the first epoch (the last batch of 29 among "
        "them) and of one more are the reference's in float64, in 3 arms (at most 0.03 of what "
        "rounding allows)"
    )


def test_an_epoch_of_much_work_is_judged_in_part():
    some = outcomes.first_epoch(decided=7, steps=8)
    assert judged(some, some, some).startswith(
        "mlp_digits: the losses of 8 of the first epoch's 23 steps (the last batch of 29 among "
        "them; all are much work) and of one more, but 2 that rounding decides, are"
    )


def test_an_arm_that_takes_other_steps_is_named_and_falls_short():
    reason = "step 23 returned 2.31, expected 2.3"
    wrong = outcomes.first_epoch(Status.DIFFERS, 1e9, reason=reason)
    said = judged(outcomes.first_epoch(), wrong, outcomes.first_epoch())
    assert said.endswith(f"; numpy:eager: losses of the first epoch in float64: differs: {reason}")
    workload, results = outcomes.trained()
    results[0].first_epoch = wrong
    outcome = training_sections([(workload, results)])[0]
    assert "not torch:eager" in outcome.title
    assert "first epoch: differs" in text_of([outcome])


def test_an_epoch_that_is_not_judged_says_so():
    assert judged(None, None, None) == (
        "mlp_digits: no step's loss is held against the reference's, as three steps are too much "
        "work"
    )


def test_a_gate_is_answered_in_its_first_words(recorded):
    title = recorded["gate"][0].title
    assert title.startswith(
        "SLOWER: 2 of 4 cells take longer than on torch:eager, by more than 2 %"
    )
    assert "jax:jit" in title.partition("the worst: ")[2]


def test_a_backend_that_does_not_conform_says_how_many_cases_and_laws():
    assert SIMULATED["conformance_wrong"][0].title == (
        "mine:eager does not conform: 2 of 4 cases agree in float64 and float32, 1 of 2 laws kept."
    )


def test_what_is_wrong_with_a_backend_is_a_doubt_each():
    doubts = SIMULATED["conformance_wrong"][0].doubts
    assert len(doubts) == 3
    assert "(12.5 times the allowance)" in doubts[0]
    assert doubts[-1].endswith("infer_changes_nothing on dense: broken: weights moved")


def test_long_tables_are_cut_and_say_so():
    rows = outcomes.agreeing(tuple(f"torch:m{i}" for i in range(3)))
    assert len(check_sections(rows)[0].tables[0].rows) == 3, "an arm has a row, not each workload"


HOSTILE = "<b>\x1b[2J\ngate: PASS: all"


def test_no_name_of_a_plugin_is_markup_or_a_line_of_its_own():
    sections = check_sections(outcomes.agreeing((HOSTILE,)))
    assert "\x1b" not in text_of(sections)
    assert not re.search("^gate: PASS", text_of(sections), re.M)
    assert "<b>" not in markdown(sections).replace(r"\<b\>", "")
