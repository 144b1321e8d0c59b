"""Argument lists that nobody wrote: each is answered, or refused in words of bounded length;
none is called a bug.
"""

import contextlib
import io
import sqlite3
from collections import Counter

import pytest
import rich_click as click
from dnnbench.api.baseline import saved
from dnnbench.cli.failures import LONGEST_MESSAGE
from dnnbench.cli.main import cli, main
from dnnbench.store.store import open_store
from helpers import storing
from helpers.old_benchmarks import OLD
from helpers.running import TINY
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

EXAMPLES = {("report",): 15, ("run", "--dry-run"): 250, ("compare",): 50, ("export",): 50}
EXAMPLES |= {("history",): 50}
"""A page takes its time, and `run` has many options; of other commands 80."""
SHARES = [pytest.param(4, id="a quarter"), pytest.param(1, id="all", marks=pytest.mark.exhaustive)]
FUZZ = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
RUN, SECOND = "20260101-000000-aaaa", "20260102-000000-bbbb"
NUMBERS = [
    "0",
    "-1",
    "1",
    "7",
    "1,8",
    "1,,8",
    "0.5",
    "5%",
    "60s",
    "9" * 5000,
    f"{'1' * 20_000}x",
    "9" * 400,
    str(2**63),
]
NAMES = [
    *(
        "",
        " ",
        "-",
        "--",
        "latest",
        RUN,
        "zzz",
        "nan",
        "inf",
        "all",
        "auto",
        "cpu",
        "cpu:0",
        "cpu:",
        "infer",
        "float32",
        "csv",
    ),
    *(
        "numpy",
        "numpy@",
        "numpy:",
        "numpy:eager",
        "numpy@zzz",
        "numpy,torch",
        "all:all",
        "torch:zzz",
        "mlp_digits",
    ),
    *(
        "mlp_digits[batch=3]",
        "mlp_digits[",
        "mlp_digits[batch=zzz]",
        "--json",
        "--label",
        "-q",
        "a=b",
        "%s",
        "{}",
        "=1+1",
    ),
    *("x" * 300, "x" * 100_000, "\udcff", "\x1b[2J", "µ", "\n" * 3000),
]
FILES = [
    *(
        "net.toml",
        "broken.toml",
        "zzz.toml",
        "net.txt",
        "s.sqlite",
        "damaged.sqlite",
        "zzz.sqlite",
        ".",
        "out.html",
        "new/out",
    ),
    *(
        "~nosuchuser/a.toml",
        f"{'x' * 300}.toml",
        "/dev/full",
        "/dev/null",
        "sqlite://",
        "postgresql://",
    ),
    *("postgresql://u@localhost:1/d", "mysql://u@h/d", "u:p@h"),
]
CHARACTERS = "a1.,:@[]=-%~ \t\n\x1b\u202eµ中\udc80"
RANDOM = st.randoms(note_method_calls=False, use_true_random=True)
"""Even draws, the same each time: hypothesis' own crowd on few options."""


PLAUSIBLE = {
    "backends": ["numpy", "numpy:eager"],
    "base": ["numpy"],
    "batch_sizes": ["1", "2,4"],
    "batch_size": ["1", "16"],
    "by": ["machine"],
    "device": ["cpu", "auto"],
    "dtype": ["float32"],
    "fail_on": ["5%"],
    "form": ["csv", "json"],
    "generations": ["1", "auto"],
    "label": ["night"],
    "max_time": ["5s"],
    "memory": ["native"],
    "out": ["out.html", "new/out"],
    "phases": ["infer", "all"],
    "precision": ["2%"],
    "seed": ["7"],
    "since": ["30d", "2020-01-01"],
    "site": ["new/out"],
    "store": ["s.sqlite"],
    "threads": ["1"],
    "timing": ["latency"],
    "wanted": ["latest"],
    "base_run": ["latest"],
}
"""Values that the options take, by the names of their parameters."""
WORDS = {
    ("list",): ["backends", "workloads"],
    ("show",): ["mlp_digits", "net.toml"],
    ("schema",): ["run"],
    ("compare",): ["latest", RUN, SECOND],
    ("history",): ["mlp_digits"],
    ("report",): ["s.sqlite"],
    ("merge",): ["s.sqlite", "new.sqlite"],
    ("import",): ["old.json", "kept"],
    ("export",): ["latest", RUN],
    ("machine", "list"): [],
    ("envs", "list"): [],
    ("baseline", "list"): [],
    ("baseline", "check"): ["latest", RUN],
    ("run", "--dry-run"): ["mlp_digits", "net.toml"],
}
"""What commands take, which start no worker; by their beginning, which is never damaged."""


