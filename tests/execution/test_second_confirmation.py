"""A gate's second confirmation: when there may be one, of which cells, and what counts."""

import json
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from dnnbench.execution.fresh import LEAST_LEFT, Fresh, confirmations
from dnnbench.execution.gate import confirmed, confirmed_again, screened
from dnnbench.execution.gate_cells import Gate, Stage
from dnnbench.execution.gate_findings import finding_rows, read_gate
from dnnbench.execution.gate_policy import GatePolicy
from dnnbench.execution.measured import measured
from dnnbench.execution.settings import gate_settings
from dnnbench.protocol.arm import Arm
from dnnbench.report.builders import GATE, in_brief, sections_of
from dnnbench.report.evidence import gather
from dnnbench.report.gate_document import document
from dnnbench.report.gate_words import interrupted
from dnnbench.report.junit import junit_of
from dnnbench.report.markdown import folded_markdown
from dnnbench.report.outcomes.gate import gate_sections
from dnnbench.stats.estimates import Estimate
from dnnbench.stats.gate import Confirmation, Step
from dnnbench.stats.split import components
from dnnbench.stats.stopping import enough
from dnnbench.stats.verdict import Finding, Verdict
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.gates import ALPHA, FOUND, KEY, THETA
from helpers.reporting import text_of
from helpers.running import NEVER_CONTENDED, TINY, dnnbench
from helpers.visits import noise, pairs_of


def settings(generations=None, max_time_s=60.0):
    return gate_settings(THETA, generations=generations, max_time_s=max_time_s, threads=(1,))


def test_two_confirmations_share_alpha_where_the_screen_left_time():
    assert confirmations(settings(), 7, 35.0, True) == (
        Fresh(7, 60.0, ALPHA / 2),
        Fresh(7, 25.0, ALPHA / 2),
    )


def test_one_confirmation_has_all_of_alpha_where_the_screen_took_its_time():
    assert confirmations(settings(), 20, 60.0, True) == (Fresh(20, 60.0, ALPHA),)


def test_one_confirmation_has_all_of_alpha_unless_a_second_is_wanted():
    assert confirmations(settings(), 7, 35.0, False) == (Fresh(7, 60.0, ALPHA),)


def test_too_little_time_is_left_for_a_second_below_the_least_share():
    most_s = 60 * (1 - LEAST_LEFT)
    assert [len(confirmations(settings(), 9, most_s + more, True)) for more in (0, 0.1)] == [2, 1]


def test_both_confirmations_take_the_generations_that_were_asked_for():
    assert {fresh.generations for fresh in confirmations(settings(12), 7, 35.0, True)} == {12}


@pytest.mark.parametrize("slower", [0.0, 0.03, 0.5])
def test_a_slower_candidate_changes_no_number_of_generations(slower):
    """What a screen plans and where it ends hangs on variances, so a confirmation's number does."""
    logs = np.repeat(noise(6, 0.005), 80) + noise(480, 0.01)
    equal, other = (pairs_of(log + logs, 6, 80) for log in (0.0, slower))
    planned = [components(pairs, 10.0, 1.0).generations_of(60.0) for pairs in (equal, other)]
    assert planned[0] == planned[1] > 6
    ends = [enough([*pairs.effects(), *pairs.effects()], 0.01) for pairs in (equal, other)]
    assert ends == [True, True]


def confirmation(verdict=Verdict.NOT_CONFIRMED, value=1.03, half=0.02, seen=0.05, **changes):
    estimate = Estimate(value, value - half, value + half, 6)
    finding = Finding(verdict, "" if verdict == Verdict.CONFIRMED else "p = 0.1 is above 0.005")
    rejected = verdict == Verdict.CONFIRMED
    step = Step(0.001 if rejected else 0.1, ALPHA / 2, rejected)
    return replace(Confirmation(estimate, step, finding, True, seen), **changes)


CONFIRMED = confirmation(Verdict.CONFIRMED, 1.1)
OVERRULED = Finding(Verdict.NOT_CONFIRMED, "drift", overruled=True)
SILENT = {"answered": False, "estimate": Estimate(*[float("nan")] * 3, 0)}
LEFT = {
    "confirmed": (CONFIRMED, False),
    "its interval lies below": (confirmation(value=1.0, half=0.019), False),
    "its interval crosses": (confirmation(value=1.0, half=0.021), True),
    "its interval lies above": (confirmation(value=1.06), True),
    "something overrules it": (confirmation(value=1.0, half=0.001, finding=OVERRULED), True),
    "no interval": (confirmation(**SILENT), True),
}


@pytest.mark.parametrize("case", LEFT)
def test_what_the_first_confirmation_leaves_undecided(case):
    first, undecided = LEFT[case]
    cell = replace(FOUND, flagged=True, confirmation=first)
    assert Gate("a", THETA, "screen", (cell,)).undecided == ([cell] if undecided else [])


