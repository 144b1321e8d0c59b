"""`dnnbench run` as a user meets it: real workers, a real store, and backends that misbehave."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import psutil
import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.execution.measured import measured
from dnnbench.stats.flags import PAUSED
from dnnbench.store.store import open_store
from helpers.running import FAST, TINY, dnnbench, environment, wait_for_generations

pytestmark = pytest.mark.xdist_group("run")


@pytest.fixture
def place(tmp_path, cache):
    """A working directory with a tiny workload in it."""
    (tmp_path / "tiny.toml").write_text(TINY)
    return tmp_path


def cells_of(place):
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        samples = store.samples(list(cells["cell_id"])).groupby("cell_id").size()
        return {
            (row.arm, row.phase): (row.status, row.reason, int(samples.get(row.cell_id, 0)))
            for row in cells.itertuples()
        }


def test_a_run_ends_with_tables_a_report_and_code_0(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy", *FAST)
    assert done.returncode == 0, done.stderr
    assert "train_step" in done.stdout
    assert "numpy" in done.stdout
    assert "no-op program (it does nothing): " in done.stdout
    assert "results/report.html" in done.stderr
    assert (place / "results/report.html").stat().st_size > 2000
    cells = cells_of(place)
    assert {status for status, _, _ in cells.values()} == {"ok"}
    assert cells["control", "control"][2] > 0, "the control arm is visited in every round"


def test_a_twin_is_the_base_in_a_process_of_its_own(place):
    fast = ("--threads", "1", "--max-time", "2s", "--generations", "2", "--wait", "--no-check", "--json")
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--twin", *fast)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    (twin,) = document["twins"]
    assert (twin["arm"], twin["phase"], twin["generations"]) == ("numpy:eager", "infer", 2)
    assert 0.2 < twin["value"] < 5
    assert twin["doubt"] or twin["covers_1"] == (twin["low"] <= 1 <= twin["high"])
    assert [cell["arm"] for cell in document["cells"]] == ["numpy:eager"] == document["run"]["settings"]["backends"]
    cells = cells_of(place)
    assert cells["numpy:eager#twin", "infer"][2] == cells["numpy:eager", "infer"][2] > 0


def test_arms_that_do_not_fit_in_memory_together_are_measured_in_pairs_with_the_base(place):
    tight = {"dnnbench.execution.memory_guard:available_bytes": "helpers.stand_ins:three_thousand_bytes"}
    modes = "saboteur:honest,numpy,saboteur:wrong"
    done = dnnbench(place, "run", "tiny.toml", "--backend", modes, "--phase", "infer", "--no-check", *FAST, changes=tight)
    assert done.returncode == 0, done.stderr
    assert "3 arms on cpu need about" in done.stderr
    assert "each is measured beside the base alone" in done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        rounds = {arm: set(store.samples([cell])["round"]) for arm, cell in zip(cells.arm, cells.cell_id, strict=True)}
    first, second = rounds["numpy:eager"], rounds["saboteur:wrong"]
    assert first, "never up at the same time"
    assert second, "never up at the same time"
    assert not first & second, "never up at the same time"
    assert rounds["saboteur:honest"] == first | second, "the base stands beside each"


TELLING_CACHES = {"dnnbench.execution.generation:WorkerPool": "helpers.stand_ins:TellingPool"}


def test_a_cold_start_compiles_in_the_first_generation_and_finds_it_in_the_next(place, monkeypatch):
    """The user's caches hold the program already, and are neither read nor written."""
    cache = place / "cache"  # of this test alone: others write to the session's
    monkeypatch.setenv("DNNBENCH_CACHE", str(cache))
    fast = ("--phase", "infer", "--no-check", "--threads", "1", "--max-time", "1s", "--wait", "--json")
    asked = ("run", "tiny.toml", "--backend", "jax", *fast)
    warmed = dnnbench(place, *asked, "--generations", "1")
    assert [start["caches"] for start in json.loads(warmed.stdout)["starts"]] == ["as found"], warmed.stderr
    before = sorted((cache / "jax_compilation_cache_dir").iterdir())
    done = dnnbench(place, *asked, "--generations", "2", "--cold-start", changes=TELLING_CACHES)
    (first, none), (second, some) = re.findall(r"caches: (\S+) (\d+)", done.stderr)
    assert first == second
    assert int(none) == 0 < int(some)
    assert not Path(first).exists()
    assert before
    assert sorted((cache / "jax_compilation_cache_dir").iterdir()) == before
    document = json.loads(done.stdout)
    assert [generation["facts"]["compile_cache"] for generation in document["generations"]] == ["empty", "warm"]
    assert [start["caches"] for start in document["starts"]] == ["empty", "warm"]


