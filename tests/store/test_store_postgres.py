"""The same store on a real PostgreSQL server, started for these tests in a folder of its own."""

import json
from contextlib import contextmanager

import pytest
from dnnbench.errors import StoreError
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from helpers import storing
from sqlalchemy import create_engine, text

pytestmark = pytest.mark.postgres


@pytest.mark.parametrize("encoding", ["UTF8", "SQL_ASCII"])
def test_samples_come_back_bit_for_bit(new_database, encoding):
    with open_store(new_database(encoding)) as store:
        storing.assert_round_trip(store)


def test_a_store_opens_again_with_all_that_was_written(new_database):
    address = new_database()
    with open_store(address) as store:
        storing.add_everything(store, "r1", label="night")
        written = storing.contents(store)
    with open_store(address.replace("postgresql", "postgres")) as store:
        assert storing.contents(store) == written
        assert store.find_run("night") == "r1"


def test_two_servers_merge(new_database):
    with open_store(new_database()) as target, open_store(new_database()) as source:
        storing.assert_merges(target, source)


@pytest.mark.parametrize("sqlite_first", [True, False])
def test_a_file_and_a_server_merge(new_database, tmp_path, sqlite_first):
    places = [tmp_path / "local.sqlite", new_database()]
    first, second = places if sqlite_first else reversed(places)
    with open_store(first) as target, open_store(second) as source:
        storing.assert_merges(target, source)


def test_a_run_that_went_on_replaces_its_older_copy(new_database, tmp_path):
    with open_store(new_database()) as team, open_store(tmp_path / "local.sqlite") as local:
        cells = storing.add_run(local, "r1")
        merge(team, local)
        storing.measure(local, "r1", cells, 0)
        local.finish_run("r1", "complete")
        assert merge(team, local)["generation"] == 1
        assert storing.contents(team) == storing.contents(local)


def test_many_may_open_a_new_store_at_once(new_database):
    address = new_database()
    storing.at_once(lambda place: open_store(address).close())


def test_several_runs_may_write_at_once(new_database):
    address = new_database()
    storing.at_once(lambda place: storing.add_everything_at(address, place), count=4)
    with open_store(address) as store:
        assert store.generations().groupby("run_id").size().tolist() == [2] * 4


@pytest.mark.parametrize(
    ("write", "said"),
    [
        (lambda store: store.add_generation("r1", 0, {}, {}), "there already"),
        (
            lambda store: store.add_generation("r1", 9, {}, {"x": storing.visits(0)}),
            "has to be added first",
        ),
    ],
)
def test_a_refused_write_leaves_nothing(new_database, write, said):
    with open_store(new_database()) as store:
        storing.add_everything(store, "r1")
        before = storing.contents(store)
        with pytest.raises(StoreError, match=said):
            write(store)
        assert storing.contents(store) == before


def test_an_older_stores_passwords_are_masked_where_they_stand(new_database):
    address = new_database()
    marked = "postgresql://me:M4RK@host/x"
    with open_store(address) as store:
        storing.add_everything(store, "r1")
    with _raw(address) as connection:
        for statement in storing.TO_VERSION_3:
            connection.execute(text(statement))
        connection.execute(text("UPDATE dnnbench_schema SET version = 2"))
        connection.execute(
            text("UPDATE run SET command = :c"), {"c": json.dumps(["dnnbench", "--store", marked])}
        )
        connection.execute(
            text("UPDATE run SET settings = :s"), {"s": json.dumps({"notes": [marked]})}
        )
        connection.execute(text("UPDATE cell SET reason = :r"), {"r": f"lost {marked}"})
    with open_store(address) as store:
        assert store.runs()["command"].item() == [
            "dnnbench",
            "--store",
            "postgresql://me:***@host/x",
        ]
    with _raw(address) as connection:
        rows = connection.execute(
            text("SELECT command::text, settings::text, reason FROM run JOIN cell USING (run_id)")
        )
        assert "M4RK" not in repr(rows.all())


@contextmanager
def _raw(address):
    engine = create_engine(address.replace("postgresql", "postgresql+psycopg", 1))
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_texts_that_postgresql_cannot_hold_are_replaced(new_database):
    with open_store(new_database()) as store:
        storing.add_run(store, "r1", settings={"argv": "a\0b\udcff"})
        assert store.runs()["settings"].item() == {"argv": "a\N{REPLACEMENT CHARACTER}b?"}


def test_a_database_of_something_else_is_refused(new_database):
    address = new_database()
    with _raw(address) as connection:
        connection.execute(text("CREATE TABLE customer (id INT)"))
    with pytest.raises(StoreError, match=r"other tables \(customer\)"):
        open_store(address)


def test_a_database_that_is_not_there_is_named(server):
    with pytest.raises(StoreError, match='database "nowhere" does not exist'):
        open_store(f"postgresql://tester:secret@/nowhere?host={server}")
