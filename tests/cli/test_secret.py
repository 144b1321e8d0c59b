"""Every command with a marked password: no output, no file and no table holds it afterwards."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain, count
from pathlib import Path
from urllib.parse import quote

import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import COMMANDS, main
from helpers.old_benchmarks import OLD
from helpers.postgres_server import GUARDED, cluster
from helpers.running import TINY, dnnbench
from sqlalchemy import Connection, create_engine, inspect, text

pytestmark = [pytest.mark.postgres, pytest.mark.xdist_group("secret")]

MARKS = ("M4RKq7", "x9K4RM")
SECRET = f"{MARKS[0]}/ @:?&'%{MARKS[1]}"
FEW = {"dnnbench.stats.split:FEWEST": 1}
BROKEN = {"dnnbench.store.export:export": "helpers.stand_ins:failing_export"}
OF_WORK = ("tiny.toml", "--backend", "numpy", "--threads", "1")
MEASURED = (
    *OF_WORK,
    "--phase",
    "infer",
    "--no-check",
    "--max-time",
    "1s",
    "--generations",
    "1",
    "--wait",
)
REFUSED = exitcodes.USAGE


@dataclass(frozen=True)
class Place:
    """A folder that is home and temporary folder too, and a database that asks for the password."""

    folder: Path
    socket: str
    database: str

    @property
    def forms(self) -> dict[str, str]:
        """The address in the forms that a user may write; the two first open the store."""
        password, host = quote(SECRET, safe=""), f"?host={self.socket}"
        return {
            "{address}": f"postgresql://{GUARDED}:{password}@/{self.database}{host}",
            "{parameter}": f"postgres://{GUARDED}@/{self.database}{host}&pass%77ord={password}",
            "{bare}": f"postgresql://{GUARDED}@/{self.database}{host}",
            "{raw}": f"postgresql://{GUARDED}:{SECRET}@{self.socket}/{self.database}",
            "{keyword}": (
                f"host={self.socket} user={GUARDED} password='{MARKS[0]} {MARKS[1]}' "
                f"dbname={self.database}"
            ),
            "{no scheme}": f"{GUARDED}:{MARKS[0]}@localhost/{self.database}",
        }

    @property
    def variables(self) -> dict[str, str]:
        """Home and temporary folder, and where a user may keep the password."""
        own = {"HOME": str(self.folder / "home"), "TMPDIR": str(self.folder / "tmp")}
        return own | {"PGPASSWORD": SECRET, "DATABASE_URL": self.forms["{address}"]}

    def filled(self, words: Sequence[str]) -> list[str]:
        """Words that may name forms of the address, with the address."""
        for form, address in self.forms.items():
            words = [word.replace(form, address) for word in words]
        return list(words)

    def dnnbench(
        self, *words: str, changes: dict | None = None, **variables: str
    ) -> subprocess.CompletedProcess:
        """Run a command line whose words may name forms of the address."""
        return dnnbench(
            self.folder, *self.filled(words), changes=changes, **(self.variables | variables)
        )

    def leaks(self, done: subprocess.CompletedProcess) -> list[str]:
        """Where the password stands: a stream, a file or its name, the database."""
        texts = {"stdout": done.stdout, "stderr": done.stderr, "database": self._rows()}
        texts |= {str(path): f"{path}\n{_content(path)}" for path in self.folder.rglob("*")}
        return [where for where, content in texts.items() if any(mark in content for mark in MARKS)]

    @contextmanager
    def administered(self) -> Iterator[Connection]:
        """A connection to the database as a user who needs no password."""
        engine = create_engine(f"postgresql+psycopg://tester@/{self.database}?host={self.socket}")
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    def _rows(self) -> str:
        with self.administered() as connection:
            tables = inspect(connection).get_table_names()
            rows = [
                connection.exec_driver_sql(f'SELECT t::text FROM "{name}" AS t').scalars().all()
                for name in tables
            ]
        return "\n".join(chain.from_iterable(rows))


def _content(path: Path) -> str:
    return path.read_bytes().decode("latin-1") if path.is_file() else ""


@pytest.fixture(scope="module")
def server():
    with cluster() as socket:
        yield socket


@pytest.fixture(scope="module")
def make_place(server, tmp_path_factory, cache):
    """A function that makes a place with nothing in it."""
    admin = create_engine(
        f"postgresql+psycopg://tester@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )
    quoted, numbers = SECRET.replace("'", "''"), count()
    with admin.connect() as connection:
        connection.exec_driver_sql(
            f"CREATE ROLE {GUARDED} LOGIN PASSWORD '{quoted.replace('%', '%%')}'"
        )

    def make() -> Place:
        database, folder = f"secret{next(numbers)}", tmp_path_factory.mktemp("place")
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {database} OWNER {GUARDED}"))
        for name in ("home", "tmp"):
            (folder / name).mkdir()
        (folder / "tiny.toml").write_text(TINY)
        (folder / "old.json").write_text(OLD)
        return Place(folder, server, database)

    yield make
    admin.dispose()


@pytest.fixture(scope="module")
def place(make_place):
    """One in whose database a run has been measured, with a copy of it beside."""
    made = make_place()
    for words in (
        ("run", *MEASURED, "--label", "first", "--store={address}"),
        ("merge", "copy.sqlite", "{address}"),
    ):
        done = made.dnnbench(*words)
        assert done.returncode == exitcodes.OK, done.stderr
        assert made.leaks(done) == []
    return made


CASES = [
    (exitcodes.OK, ("run", *MEASURED, "--store", "{bare}", "--json")),
    (exitcodes.OK, ("run", "--resume", "first", "--store", "{address}", "--wait")),
    (REFUSED, ("run", *MEASURED, "--store", "{raw}")),
    (REFUSED, ("run", *MEASURED, "--store", "{keyword}")),
    (REFUSED, ("run", *MEASURED, "--store", "{no scheme}")),
    (REFUSED, ("run", *MEASURED, "--stoer", "{address}")),
    (exitcodes.OK, ("train", *OF_WORK, "--epochs", "1", "--store", "{address}")),
    (exitcodes.OK, ("report", "{address}", "--run", "first", "--json", "-o", "page.html")),
    (exitcodes.NOTHING_MEASURED, ("compare", "first", "first", "--store", "{address}")),
    (REFUSED, ("compare", "first", "--store", "{parameter}")),
    (exitcodes.OK, ("history", "--site", "public", "--store", "{address}")),
    (REFUSED, ("history", "{raw}", "--machine", "{address}", "--store", "{parameter}")),
    (exitcodes.OK, ("export", "first", "--format", "json", "--store", "{address}")),
    (exitcodes.OK, ("import", "old.json", "--store", "{address}", "--json")),
    (REFUSED, ("import", "{address}", "--store", "{parameter}")),
    (exitcodes.OK, ("merge", "copy.sqlite", "{address}", "--json")),
    (exitcodes.OK, ("merge", "{parameter}", "copy.sqlite")),
    (exitcodes.OK, ("machine", "label", "lab-3", "--store", "{address}")),
    (REFUSED, ("machine", "label", "lab-3", "--machine", "{address}", "--store", "{parameter}")),
    (exitcodes.OK, ("runs", "show", "first", "--store", "{address}")),
    (exitcodes.OK, ("runs", "list", "--store", "{parameter}", "--json")),
    (REFUSED, ("check", "{address}")),
    (REFUSED, ("check", *OF_WORK[:1], "--backend", "{raw}")),
    (REFUSED, ("conformance", "{address}")),
    (REFUSED, ("predict", "tiny.toml", "--weights", "{address}")),
    (REFUSED, ("export-model", "tiny.toml", "--weights", "{address}", "-o", "net.onnx")),
    (REFUSED, ("show", "{raw}")),
    (REFUSED, ("reproduce", "first", "{address}", "--store", "{parameter}", "-o", "cell.py")),
    (REFUSED, ("reproduce", "{raw}", "numpy", "--store", "{address}", "-o", "cell.py")),
    (REFUSED, ("list", "{address}")),
    (REFUSED, ("schema", "{raw}")),
    (REFUSED, ("doctor", "{parameter}")),
    (REFUSED, ("bisect", "--good", "{address}", "--bad", "HEAD", "--store", "{address}")),
    (exitcodes.OK, ("baseline", "save", "first", "--store", "{address}", "--json")),
    (REFUSED, ("baseline", "check", "{address}", "--store", "{parameter}")),
    (REFUSED, ("config", "{raw}")),
    (REFUSED, ("init", "{address}")),
    (REFUSED, ("envs", "remove", "{address}")),
    (REFUSED, ("{address}",)),
]


ANSWERED = [(code, words) for code, words in CASES if code != REFUSED]
REFUSALS = [words for code, words in CASES if code == REFUSED]


def _name(value) -> str:
    """The command and the forms of the address that it gets, of a case's words."""
    return (
        str(value)
        if isinstance(value, int)
        else " ".join([value[0], *(w for w in value[1:] if "{" in w)])
    )