@pytest.mark.exhaustive
def test_auto_takes_six_generations_or_more_and_says_why(place):
    asked = ("--phase", "infer", "--no-check", "--threads", "1", "--max-time", "3s", "--generations", "auto", "--wait")
    done = dnnbench(place, "run", "tiny.toml", "--backend", "saboteur:honest,numpy", *asked)
    assert done.returncode == 0, done.stderr
    assert " more generations of " in done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        facts = store.generations()["facts"]
    assert len(facts) >= 6
    assert all(fact["start_s"] > 0 for fact in facts)


def test_a_rate_near_the_peak_is_audited_again_and_a_kept_answer_is_found(place):
    """Every cell counts as near, so that the tiny one does."""
    asked = ("--backend", "numpy,saboteur:kept", "--no-check", "--phase", "infer,train_step")
    done = dnnbench(place, "run", "tiny.toml", *asked, *FAST, changes={"dnnbench.execution.peaks:NEAR": 0.0})
    assert done.returncode == 0, done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        (run_id,) = store.runs()["run_id"]
        [facts, *_] = measured(store, run_id).facts
    faults = {str(key): cell.rate_audit.faults for key, cell in facts.cells.items() if cell.rate_audit}
    assert set(faults) == {
        f"{arm} tiny/4 {phase}" for arm in ("numpy:eager", "saboteur:kept") for phase in ("infer", "train_step")
    }
    kept = "inference gave the same output before and after a step: an answer is cached"
    assert kept in faults["saboteur:kept tiny/4 infer"]
    assert kept not in faults["numpy:eager tiny/4 infer"]
    assert f"saboteur:kept tiny/4 infer: {kept}" in done.stderr


