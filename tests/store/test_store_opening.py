"""What cannot be opened as a store, and what its user is told."""

import os
import sqlite3
import tempfile
import traceback
from contextlib import contextmanager
from pathlib import Path

import pytest
from dnnbench.errors import StoreError
from dnnbench.store.store import open_store
from helpers import storing

NOBODY = 65534


def _text_file(folder):
    path = folder / "notes.txt"
    path.write_text("not a database at all, but a text that is longer than a header " * 10)
    return path


def _other_database(folder):
    with sqlite3.connect(folder / "bookmarks.sqlite") as connection:
        connection.execute("CREATE TABLE bookmark (url TEXT)")
    return folder / "bookmarks.sqlite"


def _damaged(folder):
    with open_store(folder / "damaged.sqlite") as store:
        storing.add_everything(store, "r1")
    whole = (folder / "damaged.sqlite").read_bytes()
    (folder / "damaged.sqlite").write_bytes(whole[:100] + b"\xff" * 8000 + whole[8100:])
    return folder / "damaged.sqlite"


BAD_TARGETS = {
    "folder": (lambda folder: folder, "name a file in it"),
    "text file": (_text_file, "something else than SQLite"),
    "other database": (_other_database, "other tables (bookmark)"),
    "damaged": (_damaged, "damaged"),
    "below a file": (lambda folder: _text_file(folder) / "a" / "b.sqlite", "Not a directory"),
    "no server": (
        lambda _: "postgresql://me:hush7@127.0.0.1:1/none?connect_timeout=2",
        "check that it runs",
    ),
    "other kind": (lambda _: "mysql://localhost/x", "got a mysql database"),
    "nonsense": (lambda _: "http:///x:y:z@", "got a http database"),
    "bad port": (lambda _: "postgresql://me:hush7@host:port/x", "expected a path"),
    "an @ in the password": (lambda _: "postgresql://me:x@hush7@host/x", "write %40"),
    "an @ and a slash in the password": (lambda _: "postgresql://me:x@y/hush7@host/x", "write %40"),
    "an @ and a question mark in the password": (
        lambda _: "postgresql://me:x@y?hush7@host/x",
        "write %40",
    ),
    "keyword form": (
        lambda _: "host=localhost user=me password=hush7 dbname=x",
        "write postgresql://USER@HOST",
    ),
    "keyword form without a password": (
        lambda _: "host=localhost dbname=x",
        "write postgresql://USER@HOST",
    ),
    "no scheme": (lambda _: "me:hush7@host/x", "./ before a file's name"),
    "no colon in the scheme": (lambda _: "postgresql//me:hush7@host/x", "without its scheme"),
    "slashes alone": (lambda _: "//me:hush7@host/x", "without its scheme"),
    "one slash": (lambda _: "postgres:/me:hush7@host/x", "without its scheme"),
    "password as a parameter": (
        lambda _: "postgresql://me@127.0.0.1:1/none?connect_timeout=2&password=hush7",
        "store postgresql://me@127.0.0.1:1/none?connect_timeout=2&password=***: ",
    ),
    "missing driver": (lambda _: "postgresql+nodriver://host/x", "postgresql://USER@HOST"),
}


@pytest.mark.parametrize("case", BAD_TARGETS)
def test_bad_targets_say_what_to_do(tmp_path, monkeypatch, case):
    monkeypatch.chdir(tmp_path)
    make, said = BAD_TARGETS[case]
    with pytest.raises(StoreError) as refusal:
        open_store(make(tmp_path))
    assert said in str(refusal.value)
    assert str(refusal.value).startswith("store")
    assert "hush7" not in "".join(traceback.format_exception(refusal.value))
    assert not [path for path in tmp_path.rglob("*") if "hush7" in str(path)]


@contextmanager
def as_common_user():
    """Root may write to any folder, so a test of permissions is somebody else for its time."""
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        if was_root:
            os.seteuid(0)


@pytest.mark.parametrize(
    ("mode", "said"), [(0o555, "a folder that you may write to"), (0o000, "Permission denied")]
)
def test_a_folder_without_permission_says_what_to_do(mode, said):
    with tempfile.TemporaryDirectory() as parent:
        os.chmod(parent, 0o755)
        folder = Path(parent) / "closed"
        folder.mkdir(mode)
        with as_common_user(), pytest.raises(StoreError) as refusal:
            open_store(folder / "x.sqlite")
    assert said in str(refusal.value)


def test_a_missing_file_is_made_only_when_asked(tmp_path):
    path = tmp_path / "folder" / "new.sqlite"
    with pytest.raises(StoreError, match="no such file"):
        open_store(path, create=False)
    assert not path.parent.exists()
    open_store(path).close()
    open_store(path, create=False).close()
    open_store(f"sqlite:///{path}", create=False).close()
