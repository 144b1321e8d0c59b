"""The gate as a user calls it: two runs, an arm that fails, bad input, ctrl-c."""

import json
import signal
import subprocess
import sys

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.store.store import open_store
from helpers.gates import OTHER
from helpers.running import NEVER_CONTENDED, TINY, dnnbench


@pytest.fixture
def folder(tmp_path, cache):
    """A working directory with a tiny workload in it."""
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


BAD = {
    "one arm": (("--backend", "numpy"), "got one arm, numpy:eager"),
    "one arm twice": (("--backend", "numpy,numpy"), "got one arm"),
    "no arm": ((), "a gate needs --backend with the base and a candidate"),
    "unknown backend": (("--backend", "numpy,nump"), "did you mean 'numpy'"),
    "unknown environment": (("--backend", "numpy,numpy@/nowhere"), "dnnbench envs create"),
    "unknown base": (("--backend", f"numpy,{OTHER}", "--base", "jax"), "is not among the arms"),
    "too few generations": (
        ("--backend", f"numpy,{OTHER}", "--generations", "5"),
        "expected a number from 6 to 100",
    ),
    "threshold": (("--backend", f"numpy,{OTHER}", "--fail-on", "200%"), "expected a share"),
    "phase": (("--backend", f"numpy,{OTHER}", "--phase", "trian"), "expected all or some of"),
    "workload": (("--backend", f"numpy,{OTHER}", "mlp_digit"), "did you mean 'mlp_digits'"),
    "store": (("--backend", f"numpy,{OTHER}", "--store", "/dev/null/x.sqlite"), "/dev/null"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_ends_with_2_and_no_traceback(tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    arguments, words = BAD[case]
    assert main(["gate", *arguments]) == exitcodes.USAGE
    told = capsys.readouterr()
    assert words in told.err
    assert "Traceback" not in told.err
    assert told.out == ""


FOUR = {"dnnbench.stats.split:FEWEST": 4}
"""Generations: a slowdown of half is found in as few."""
QUIET = FOUR | NEVER_CONTENDED
"""What contention does to a gate is tested elsewhere (test_gate.py)."""
SHORT = {"dnnbench.stats.split:FEWEST": 2}
FAST = ("--threads", "1", "--max-time", "3s", "--phase", "train_step", "--wait")
OF_FOUR = ("--generations", "4")


@pytest.mark.exhaustive  # tests/api/test_gated.py asks the same of a gate that Python calls
@pytest.mark.xdist_group("run")
def test_more_work_in_a_step_is_confirmed_in_a_second_run(folder):
    arguments = (
        "gate",
        "tiny.toml",
        "--backend",
        "saboteur:slow,numpy",
        "--base",
        "numpy",
        "--label",
        "ci",
        "--json",
    )
    done = dnnbench(folder, *arguments, *FAST, *OF_FOUR, changes=QUIET)
    assert done.returncode == exitcodes.REGRESSION, done.stdout + done.stderr
    told = json.loads(done.stdout)
    [cell] = told["cells"]
    assert cell["outcome"] == "SLOWER"
    assert cell["arm"] == "saboteur:slow"
    assert cell["p"] <= cell["holm_threshold"]
    assert cell["screen"]["value"] > 1.5
    assert cell["confirm"]["value"] > 1.5
    assert cell["confirm"]["generations"] == cell["screen"]["generations"] == 4
    with open_store(folder / "results/dnnbench.sqlite", create=False) as store:
        runs = store.runs().set_index("run_id")
        assert list(runs["label"]) == ["ci", "ci-confirmation"]
        assert list(runs["status"]) == ["complete"] * 2
        assert runs.loc[told["confirm_run"], "settings"]["confirms"] == told["screen_run"]
        checks = [store.agreement(run).drop(columns="run_id") for run in runs.index]
        assert len(checks[0])
        assert checks[0].equals(checks[1])


@pytest.mark.exhaustive  # how a gate ends that flags nothing is asked in test_gate_ends.py
@pytest.mark.xdist_group("run")
def test_an_interpreter_against_itself_passes(folder):
    arguments = (
        "gate",
        "tiny.toml",
        "--backend",
        f"numpy,{OTHER}",
        "--fail-on",
        "10%",
        "--must-see",
        "90%",
        "--no-check",
    )
    done = dnnbench(folder, *arguments, *FAST, *OF_FOUR, changes=QUIET)
    assert done.returncode == exitcodes.OK, done.stdout + done.stderr
    assert "gate: PASS: 1 cell screened" in done.stdout
    assert "screening run" in done.stderr
    assert max(map(len, done.stdout.splitlines())) < 240
    assert "\x1b" not in done.stdout


ARMS_THAT_FAIL = {
    "numpy,saboteur:raise": (exitcodes.FAILED, "this step always fails"),
    "saboteur:raise,saboteur:crash": (exitcodes.NOTHING_MEASURED, "nothing could be measured"),
}


@pytest.mark.exhaustive  # test_gate_ends.py ends recorded gates so, often
@pytest.mark.xdist_group("run")
@pytest.mark.parametrize("arms", ARMS_THAT_FAIL)
def test_an_arm_that_fails_does_not_pass(folder, arms):
    code, words = ARMS_THAT_FAIL[arms]
    done = dnnbench(
        folder,
        "gate",
        "tiny.toml",
        "--backend",
        arms,
        "--no-check",
        "--generations",
        "2",
        *FAST,
        changes=SHORT,
    )
    assert done.returncode == code, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_ctrl_c_ends_a_gate_with_130_and_keeps_its_run(folder):
    command = [
        sys.executable,
        "-m",
        "dnnbench.cli.main",
        "gate",
        "tiny.toml",
        "--backend",
        f"numpy,{OTHER}",
        "--wait",
    ]
    process = subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.startswith("checking that all arms agree"):
            process.send_signal(signal.SIGINT)
            break
    told, said = process.communicate(timeout=60)
    assert process.returncode == exitcodes.INTERRUPTED, said
    assert "gate: INTERRUPTED" in told
    assert "Traceback" not in said
    with open_store(folder / "results/dnnbench.sqlite", create=False) as store:
        assert list(store.runs()["status"]) == ["interrupted"]