def test_json_is_one_document_on_stdout(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy", "--phase", "infer", "--json", *FAST)
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert document["schema_version"] == 2
    assert [cell["phase"] for cell in document["cells"]] == ["infer"]
    assert document["cells"][0]["call_s"] > 0
    (held,) = document["memory"]
    assert held["weights"] == held["by_spec"]["weights"] == 4 * (6 * 8 + 8 + 8 * 3 + 3)
    assert (held["optimizer"], held["phase"]) == (held["weights"], "infer")
    assert held["peak_rss"] > 10 * 2**20
    facts = document["generations"][0]["facts"]
    assert 0 < facts["null_call_s"]["median"] < document["cells"][0]["call_s"] < facts["null_call_s"]["max"] * 1e6
    assert facts["switches_per_s"]["median"] >= 0
    assert facts["system"]["affinity"] == sorted(os.sched_getaffinity(0)), (
        "as the machine was set up for this generation"
    )


FAILING = {"crash": "killed by signal 9", "raise": "this step always fails", "stop": "stopped from outside"}
"""What a table says of each mode whose train_step fails."""


@pytest.fixture(scope="module")
def failed(tmp_path_factory, cache):
    """A run of NumPy beside arms that fail, and the folder of its store."""
    folder = tmp_path_factory.mktemp("failed")
    (folder / "tiny.toml").write_text(TINY)
    arms = ",".join(["numpy", *(f"saboteur:{mode}" for mode in FAILING)])
    return dnnbench(folder, "run", "tiny.toml", "--backend", arms, "--no-check", *FAST), folder


@pytest.mark.parametrize("mode", FAILING)
def test_what_fails_costs_its_cell(failed, mode):
    done, folder = failed
    status, reason, count = cells_of(folder)[f"saboteur:{mode}", "train_step"]
    assert status == "failed"
    assert FAILING[mode] in reason
    assert count == 0
    assert FAILING[mode] in done.stdout, "the row says so"


@pytest.mark.parametrize("arm", ["numpy:eager", *(f"saboteur:{mode}" for mode in FAILING)])
def test_what_fails_costs_no_other_cell(failed, arm):
    _, folder = failed
    cells = cells_of(folder)
    others = {phase: cells[arm, phase] for phase in ("infer", "forward", "gradients")}
    assert {phase: status for phase, (status, _, _) in others.items()} == dict.fromkeys(others, "ok")
    assert all(count > 0 for _, _, count in others.values()), others


def test_a_run_in_which_something_fails_ends_with_code_1(failed):
    done, _ = failed
    assert done.returncode == exitcodes.FAILED, done.stderr
    assert "Traceback" not in done.stderr


def test_a_hanging_step_costs_its_cell(place):
    impatient = {f"dnnbench.execution.{module}:BUILD_TIMEOUT_S": 8.0 for module in ("generation", "pool")}
    arguments = ("run", "tiny.toml", "--backend", "numpy,saboteur:hang", "--no-check", "--phase", "infer,train_step")
    done = dnnbench(place, *arguments, *FAST, changes=impatient)
    assert done.returncode == 1, done.stderr
    cells = cells_of(place)
    assert cells["saboteur:hang", "train_step"][0] == "failed"
    assert "no answer in 8 s" in cells["saboteur:hang", "train_step"][1]
    assert cells["saboteur:hang", "infer"][2] > 0
    assert cells["numpy:eager", "train_step"][2] > 0


def test_rubbish_on_stdout_harms_nothing(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "saboteur:rubbish", "--phase", "train_step", *FAST)
    assert done.returncode == 0, done.stderr
    assert cells_of(place)["saboteur:rubbish", "train_step"][2] > 0
    assert "rubbish on stdout" not in done.stdout


def test_an_arm_that_disagrees_is_timed_marked_and_not_ranked(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy,saboteur:wrong", "--json", *FAST)
    assert done.returncode == 1
    cells = {(c["arm"], c["phase"]): c for c in json.loads(done.stdout)["cells"]}
    wrong = cells["saboteur:wrong", "train_step"]
    assert wrong["call_s"] > 0
    assert "differs from the reference" in wrong["unequal"]
    assert wrong["ratio"] is None
    assert wrong["verdict"] is None
    assert cells["numpy:eager", "train_step"]["unequal"] is None


def test_check_alone_tells_what_differs_from_what_could_not_run(place):
    arms = "numpy,saboteur:wrong,saboteur:raise,saboteur:honest"
    done = dnnbench(place, "check", "tiny.toml", "--backend", arms, "--threads", "1", "--dtype", "float64", "--json")
    rows = json.loads(done.stdout)["agreement"]
    assert done.returncode == 1
    statuses = {(row["arm"], row["status"]) for row in rows if not row["ok"]}
    assert statuses == {("saboteur:wrong", "differs"), ("saboteur:raise", "could not run")}
    assert {row["status"] for row in rows if row["ok"]} == {"agrees"}


def test_an_arm_that_raises_has_no_figure_and_is_not_said_to_disagree(place):
    done = dnnbench(place, "check", "tiny.toml", "--backend", "saboteur:raise", "--threads", "1", "--dtype", "float64")
    [line] = [line for line in done.stderr.splitlines() if "always fails" in line]
    assert "saboteur:raise tiny float64: could not run: " in line
    assert "times the allowance" not in line
    assert "1 arm(s), 0 comparisons, 0 differ, 1 could not run" in done.stderr
    assert "could not run" in done.stdout
    assert "∞" not in done.stdout


HOT = TINY.replace("[task]", '[task]\noptimizer = { kind = "sgd", learning_rate = 1e300 }')


def test_where_the_reference_is_not_finite_nothing_is_compared(place):
    (place / "hot.toml").write_text(HOT)
    done = dnnbench(place, "check", "hot.toml", "--backend", "numpy", "--threads", "1", "--dtype", "float64", "--json")
    rows = json.loads(done.stdout)["agreement"]
    found = {row["kind"]: row for row in rows if row["optimizer"] in ("", "sgd")}
    assert done.returncode == 1
    assert found["outputs"]["status"] == "agrees"
    assert found["weights@5"]["status"] == "not compared"
    assert found["weights@5"]["ratio"] is None


def test_nothing_measured_is_code_4(place):
    arguments = ("run", "tiny.toml", "--backend", "saboteur:raise", "--phase", "train_step", "--no-check")
    done = dnnbench(place, *arguments, *FAST)
    assert done.returncode == 4
    assert "nothing could be measured" in done.stderr
    assert "Traceback" not in done.stderr


def test_ctrl_c_keeps_what_was_measured_and_resume_goes_on(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", "--no-check", "--twin",
               "--threads", "1", "--max-time", "8s", "--generations", "4", "--phase", "infer,train_step", "--wait"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    wait_for_generations(place, 1)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 130
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.runs(run_id)["status"].item() == "interrupted"
        kept = store.samples(list(store.cells(run_id)["cell_id"]))
        assert len(kept) > 0
    done = dnnbench(place, "run", "--resume", "latest", "--json", "--wait")
    assert done.returncode == 0, done.stderr
    assert [twin["phase"] for twin in json.loads(done.stdout)["twins"]] == ["infer", "train_step"]
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        assert store.done_generations(run_id) == [0, 1, 2, 3]
        cells = store.cells(run_id)
        again = store.samples(list(cells["cell_id"]))
        twin = again[again["cell_id"].isin(cells.loc[cells["arm"] == "numpy:eager#twin", "cell_id"])]
        assert set(twin["generation"]) >= {1, 2, 3}
        assert len(again.merge(kept)) == len(kept), "no visit of the first sitting is lost or changed"


SIGNALLED = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", "--no-check",
             "--threads", "1", "--max-time", "8s", "--generations", "4", "--phase", "infer", "--wait"]  # fmt: skip


def kept_visits(place):
    """How many, of a run that was interrupted."""
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.runs(run_id)["status"].item() == "interrupted"
        return len(store.samples(list(store.cells(run_id)["cell_id"])))


def test_sigterm_twice_keeps_what_was_measured_and_leaves_nothing_running(place, tmp_path):
    (tmp_path / "temporary").mkdir()
    signalled = environment() | {"TMPDIR": str(tmp_path / "temporary")}
    process = subprocess.Popen(SIGNALLED, cwd=place, env=signalled, stderr=subprocess.PIPE, text=True)
    wait_for_generations(place, 1)
    below = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGTERM)
    time.sleep(0.05)
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "interrupted: what was measured is kept" in said
    assert kept_visits(place) > 0
    assert not psutil.wait_procs(below, 60)[1]
    assert not list((tmp_path / "temporary").iterdir())


def test_a_terminal_that_hangs_up_ends_a_run_and_keeps_what_was_measured(place):
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(place)
        os.execve(sys.executable, SIGNALLED, environment())
    threading.Thread(target=read_all, args=(terminal,), daemon=True).start()
    wait_for_generations(place, 1)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 130
    assert kept_visits(place) > 0
    assert (place / "results/report.html").exists()


def read_all(terminal):
    """What a program prints, so that it is never held up, until the terminal is closed."""
    with contextlib.suppress(OSError):
        while os.read(terminal, 65536):
            pass


def test_kill_9_loses_at_most_the_generation_in_flight(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", "--no-check",
               "--threads", "1", "--max-time", "8s", "--generations", "4", "--phase", "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    wait_for_generations(place, 2)
    process.kill()
    process.wait()
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        run_id = store.find_run("latest")
        assert store.done_generations(run_id)[:2] == [0, 1]
    assert dnnbench(place, "run", "--resume", run_id, "--wait").returncode == 0


def test_a_dry_run_measures_nothing(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy", "--batch-size", "1,8", "--dry-run", "--json")
    document = json.loads(done.stdout)
    assert done.returncode == 0
    assert len(document["cells"]) == 14
    assert {cell["batch_size"] for cell in document["cells"]} == {1, 8}
    assert not (place / "results").exists()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("run", "tinny.toml"), "did you mean"),
        (("run", "tiny.toml", "--backend", "torhc"), "did you mean 'torch'"),
        (("run", "tiny.toml", "--backend", "numpy:jit"), "numpy has no mode 'jit'"),
        (("run", "tiny.toml", "--backend", "numpy", "--device", "gpux"), "device 'gpux' is not known"),
        (("run", "tiny.toml", "--backend", "numpy", "--device", "gpu"), "computes on cpu alone"),
        (("run", "tiny.toml", "--backend", "numpy", "--batch-size", "0"), "whole numbers"),
        (("run", "tiny.toml", "--backend", "numpy", "--max-time", "soon"), "expected a time"),
        (("run", "tiny.toml", "--backend", "numpy", "--precision", "110%"), "expected a share"),
        (("run", "tiny.toml", "--backend", "numpy", "--phase", "trian"), "expected all or some of"),
        (("run", "tiny.toml", "--backend", "numpy", "--base", "jax"), "is not among the arms"),
        (("run", "tiny.toml", "--backend", "numpy", "--weights", "none.safetensors"), "no such weights file"),
        (("run", "tiny.toml", "--backend", "numpy", "--threads", "4096"), "ask for 1 to"),
        (("run", "tiny.toml", "--backend", "numpy", "--store", "/dev/null/x.sqlite"), "/dev/null"),
        (("run", "--resume", "latest", "--wait", "--store", "nowhere.sqlite"), "nowhere.sqlite"),
    ],
)
def test_bad_requests_end_with_code_2_and_say_what_to_do(place, monkeypatch, capsys, arguments, words):
    """In this process: one that is refused starts no other."""
    monkeypatch.chdir(place)
    assert main(list(arguments)) == exitcodes.USAGE
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_device_that_a_third_party_s_backend_has_not_is_refused(place):
    done = dnnbench(place, "run", "tiny.toml", "--backend", "saboteur", "--device", "gpu")
    assert done.returncode == exitcodes.USAGE
    assert "saboteur has cpu" in done.stderr


