"""The how-to pages are followed: every command of a page runs, in the page's order and in one
folder, on NumPy and small.
"""

import re
import shlex
import shutil
import sqlite3
from contextlib import chdir, closing, redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from subprocess import CompletedProcess

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.execution.weights_file import save_weights
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.weights import initial_weights
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.nights import add_nights
from helpers.page_commands import commands_of, words_of
from helpers.running import dnnbench

DOCS = Path(__file__).parents[2] / "docs"
PAGES = (
    "own_network.md",
    "machines.md",
    "workloads.md",
    "measuring.md",
    "configuration.md",
    "reading.md",
    "commands.md",
)
SMALLER = [
    (r"--backend ('[^']*'|\S+)", "--backend numpy"),
    (r"--base ('[^']*'|\S+)", ""),
    (r"--device \S+", "--device cpu"),
    (r"--dtype float32,bfloat16", "--dtype float32,float64"),
    (r"^(run .*) cnn_digits", r"\1"),
    (r"^(run .*)'resnet50\[.*?\]'", r"\1 mlp_digits"),
    (r"mlp_digits +mlp_digits", "mlp_digits"),
    (r"^check .*", r"\g<0> --dtype float64 --phase infer --threads 1"),
    (r"^train .*", r"\g<0> --epochs 1 --threads 1 --store trained.sqlite"),
    (r"^conformance .*", "conformance numpy -k relu"),
    (r"^run (?!.*--backend)(.*)", r"run --backend numpy \1"),
    (r"^predict .*", r"\g<0> --threads 1"),
    (r"^init (?!.*--workloads).*", r"\g<0> --workloads mlp_digits"),
]
"""What makes a command cheap: NumPy in the place of frameworks, one type, one phase, an epoch."""
MEASURED = [  # one generation, a second
    (r"^run .*", r"\g<0> --generations 1 --max-time 1s --phase infer --no-check --report none"),
    (r"^run (?!.*--threads).*", r"\g<0> --threads 1"),
    (r"^run (?!.*--wait).*", r"\g<0> --wait"),
]
PLANNED = [(r"^run .*", r"\g<0> --dry-run")]
RUNS = {"own_network.md": MEASURED, "machines.md": MEASURED}
"""What becomes of runs: those of other pages are planned, and measured elsewhere."""
NOT_RUN = {
    "envs create jax-0.9 jax==0.9.2": "asks a package index",
    "envs create jax-0-9": "asks a package index",
    "run mlp_digits cnn_digits --backend jax,jax@jax-0.9": "measures what that would install",
    "gate --suite small": "needs an arm beside NumPy's",
    "run --backend jax,jax@jax-0.9": "measures what that would install",
    "gate --backend torch,torch@new": "is followed in test_gate_page.py",
    "gate mlp_digits --git 'HEAD~1..HEAD'": "is followed in test_gate_page.py",
    "gate net.py:make_net --git main --backend torch": "is followed in test_gate_page.py",
    "gate mlp_digits --git main..HEAD --figure operators,graph_breaks": "as those before it",
    "gate --suite ci --git main...HEAD": "as those before it",
    "bisect mlp_digits --good v1.2 --bad HEAD": "takes minutes: tests/revisions/test_bisecting.py",
    "reproduce latest torch mlp_digits train_step -o mlp.py": "as those of test_reproduce_page.py",
    "baseline save": "needs a run that has figures: test_baseline_page.py",
}
"""By command, why it is left to other tests."""
COSTLY = {
    "commands.md": r"run |check |conformance |show |train |list devices|doctor|report a|history",
}
"""How commands begin that `make test` leaves to the nightly matrix: it follows their like on other
pages.
"""
MISSES_ITS_TARGET = 1
"""Exit code of a training that has one epoch."""


