"""Machines of a store: named anew when an older one is opened, labelled, merged."""

import json
import sqlite3
from contextlib import closing

import pytest
from dnnbench.cli.main import main
from dnnbench.store.frames import records
from dnnbench.store.identity import IDENTITY, machine_id
from dnnbench.store.merge import merge
from dnnbench.store.store import open_store
from helpers import storing

KNOWN = {name: f"its {name}" for name in IDENTITY} | {
    "cpu_model": "A 9000",
    "physical_cores": 2,
    "memory_gib": 7,
}
ROWS = {
    "aaaa": KNOWN | {"cpu_level": "v3"},
    "bbbb": KNOWN | {"cpu_level": "v4"},  # a library came to call the same processor something else
    "cccc": KNOWN | {"memory_gib": 15},
    "dddd": {
        name: value for name, value in KNOWN.items() if name != "caches"
    },  # before that fact was known
}


@pytest.fixture
def old(tmp_path):
    """A store of schema version 4 with a run on each machine of ROWS, in their order."""
    path = tmp_path / "old.sqlite"
    with open_store(path) as store:
        for place, machine in enumerate(ROWS):
            storing.add_run(store, f"r{place}", machine=machine)
    with closing(sqlite3.connect(path)) as raw, raw:
        for machine, hardware in ROWS.items():
            raw.execute(
                "UPDATE machine SET facts = ? WHERE machine_id = ?",
                [json.dumps({"hardware": hardware}), machine],
            )
        raw.execute("UPDATE machine SET label = 'lab' WHERE machine_id = 'aaaa'")
        for statement in storing.TO_VERSION_4:
            raw.execute(statement)
        raw.execute("UPDATE dnnbench_schema SET version = 4")
    return path


def machines(path):
    with open_store(path) as store:
        return {row["machine_id"]: row for row in records(store.machines())}


def test_rows_that_are_one_machine_become_one_with_their_old_ids_as_aliases(old):
    row = machines(old)[machine_id(KNOWN, "c0ffee")]
    assert row["aliases"] == ["aaaa", "bbbb"]
    assert row["identity_version"] == 2
    assert (row["facts"]["hardware"]["cpu_level"], row["machine_label"]) == ("v4", "lab"), (
        "found last, and given last"
    )


def test_a_row_without_a_fact_is_merged_by_no_guess(old):
    row = machines(old)["dddd"]
    assert (row["identity_version"], row["aliases"]) == (1, [])
    assert row["machine_class"] == "A 9000, 2 cores, 7 GiB"


def test_each_run_keeps_its_machine(old):
    with open_store(old) as store:
        found = dict(zip(store.runs()["run_id"], store.runs()["machine_id"], strict=True))
    one, other = machine_id(KNOWN, ""), machine_id(ROWS["cccc"], "")
    assert found == {"r0": one, "r1": one, "r2": other, "r3": "dddd"}


def test_two_copies_of_an_old_store_are_named_alike(old, tmp_path):
    (tmp_path / "copy.sqlite").write_bytes(old.read_bytes())
    with open_store(old) as store, open_store(tmp_path / "copy.sqlite") as copy:
        assert set(merge(store, copy).values()) == {0}


def test_the_next_run_does_not_take_a_label_away(store):
    storing.add_run(store, "r1")
    store.label_machine("m1", "lab")
    storing.add_run(store, "r2")
    assert store.runs()["machine_label"].tolist() == ["lab", "lab"]


def test_a_label_that_one_side_has_is_merged(tmp_path):
    with open_store(tmp_path / "a.sqlite") as one, open_store(tmp_path / "b.sqlite") as two:
        for place, store in enumerate((one, two)):
            storing.add_run(store, f"r{place}")
        two.label_machine("m1", "lab")
        merge(one, two)
        assert one.machines()["machine_label"].tolist() == ["lab"]


def test_the_older_ids_of_a_machine_that_both_sides_hold_are_merged(old, tmp_path):
    name = machine_id(KNOWN, "")
    with open_store(tmp_path / "new.sqlite") as new, open_store(old) as other:
        storing.add_run(new, "r9", machine=name)
        merge(new, other)
    assert machines(tmp_path / "new.sqlite")[name]["aliases"] == ["aaaa", "bbbb"]


def call(store, *words):
    return main(["machine", *words, "--store", store.place])


def test_this_machine_is_labelled(store):
    assert call(store, "label", "lab-3") == 0
    assert store.machines()["machine_label"].tolist() == ["lab-3"]


def test_another_machine_is_labelled_by_the_beginning_of_its_id(store, capsys):
    storing.add_run(store, "r1")
    assert call(store, "label", "lab-3", "--machine", "m") == 0
    assert call(store, "list", "--json") == 0
    (row,) = json.loads(capsys.readouterr().out)["machines"]
    assert (row["machine_id"], row["machine_label"], row["runs"]) == ("m1", "lab-3", 1)


@pytest.mark.parametrize(
    ("words", "says"),
    [(("label", " "), "printable characters"), (("label", "x", "--machine", "zz"), "it has m1")],
)
def test_a_label_that_cannot_be_given_is_refused(store, capsys, words, says):
    storing.add_run(store, "r1")
    assert call(store, *words) == 2
    assert says in capsys.readouterr().err