def test_a_cell_without_a_confirmation_is_not_confirmed_again():
    assert Gate("a", THETA, "screen", (FOUND,)).undecided == []


@pytest.mark.parametrize("arm", [KEY.arm, Arm("numpy", "eager")], ids=["candidate", "base"])
def test_a_cell_of_which_a_side_failed_is_not_confirmed_again(arm):
    cell = replace(FOUND, flagged=True, confirmation=confirmation(**SILENT))
    gate = Gate("numpy:eager", THETA, "screen", (cell,), failed={replace(KEY, arm=arm): "killed"})
    assert gate.undecided == []


DECIDING = {
    "none was taken": (None, None, Stage.SCREEN),
    "one": (confirmation(), None, Stage.CONFIRM),
    "the second confirms": (confirmation(seen=0.03), CONFIRMED, Stage.CONFIRM_AGAIN),
    "the second sees more": (confirmation(), confirmation(seen=0.03), Stage.CONFIRM_AGAIN),
    "the second sees less": (confirmation(), confirmation(seen=0.2), Stage.CONFIRM),
    "the first is overruled": (
        confirmation(finding=OVERRULED, seen=0.03), confirmation(), Stage.CONFIRM_AGAIN,
    ),
    "the second is overruled": (
        confirmation(), confirmation(finding=OVERRULED, seen=0.03), Stage.CONFIRM,
    ),
    "the second sees nothing": (
        confirmation(answered=False), confirmation(**SILENT, seen=float("nan")), Stage.CONFIRM,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", DECIDING)
def test_which_stage_decides(case):
    first, second, stage = DECIDING[case]
    cell = replace(FOUND, confirmation=first, second=second)
    assert cell.stage is stage
    assert cell.deciding is {
        Stage.SCREEN: None, Stage.CONFIRM: first, Stage.CONFIRM_AGAIN: second,
    }[stage]  # fmt: skip


def test_an_interrupted_second_confirmation_takes_nothing_from_the_first():
    cells = (replace(FOUND, confirmation=CONFIRMED),)
    gate = Gate("a", THETA, "screen", cells, "confirm", "second", interrupted=True)
    assert interrupted(gate) == "1 cell confirmed slower; what was measured is kept"


ARMS = {"torch:eager": 1.0, "jax:jit": 1.0, "numpy:eager": 1.1, "numpy:fast": 1.1}
SHAPE = {
    "generations": 6,
    "workloads": ("mlp_digits",),
    "seconds": {"infer": 1e-3, "train_step": 4e-3},
    "gate": GatePolicy(0.1).to_json(),
}


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    with open_store(tmp_path_factory.mktemp("second") / "s.sqlite") as opened:
        yield opened


def found(store, gate, run_id, cells, **runs):
    """The gate with what a run made of its cells, which the store keeps."""
    gate = replace(gate, cells=cells, **runs)
    store.add_findings(run_id, finding_rows(gate, measured(store, run_id)))
    return gate


@pytest.fixture(scope="module")
def gate(store):
    """Ten per cent slower in each screen; in the first confirmation numpy:fast is, and numpy:eager
    lies near what passes; in the second, it is slower again.
    """
    reporting.add_run(store, "screen", arms=ARMS, **SHAPE)
    cells = screened(measured(store, "screen"))
    empty = Gate("torch:eager", THETA, "screen", (), chosen_policy=GatePolicy(0.1))
    screen = found(store, empty, "screen", cells)
    near = {"torch:eager": 1.0, "numpy:eager": 1.0205, "numpy:fast": 1.1}
    reporting.add_run(store, "confirm", arms=near, seed=1, confirms="screen", **SHAPE)
    first = confirmed(screen.cells, measured(store, "confirm"), THETA, ALPHA / 2)
    once = found(store, screen, "confirm", first, confirm_run="confirm")
    slower = {"torch:eager": 1.0, "numpy:eager": 1.1}
    reporting.add_run(store, "again", arms=slower, seed=2, confirms="confirm", **SHAPE)
    again = measured(store, "again")
    twice = confirmed_again(once.cells, once.undecided, again, THETA, ALPHA / 2)
    return found(store, once, "again", twice, second_run="again")


def of_arm(gate, arm):
    return [cell for cell in gate.cells if cell.arm == arm]


def test_only_what_stayed_undecided_is_confirmed_again(gate):
    assert {cell.arm for cell in gate.cells if cell.second} == {"numpy:eager"}


def test_a_second_confirmation_may_confirm_what_the_first_did_not(gate):
    for cell in of_arm(gate, "numpy:eager"):
        assert not cell.confirmation.confirmed
        assert cell.second.confirmed
        assert cell.outcome.verdict == Verdict.CONFIRMED


def test_each_confirmation_is_a_family_of_its_own_at_half_of_alpha(gate):
    first = sorted(cell.confirmation.step.threshold for cell in gate.cells if cell.confirmation)
    second = sorted(cell.second.step.threshold for cell in gate.cells if cell.second)
    assert first == pytest.approx([ALPHA / 2 / rank for rank in (4, 3, 2, 1)])
    assert second == pytest.approx([ALPHA / 2 / rank for rank in (2, 1)])


def test_nothing_of_the_first_confirmation_is_pooled_with_the_second(gate):
    for cell in of_arm(gate, "numpy:eager"):
        assert cell.second.estimate.generations == 6
        assert cell.second.estimate.value == pytest.approx(1.1, rel=0.01)


@pytest.mark.parametrize("run", ["screen", "confirm", "again"])
def test_every_run_tells_the_whole_gate(store, gate, run):
    assert document(read_gate(store, run)) == document(gate)


@pytest.mark.parametrize("run", ["screen", "confirm", "again"])
def test_every_run_is_shown_with_the_outcome(store, gate, run):
    (shown,) = in_brief(sections_of(gather(store, run)))
    assert shown.id == GATE
    assert shown.title.startswith("SLOWER: 4 of 6 cells")


def test_findings_of_the_second_confirmation_have_a_stage_of_their_own(store, gate):
    rows = store.findings("again")
    assert list(rows["stage"]) == ["confirm_again"] * 2
    assert (rows["p"] <= rows["threshold"]).all()


def test_a_confirmation_that_confirms_itself_ends_the_search(store):
    reporting.add_run(store, "circle", arms=ARMS, confirms="circle", **SHAPE)
    assert read_gate(store, "circle").screen_run == "circle"


def test_the_document_has_both_confirmations(gate):
    cells = [cell for cell in document(gate)["cells"] if cell["arm"] == "numpy:eager"]
    for cell in cells:
        assert cell["stage"] == "confirm_again"
        assert cell["p"] > cell["holm_threshold"]
        assert cell["p_again"] <= cell["holm_threshold_again"]
        assert cell["confirm_again"]["value"] == pytest.approx(1.1, rel=0.01)
    assert document(gate)["second_run"] == "again"


def test_tables_say_which_stage_decided(gate):
    for section in gate_sections(gate)[:2]:
        (table,) = section.tables
        place = [column.heading for column in table.columns].index("stage")
        stages = [row[place].text for row in table.rows]
        assert sorted(stages) == ["confirm"] * 2 + ["confirm again"] * 2 + ["screen"] * 2


def test_the_details_have_the_ratio_and_p_of_both(gate):
    text = text_of(gate_sections(gate), 300)
    assert "All stages of every cell" in text
    assert "Holm again" in text


def test_markdown_says_which_stage_decided(gate):
    assert folded_markdown(gate_sections(gate)).count("| confirm again |") == 4


def test_junit_says_which_stage_decided(gate):
    cases = ElementTree.fromstring(junit_of(gate)).iter("testcase")
    place = "properties/property[@name='stage']"
    assert {(case.get("classname"), case.find(place).get("value")) for case in cases} == {
        ("jax:jit", "screen"),
        ("numpy:fast", "confirm"),
        ("numpy:eager", "confirm_again"),
    }


MODULES = "dnnbench.execution"
CHANGES = {
    "dnnbench.stats.split:FEWEST": 2,
    f"{MODULES}.execute:enough": "helpers.gates:precise_at_once",
    f"{MODULES}.fresh:FAMILY_ALPHA": 0.0,
} | NEVER_CONTENDED
"""A screen that ends after one generation of two, and an alpha by which nothing is confirmed."""


@pytest.mark.exhaustive  # of simulated runs, all but the measuring is asked above
@pytest.mark.xdist_group("run")
def test_a_gate_confirms_again_what_stayed_undecided(tmp_path, cache):
    (tmp_path / "tiny.toml").write_text(TINY)
    done = dnnbench(
        tmp_path, "gate", "tiny.toml", "--backend", "saboteur:slow,numpy", "--base", "numpy",
        "--label", "ci", "--json", "--no-check", "--threads", "1", "--max-time", "1s", "--wait",
        "--phase", "train_step", "--generations", "2", "--confirm-again",
        changes=CHANGES,
    )  # fmt: skip
    assert done.stdout, done.stderr
    told = json.loads(done.stdout)
    (cell,) = told["cells"]
    assert [cell[s]["generations"] for s in ("screen", "confirm", "confirm_again")] == [1, 2, 2]
    with open_store(tmp_path / "results/dnnbench.sqlite", create=False) as store:
        runs = store.runs().set_index("run_id")
    assert list(runs["label"]) == ["ci", "ci-confirmation", "ci-confirmation-2"]
    again = runs.loc[told["second_run"], "settings"]
    assert again["confirms"] == told["confirm_run"]
    assert again["settings"]["max_time_s"] == 0.5, "what the screen left"
    assert "second confirming run" in done.stderr