def code_of(page: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", (DOCS / page).read_text(), re.S)


SETTINGS = code_of("configuration.md", "toml")[0]


def shown(page: str) -> list[str]:
    """Each command of a page once, without its comment and without a redirection."""
    commands = commands_of((DOCS / page).read_text())
    return list(dict.fromkeys(shlex.join(words_of(command)) for command in commands))


def smaller(page: str, command: str) -> str:
    for pattern, text in (*SMALLER, *RUNS.get(page, PLANNED)):
        command = re.sub(pattern, text, command)
    return command


def prepare(folder: Path) -> None:
    """What a reader of these pages has: networks and data of the shapes that they read."""
    networks = [code_of("tutorial.md", "python")[0], code_of("own_network.md", "python")[0]]
    (folder / "net.py").write_text("\n\n".join(networks))
    draw = np.random.default_rng(0)
    arrays = {}
    for part, count in (("train", 64), ("test", 32)):
        arrays[f"x_{part}"] = draw.uniform(size=(count, 8, 8, 1)).astype(np.float32)
        arrays[f"y_{part}"] = draw.integers(0, 10, count).astype(np.int32)
    np.savez(folder / "mine.npz", **arrays)


def recorded_run(folder: Path) -> None:
    """A store with a run in it, whose times are simulated."""
    with open_store(folder / "results" / "dnnbench.sqlite") as store:
        reporting.add_run(store, "r1", generations=2, rounds=8)


def recorded_nights(folder: Path) -> None:
    """What the commands of commands.md read: runs of two commits, of many nights, of two machines,
    of pytest-benchmark, and weights.
    """
    shape = {"seconds": {phase: reporting.SECONDS[phase] for phase in ("infer", "train_step")}}
    store_path = folder / "results" / "dnnbench.sqlite"
    with open_store(store_path) as store:
        add_nights(store, [1.0], label="before", **shape)
        add_nights(store, [1.0], first=1, **shape)
    with open_store(folder / "nightly.sqlite") as store:
        add_nights(store, [1.0] * 8)
    shutil.copy(store_path, folder / "a.sqlite")
    other_machine(folder / "a.sqlite", folder / "b.sqlite")
    made = here(folder, "export", "latest", "--format", "pytest-benchmark", "-o", "bench.json")
    assert made.returncode == 0, made.stderr
    (folder / ".benchmarks").mkdir()
    (folder / "bench.json").rename(folder / ".benchmarks" / "0001.json")
    workload = find_workload("mlp_digits")
    weights = initial_weights(workload.model, 0)
    save_weights(folder / "mlp.safetensors", workload, weights, {})


def other_machine(store: Path, other: Path) -> None:
    """The same runs, as another machine would have recorded them."""
    shutil.copy(store, other)
    with closing(sqlite3.connect(other)) as raw, raw:
        raw.execute("UPDATE machine SET machine_id = 'another', label = ?", (other.stem,))
        raw.execute("UPDATE run SET machine_id = 'another'")


RECORDED = {"reading.md": recorded_run, "commands.md": recorded_nights}
"""What a page reads that its own commands do not record."""


def here(folder: Path, *words: str) -> CompletedProcess:
    """A command in this process, which has imported what each of many would import anew."""
    with chdir(folder), redirect_stdout(StringIO()) as out, redirect_stderr(StringIO()) as err:
        code = main(words)
    return CompletedProcess(words, code, out.getvalue(), err.getvalue())


SELDOM = ("own_network.md", "machines.md", "configuration.md")
"""Pages of many runs, which the nightly matrix follows; test_page_commands.py reads each of their
commands as the command line would, often.
"""
OFTEN = [
    pytest.param((page, COSTLY.get(page, "")), id=page) for page in PAGES if page not in SELDOM
]
NIGHTLY = [
    pytest.param((page, ""), id=f"all of {page}", marks=pytest.mark.exhaustive)
    for page in (*COSTLY, *SELDOM)
]


@pytest.fixture(scope="module", params=[*OFTEN, *NIGHTLY])
def followed(request, tmp_path_factory):
    """(page, how each of its commands ended)"""
    page, costly = request.param
    follow = here if costly else dnnbench
    folder = tmp_path_factory.mktemp(page.partition(".")[0])
    prepare(folder)
    RECORDED.get(page, lambda _: None)(folder)
    ended = {}
    for command in shown(page):
        if command in NOT_RUN or (costly and re.match(costly, command)):
            continue
        if "--suite" in command:
            (folder / "dnnbench.toml").write_text(SETTINGS)
        if "lab-4.sqlite" in command and not (folder / "lab-4.sqlite").exists():
            other_machine(folder / "lab-3.sqlite", folder / "lab-4.sqlite")
        ended[command] = follow(folder, *shlex.split(smaller(page, command)))
    return page, ended


@pytest.mark.slow
def test_every_command_of_the_page_ends_well(followed):
    _, ended = followed
    bad = {
        command: done.stderr
        for command, done in ended.items()
        if done.returncode not in (0, MISSES_ITS_TARGET if command.startswith("train ") else 0)
    }
    assert bad == {}


def test_every_page_has_commands():
    assert [page for page in PAGES if not shown(page)] == []


def test_what_is_not_run_stands_on_a_page():
    assert set(NOT_RUN) - {command for page in PAGES for command in shown(page)} == set()