def test_ctrl_c_before_anything_is_measured_is_130_too(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", *FAST]
    process = subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    for line in process.stderr:
        if line.startswith("checking that all arms agree"):
            process.send_signal(signal.SIGINT)
            break
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    assert "Traceback" not in said
    assert "--resume" in said


def test_an_arm_may_name_another_interpreter(place):
    """This very environment, asked for by its folder: packages are lent, versions and cells are its own."""
    arms = f"numpy,numpy@{sys.prefix}"
    done = dnnbench(place, "run", "tiny.toml", "--backend", arms, "--phase", "infer", "--json", *FAST)
    assert done.returncode == 0, done.stderr
    names = {cell["arm"]: cell["call_s"] for cell in json.loads(done.stdout)["cells"]}
    assert set(names) == {"numpy:eager", f"numpy:eager@{sys.prefix}"}
    assert all(names.values())


def test_an_interpreter_that_is_not_there_is_told_before_anything_starts(place):
    arms = "numpy,numpy@/nowhere/bin/python"
    done = dnnbench(place, "run", "tiny.toml", "--backend", arms, "--phase", "infer", "--no-check", *FAST)
    assert done.returncode == 2, done.stderr
    assert "'@/nowhere/bin/python' is neither an environment" in done.stderr
    assert "dnnbench envs create" in done.stderr
    assert not (place / "results").exists()


def test_a_crash_in_every_case_costs_only_its_cells(place):
    arguments = ("run", "tiny.toml", "--backend", "numpy,saboteur:crash", "--no-check", "--phase", "infer,train_step")
    done = dnnbench(place, *arguments, "--batch-size", "1,2,4,8", *FAST)
    assert done.returncode == 1, done.stderr
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
    crashing = cells[cells["arm"] == "saboteur:crash"]
    assert dict(zip(zip(crashing["batch_size"], crashing["phase"], strict=True), crashing["status"], strict=True)) == {
        (size, phase): status for size in (1, 2, 4, 8) for phase, status in (("infer", "ok"), ("train_step", "failed"))
    }


def workers_of(process):
    """The workers of a run, in the order of their start."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with contextlib.suppress(psutil.NoSuchProcess):
            if child.cmdline()[1:3] == ["-m", "dnnbench.worker"]:
                found.append(child)
    return sorted(found, key=lambda worker: worker.create_time())


def test_rounds_in_which_somebody_stopped_a_worker_are_marked(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", "--no-check",
               "--threads", "1", "--max-time", "3s", "--generations", "1", "--phase", "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(command, cwd=place, env=environment(), stderr=subprocess.DEVNULL)
    while process.poll() is None:
        for worker in workers_of(process):
            for number in (signal.SIGSTOP, signal.SIGCONT):
                with contextlib.suppress(psutil.NoSuchProcess):
                    worker.send_signal(number)
        time.sleep(0.02)
    assert process.returncode == 0
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        cells = store.cells(store.find_run("latest"))
        marks = store.samples(cells.loc[cells["arm"] == "numpy:eager", "cell_id"])["flags"]
    assert (marks & PAUSED).any()


def test_a_lost_control_arm_costs_no_other_arm(place):
    command = [sys.executable, "-m", "dnnbench.cli.main", "run", "tiny.toml", "--backend", "numpy", "--no-check",
               "--threads", "1", "--max-time", "3s", "--generations", "1", "--phase", "infer", "--wait"]  # fmt: skip
    process = subprocess.Popen(
        command, cwd=place, env=environment(), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    children = []
    while len(children) < 2:
        time.sleep(0.02)
        children = workers_of(process)
    children[0].kill()  # the control is started first
    _, said = process.communicate(timeout=60)
    assert process.returncode == 0, said
    cells = cells_of(place)
    assert cells["numpy:eager", "infer"][2] > 0
    assert cells["control", "control"][2] == 0