@pytest.mark.parametrize(("code", "words"), ANSWERED, ids=_name)
def test_no_command_shows_or_keeps_the_password(place, code, words):
    done = place.dnnbench(*words)
    assert done.returncode == code, done.stderr
    assert place.leaks(done) == []


@pytest.mark.parametrize("words", REFUSALS, ids=_name)
def test_no_refusal_shows_or_keeps_the_password(place, monkeypatch, capsys, words):
    """In this process: a command line that is refused starts no other."""
    monkeypatch.chdir(place.folder)
    monkeypatch.setattr(tempfile, "tempdir", str(place.folder / "tmp"))
    for name, value in place.variables.items():
        monkeypatch.setenv(name, value)
    code = main(place.filled(words))
    done = subprocess.CompletedProcess(words, code, *capsys.readouterr())
    assert done.returncode == REFUSED, done.stderr
    assert place.leaks(done) == []


def test_a_gate_says_where_its_runs_are_without_the_password(place):
    fast = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--generations",
        "1",
        "--wait",
    )
    gate = ("gate", "tiny.toml", "--backend", f"numpy,numpy@{sys.executable}")
    done = place.dnnbench(*gate, *fast, "--store", "{address}", changes=FEW)
    assert f"@/{place.database}" in done.stderr
    assert place.leaks(done) == []


