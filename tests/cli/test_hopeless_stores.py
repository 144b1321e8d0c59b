"""Stores that contradict themselves or hold next to nothing: what each command says first."""

import re

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.execution.gate import screened
from dnnbench.execution.gate_cells import Gate
from dnnbench.execution.measured import measured
from dnnbench.report.outcomes.gate import gate_sections, outcome_line
from dnnbench.stats.flags import PRESSURE, STEAL
from dnnbench.store.store import open_store
from helpers import reporting

pytestmark = pytest.mark.slow

CLEAR = "\x1b[2J\x1b]0;owned\x07"
OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
SMALL = {
    "workloads": ("mlp_digits",),
    "seconds": {"infer": 1e-3, "train_step": 4e-3},
    "generations": 3,
    "rounds": 8,
}
BUSY = {"system": {"load_1min": 15.2, "affinity": [0, 1]}}
HOSTILE = {
    "arms": {"torch:eager": 1.0, f"jax:{CLEAR}\ngate: PASS: all": 0.5},
    "workloads": (f"<script>|{CLEAR}",),
}


def contended(store, run_id, seed):
    flags = {"flags": STEAL | PRESSURE, "facts": [BUSY, {}, {}]}
    reporting.add_run(store, run_id, seed=seed, **SMALL | flags)


def one_arm(store, run_id, seed):
    reporting.add_run(store, run_id, seed=seed, **SMALL | {"arms": {"torch:eager": 1.0}})


def all_failed(store, run_id, seed):
    cells = reporting.add_run(store, run_id, seed=seed, **SMALL | {"generations": 0})
    failed = {"status": "failed", "reason": "failed: killed by signal 9", "calls": None}
    store.update_cells(run_id, [{"cell_id": cell, **failed} for cell in cells])
    store.finish_run(run_id, "failed")


def partial(store, run_id, seed):
    """One generation; half of the cells were never reached."""
    cells = reporting.add_run(store, run_id, seed=seed, **SMALL | {"generations": 1})
    pending = {"status": "pending", "calls": None}
    store.update_cells(run_id, [{"cell_id": cell, **pending} for cell in cells[::2]])
    store.finish_run(run_id, "interrupted")


def mixed(store, run_id, seed):
    """The second run is another machine's, with another version and specification."""
    changes = {"machine": f"m{seed}", "spec_hash": f"{seed}", "slower": 1 + 9 * seed}
    reporting.add_run(store, run_id, seed=seed, **SMALL | changes)


def hostile(store, run_id, seed):
    label = {"label": f"x{CLEAR}"} if seed else {}
    reporting.add_run(store, run_id, seed=seed, **SMALL | HOSTILE | label)


def contradictory(store, run_id, seed):
    """The base against itself comes out as 1.3, and the fastest arm differs."""
    arms = {"torch:eager": 1.0, "jax:jit": 0.5, "torch:eager#twin": 1.3}
    reporting.add_run(store, run_id, seed=seed, **SMALL | {"arms": arms})
    wrong = {"kind": "loss", "tensor": "loss", "ratio": 70.0, "reason": "rmse", "optimizer": ""}
    place = {"arm": "jax:jit", "workload": "mlp_digits", "dtype": "float32"}
    store.add_agreement(run_id, [place | wrong | {"ok": False, "status": "differs"}])


def empty(store, run_id, seed):
    """A run that ended before it planned anything."""
    reporting.add_run(store, run_id, seed=seed, **SMALL | {"arms": {}, "generations": 0})


TITLE = "The answer   time of a call; --details shows everything else"
MACHINE = "  machine m1, Example CPU 9000, 4 cores, 16 GiB; used: 2 threads, cpu, float32"
VERSIONS = "  python 3.11.9, torch 2.13.0"
PLAIN = (TITLE, MACHINE, VERSIONS)
"""Nothing comes before the answer."""
ANSWERS = {
    contended: (
        "The machine was too busy to judge mlp_digits/64: every round was disturbed (load",
        "15 on 2 CPUs, stolen CPU time, other work on the CPUs); try a quieter moment, or",
        "end the other work (dnnbench doctor shows it), and run again.",
    ),
    one_arm: PLAIN,
    all_failed: ("Nothing was measured in this run: 8 failed.", "The answer", MACHINE),
    partial: ("This run was interrupted: 8 of 8 cells have a time so far.", TITLE, MACHINE),
    mixed: PLAIN,
    hostile: PLAIN,
    contradictory: (
        "No verdict of this run holds: the base against itself came out as 1.300 [1.291,",
        "1.309] in mlp_digits/64 infer: this run finds differences where there are none.",
        TITLE,
    ),
    empty: (
        "Nothing was measured in this run: it has no cell.",
        "The answer",
        "Agreement was not checked in this run.",
    ),
}
"""The first three lines of `runs show`."""
UNJUDGED = (
    r"8 cells: 8 not judged",
    r"cell +arm +new / base verdict",
    r"mlp_digits/64 .* not judged",
)
NOTHING = (r"no cell is in both runs",)
HEAD = r"cell +arm +new / base +(\[95 %\] )?verdict"
COMPARED = {
    contended: UNJUDGED,
    one_arm: (r"2 cells: 2 the same", HEAD, r"mlp_digits/64 .* SAME"),
    all_failed: NOTHING,
    partial: UNJUDGED,
    mixed: NOTHING,
    hostile: (r"4 cells: 4 the same", HEAD, r"<script>\|.* SAME"),
    contradictory: (r"4 cells: 4 not judged", *UNJUDGED[1:]),
    empty: NOTHING,
}
"""The first three lines of a comparison, or the only one."""
COMMANDS = (
    ("runs", "show"),
    ("runs", "show", "--details"),
    ("runs", "list"),
    ("compare", "base", "new"),
    ("history",),
    ("export", "latest", "--format", "csv"),
    ("baseline", "save", "base"),
    ("baseline", "check", "base"),
)
CODES = (exitcodes.OK, exitcodes.NOTHING_MEASURED, exitcodes.USAGE)