def parameters_of(beginning):
    """The options of a command, as click has them."""
    _, command, _ = cli.resolve_command(click.Context(cli), [beginning[0]])
    if isinstance(command, click.RichGroup):
        command = command.commands[beginning[1]]
    return [parameter for parameter in command.params if isinstance(parameter, click.Option)]


def hostile(random):
    text = "".join(random.choices(CHARACTERS, k=random.randint(1, 6)))
    return random.choice([*NUMBERS, *NAMES, *FILES, text])


def option_of(random, beginning):
    """An option, with a value that it takes or a hostile one."""
    option = random.choice(parameters_of(beginning))
    name = random.choice([*option.opts, *option.secondary_opts])
    if option.is_flag:
        return [name]
    plausible = PLAUSIBLE.get(option.name)
    return [
        name,
        random.choice(plausible) if plausible and random.random() < 0.5 else hostile(random),
    ]


def argument_list(random, beginning):
    """Mostly words that the command takes; options with values that it takes, or hostile ones.

    Seldom a word too many.
    """
    arguments, words = [*beginning], WORDS[beginning]
    count = 2 if beginning[0] in ("compare", "merge") else min(len(words), 1)
    for _ in range(count):
        arguments.append(random.choice(words) if random.random() < 0.8 else hostile(random))
    for _ in range(random.randint(0, 2)):
        arguments += option_of(random, beginning)
    if random.random() < 0.1:
        arguments.insert(random.randint(len(beginning), len(arguments)), hostile(random))
    return arguments


HARDWARE = {"cpu_model": "A 9000", "physical_cores": 2, "memory_gib": 16}
"""By it the machine has a class, and so a baseline."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with files of every kind that a command reads."""
    folder = tmp_path_factory.mktemp("place")
    (folder / "net.toml").write_text(TINY)
    (folder / "broken.toml").write_text("name = ")
    (folder / "net.txt").write_text(TINY)
    (folder / "kept").mkdir()
    for name in ("old.json", "kept/old.json"):
        (folder / name).write_text(OLD)
    for name in ("s.sqlite", "results/dnnbench.sqlite"):
        with open_store(folder / name) as store:
            storing.add_everything(store, RUN)
            storing.add_everything(store, SECOND)
            store.add_machine("m1", facts={"hardware": HARDWARE}, host_hash="c0ffee")
    _, baseline = saved(RUN, folder / "baselines", str(folder / "s.sqlite"))
    assert baseline.cells, "held against nothing, every run is answered"
    with open_store(folder / "damaged.sqlite") as store:
        storing.add_everything(store, RUN)
    with contextlib.closing(sqlite3.connect(folder / "damaged.sqlite")) as damaged:
        damaged.execute("UPDATE run SET settings = '{'")
        damaged.commit()
    return folder


@pytest.fixture(autouse=True)
def inside(place, monkeypatch):
    monkeypatch.chdir(place)
    monkeypatch.setenv("DNNBENCH_ENVS", str(place / "envs"))
    monkeypatch.delenv("DNNBENCH_DEBUG", raising=False)


def answered_or_refused(arguments):
    """The exit code, after what holds of every one."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(arguments)
    assert code in (0, 2, 4), f"{arguments} gave {code}: {err.getvalue()}"
    assert "bug in dnnbench" not in err.getvalue()
    if not {"-v", "--verbose"} & set(arguments):
        assert "Traceback" not in err.getvalue()
    assert len(err.getvalue()) <= LONGEST_MESSAGE
    assert (code == 0) or err.getvalue()
    return code


@pytest.mark.slow
@pytest.mark.parametrize("share", SHARES)
@pytest.mark.parametrize("beginning", WORDS, ids=" ".join)
def test_no_argument_list_gives_anything_but_an_answer_or_words(beginning, share):
    codes = Counter()

    @settings(FUZZ, max_examples=max(10, EXAMPLES.get(beginning, 80) // share))
    @given(RANDOM)
    def look(random):
        codes[answered_or_refused(argument_list(random, beginning))] += 1

    look()
    assert codes[0] >= 2, "some lists are answered"
    assert codes[2] >= 2, "some lists are refused"


@settings(FUZZ, max_examples=200)
@given(RANDOM)
def test_no_word_in_a_commands_place_gives_anything_but_words(random):
    answered_or_refused([hostile(random) for _ in range(random.randint(1, 3))])