def test_every_command_is_among_them():
    assert {words[0] for _, words in CASES} | {"gate"} >= set(COMMANDS)


@pytest.mark.parametrize(
    "options", [("--store", "{address}"), ("--store", "{parameter}", "-v")], ids=["kept", "printed"]
)
def test_a_traceback_shows_no_password(place, options):
    done = place.dnnbench("export", "first", *options, changes=BROKEN)
    assert "lost on the way to" in done.stderr
    assert ("the traceback is in" in done.stderr) == ("-v" not in options)
    assert place.leaks(done) == []


def test_the_password_need_not_be_given(place):
    """As the documents advise."""
    entry = "".join(f"\\{letter}" if letter in ":\\" else letter for letter in SECRET)
    known = place.folder.parent / ".pgpass"
    known.write_text(f"*:*:*:{GUARDED}:{entry}\n")
    known.chmod(0o600)
    done = place.dnnbench(
        "export", "first", "--store", "{bare}", HOME=str(known.parent), PGPASSWORD=""
    )
    assert done.returncode == exitcodes.OK, done.stderr


def test_the_server_asks_for_it(place):
    done = place.dnnbench("export", "first", "--store", "{bare}", PGPASSWORD="")
    assert done.returncode == REFUSED
    assert "password" in done.stderr


@pytest.mark.parametrize("where", ["a file", "a name", "stdout", "database"])
def test_the_search_finds_what_it_looks_for(make_place, where):
    made = make_place()
    done = subprocess.CompletedProcess((), 0, MARKS[0] if where == "stdout" else "", "")
    if where == "a file":
        (made.folder / "tmp" / "log").write_text(MARKS[1])
    if where == "a name":
        (made.folder / MARKS[0]).mkdir()
    if where == "database":
        with made.administered() as connection:
            connection.execute(text(f"CREATE TABLE notes AS SELECT '{MARKS[0]}'::text AS note"))
    assert len(made.leaks(done)) == 1