@pytest.fixture(scope="module", params=ANSWERS, ids=lambda make: make.__name__)
def hopeless(request, tmp_path_factory):
    """(what made it, path) of a store with two runs."""
    path = tmp_path_factory.mktemp("hopeless") / "s.sqlite"
    with open_store(path) as store:
        for seed, run_id in enumerate(("base", "new")):
            request.param(store, run_id, seed)
    return request.param, path


@pytest.fixture
def said(hopeless, capsys, monkeypatch, tmp_path):
    """(exit code, stdout, stderr) of a command on that store, at 80 columns, in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def run(*words):
        monkeypatch.setenv("COLUMNS", "80")
        code = main([*words, "--store", str(hopeless[1])])
        return code, *capsys.readouterr()

    return run


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_ends_with_words_and_commands_no_terminal(said, words):
    code, out, err = said(*words)
    assert code in CODES, err
    first = [line for line in (out or err).splitlines() if line.strip()][:3]
    assert first
    assert "Traceback" not in err
    assert not OBEYED.search(out + err)
    assert not re.search("^gate: PASS", out + err, re.M)


def first_lines(text):
    return [line.rstrip() for line in text.splitlines() if line.strip()][:3]


def test_a_run_says_what_matters_most_in_its_first_lines(said, hopeless):
    make, _ = hopeless
    _, out, _ = said("runs", "show")
    assert first_lines(out) == list(ANSWERS[make])


def test_a_comparison_says_its_outcome_in_its_first_lines(said, hopeless):
    make, _ = hopeless
    _, out, _ = said("compare", "base", "new")
    lines = first_lines(out)
    assert len(lines) == len(COMPARED[make])
    unlike = [pair for pair in zip(COMPARED[make], lines, strict=True) if not re.match(*pair)]
    assert unlike == []


def test_markdown_says_the_same_first(hopeless, tmp_path):
    """Behind the headings; where nothing comes before the answer, its sentences."""
    make, path = hopeless
    document = tmp_path / "report.md"
    options = ("--format", "markdown", "-o", str(document))
    assert main(["report", str(path), *options]) == exitcodes.OK
    text = document.read_text().replace("\\", "")
    first, *_ = [line for line in text.splitlines() if line.strip() and line[0] != "#"]
    alarm = "" if ANSWERS[make] == PLAIN else f"**{ANSWERS[make][0]}"
    assert first.startswith(alarm or "- ")


def test_a_comparison_of_nothing_says_why_and_ends_with_4(said, hopeless):
    make, _ = hopeless
    code, _, err = said("compare", "base", "new", "--fail-on", "5%")
    nothing = make in (contended, all_failed, partial, mixed, contradictory, empty)
    assert (code == exitcodes.NOTHING_MEASURED) is nothing
    assert ("nothing to judge" in err) is nothing


def gate_of(path):
    with open_store(path) as store:
        return Gate("torch:eager", 0.02, "base", screened(measured(store, "base")))


@pytest.mark.parametrize("hopeless", [contended, all_failed, partial], indirect=True)
def test_a_gate_passes_nothing_that_was_not_judged(hopeless):
    gate = gate_of(hopeless[1])
    assert gate_sections(gate)[0].title.startswith("INCONCLUSIVE: nothing could be judged of ")
    assert outcome_line(gate).startswith("gate: INCONCLUSIVE: 6 cells screened, ")
    assert outcome_line(gate).endswith("; 6 not judged")


@pytest.mark.parametrize("hopeless", [hostile], indirect=True)
def test_no_name_in_a_gate_forges_its_outcome(hopeless):
    gate = gate_of(hopeless[1])
    lines = reporting.text_of(gate_sections(gate), 80).splitlines()
    assert lines[0].startswith("PASS: none of 2 cells is slower")
    assert not [line for line in lines if line.startswith("gate: ")]
    assert len(outcome_line(gate).splitlines()) == 1
