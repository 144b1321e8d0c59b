"""Text, tables and made sequences: what is fed, what is asked, and what is refused."""

import hashlib

import numpy as np
import pytest
from dnnbench.data import python_source
from dnnbench.data.dataset import load
from dnnbench.data.hidden import hidden_positions
from dnnbench.data.python_source import MASK, library
from dnnbench.errors import DataError
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Npz, PythonSource, Reordered, Synthetic, Table
from dnnbench.spec.losses import BceWithLogits
from dnnbench.spec.workload import Task, Workload
from helpers.data_networks import EVERY, IGNORED, T, flat, language


def translator(data, names=("source", "target"), vocabulary=9):
    net = Builder("translator")
    tables = [
        net.embedding(net.input(n, (5,), "int32"), vocabulary=vocabulary, features=4) for n in names
    ]
    return Workload(
        name="t",
        model=net.build(net.dense(net.add(*tables), units=vocabulary)),
        task=Task(data=data),
    )


def text_of(rows):
    return [bytes(row.astype(np.uint8).tolist()) for row in rows]


def test_next_form_asks_for_the_same_text_one_byte_on():
    data = load(language(PythonSource(examples=500)))
    x, y = data.x_train["tokens"], data.y_train
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((500, T), np.int32, (500, T), np.int32)
    assert len(data.y_test) == 50
    np.testing.assert_array_equal(x[:, 1:], y[:, :-1])
    source = b"".join(path.read_bytes() for path in library())
    pieces = [a + bytes([b]) for a, b in zip(text_of(x), y[:, -1], strict=True)]
    assert all(b"\n" + piece in source for piece in pieces[::25]), "pieces begin where lines begin"


def test_whole_files_are_kept_for_the_test(tmp_path, monkeypatch):
    files = [tmp_path / f"{letter}.py" for letter in "abcdefghijklmnopqrst"]
    for path in files:
        path.write_text(f"{path.stem * 19}\n" * 50)
    monkeypatch.setattr(python_source, "library", lambda: files)
    data = load(language(PythonSource(examples=900, test_fraction=0.2), length=10))
    train_letters, test_letters = (
        set(np.unique(x["tokens"])) - {10} for x in (data.x_train, data.x_test)
    )
    assert len(test_letters) == 4
    assert train_letters | test_letters == set(b"abcdefghijklmnopqrst")
    assert not train_letters & test_letters
    assert len(data.y_test) == 180


def test_text_is_named_by_the_sha256_of_its_files():
    data = load(language(PythonSource(examples=10)))
    assert (
        data.facts["sha256"]
        == hashlib.sha256(b"".join(p.read_bytes() for p in library())).hexdigest()
    )
    assert f"{len(library())} files" in data.facts["source"]
    assert load(flat(data=Table(name="wine"))).facts == {}


def test_two_reads_give_the_same_text_and_another_split_seed_gives_another():
    first, again, other = (
        load(language(PythonSource(examples=50, split_seed=seed))) for seed in (0, 0, 1)
    )
    np.testing.assert_array_equal(first.x_train["tokens"], again.x_train["tokens"])
    assert not np.array_equal(first.x_train["tokens"], other.x_train["tokens"])


def test_masked_form_hides_15_percent_of_whole_lines_whose_bytes_are_the_labels():
    data = load(language(PythonSource(form="masked", examples=400), tuple(EVERY), ignored=IGNORED))
    x, y = data.x_train, data.y_train
    hidden, seen = y != IGNORED, x["mask"]
    np.testing.assert_array_equal(x["tokens"] == MASK, hidden)
    np.testing.assert_array_equal(
        hidden.sum(axis=1), np.maximum(np.rint(0.15 * seen.sum(axis=1)), 1)
    )
    assert hidden.sum(axis=1).min() >= 1
    assert not (hidden & ~seen).any()
    text = np.where(hidden, y, x["tokens"])
    assert text.max() < 256
    assert set(text[~seen]) == {0}
    ends = [row[kept][-1] for row, kept in zip(text, seen, strict=True)]
    assert 0 < seen.sum(axis=1).min() < seen.sum(axis=1).max() == T
    assert {end for end, kept in zip(ends, seen, strict=True) if not kept.all()} == {ord("\n")}


def test_segments_tell_the_first_line_from_later_ones():
    data = load(language(PythonSource(form="masked", examples=400), tuple(EVERY), ignored=IGNORED))
    x = data.x_train
    text = np.where(data.y_train != IGNORED, data.y_train, x["tokens"])
    for row, segments, seen in zip(text, x["segments"], x["mask"], strict=True):
        before = np.concatenate([[0], np.cumsum(row == ord("\n"))[:-1]])
        np.testing.assert_array_equal(segments, (before > 0) & seen)
    assert set(np.unique(x["segments"])) == {0, 1}


@pytest.mark.parametrize(
    "width, lengths, wanted", [(20, [20, 10, 1], [3, 2, 1]), (7, [7, 3], [1, 1])]
)
def test_hidden_positions_are_a_share_and_one_at_least(width, lengths, wanted):
    hidden = hidden_positions(0, "x", np.array(lengths), width)
    assert hidden.sum(axis=1).tolist() == wanted
    assert not (hidden & (np.arange(width) >= np.array(lengths)[:, None])).any()


def test_every_position_is_hidden_equally_often():
    hidden = hidden_positions(5, "x", np.full(4000, 20), 20).sum(axis=0)
    assert np.abs(hidden - 600).max() < 5 * np.sqrt(4000 * 0.15 * 0.85)


BAD_TEXT = {
    "another input": (
        lambda: language(PythonSource(), ("words",)),
        "feeds tokens, segments and mask",
    ),
    "two lengths": (
        lambda: translator(PythonSource(), ("tokens", "words")),
        "reads tokens [5], words [5]",
    ),
    "mask without its form": (
        lambda: language(PythonSource(), ("tokens", "mask")),
        "gives no mask in its form 'next'",
    ),
    "every label counts": (
        lambda: language(PythonSource(form="masked"), tuple(EVERY)),
        "loss cross_entropy counts every label; use cross_entropy with ignored = -1",
    ),
    "table too small": (
        lambda: language(PythonSource(examples=50), vocabulary=100),
        "python_source: x_train, input 'tokens': got ids",
    ),
    "no room for the mask's id": (
        lambda: language(PythonSource(form="masked"), tuple(EVERY), 256, IGNORED),
        "expected 0 to 255 for a table of 256 rows; renumber the ids or enlarge the table",
    ),
    "longer than the library": (
        lambda: language(PythonSource(), length=10**8),
        "read fewer tokens",
    ),
    "seq2seq inputs": (
        lambda: translator(Reordered(), ("tokens", "target")),
        "feeds source and target of one length",
    ),
    "two ids": (lambda: translator(Reordered(), vocabulary=2), "ids 1 to 1 make no order"),
    "table for two inputs": (
        lambda: translator(Table(name="wine")),
        "data 'table' feeds one input",
    ),
    "columns": (
        lambda: flat(features=12, data=Table(name="wine")),
        "got shape (142, 13), expected (n, 12)",
    ),
}


@pytest.mark.parametrize("make, message", BAD_TEXT.values(), ids=BAD_TEXT)
def test_networks_that_cannot_read_the_data(make, message):
    with pytest.raises(DataError) as caught:
        load(make())
    assert message in str(caught.value)


def test_reordered_answers_are_right_and_read_one_step_late():
    for order, answer in (
        ("reversed", lambda s: s[:, ::-1]),
        ("sorted", lambda s: np.sort(s, axis=1)),
    ):
        data = load(translator(Reordered(order=order, examples=300)))
        for x, y in ((data.x_train, data.y_train), (data.x_test, data.y_test)):
            np.testing.assert_array_equal(y, answer(x["source"]))
            np.testing.assert_array_equal(x["target"][:, 1:], y[:, :-1])
            assert set(x["target"][:, 0]) == {0}
        assert set(np.unique(data.y_train)) == set(range(1, 9))
        assert len(data.y_test) == 60


def test_synthetic_ids_fill_their_tables_and_masks_are_prefixes():
    made = language(Synthetic(examples=600), tuple(EVERY), vocabulary=11, ignored=IGNORED)
    data = load(made)
    x = data.x_train
    assert set(np.unique(x["tokens"])) == set(range(11))
    lengths = x["mask"].sum(axis=1)
    np.testing.assert_array_equal(x["mask"], np.arange(T) < lengths[:, None])
    assert set(lengths) == set(range(1, T + 1))
    assert ((data.y_train != IGNORED).sum(axis=1) == round(0.15 * T)).all()
    assert set(np.unique(data.y_train)) == {IGNORED, *range(11)}


def test_synthetic_ids_keep_to_the_smallest_of_two_tables():
    net = Builder("two")
    ids = net.input("ids", (), "int32")
    rows = net.concat(*(net.embedding(ids, vocabulary=size, features=2) for size in (9, 4)))
    made = Workload(
        name="two",
        model=net.build(net.dense(rows, units=2)),
        task=Task(data=Synthetic(examples=300)),
    )
    assert set(load(made).x_train["ids"]) == {0, 1, 2, 3}


def test_synthetic_answers_to_yes_or_no_are_yes_or_no():
    data = load(flat(2, BceWithLogits(), 4, Synthetic(examples=400)))
    assert set(np.unique(data.y_train)) == {0.0, 1.0}
    assert abs(data.y_train.mean() - 0.5) < 0.1
    assert data.y_train.dtype == np.float32


def stored(path, workload, **changes):
    data = load(workload)
    parts = {"y_train": data.y_train, "y_test": data.y_test}
    parts |= {f"x_train.{name}": array for name, array in data.x_train.items()}
    parts |= {f"x_test.{name}": array for name, array in data.x_test.items()}
    np.savez(path, **(parts | {key: change(parts[key].copy()) for key, change in changes.items()}))
    return Npz(path=str(path))


def put(*place, value):
    def change(array):
        array[place] = value
        return array

    return change


BAD_VALUES = {
    "id too high": (
        {"x_test.tokens": put(1, 2, value=11)},
        "x_test, input 'tokens': got ids 0 to 11, expected 0 to 10",
    ),
    "id below zero": (
        {"x_train.segments": put(0, 0, value=-3)},
        "x_train, input 'segments': got ids -3 to",
    ),
    "nothing to look at": (
        {"x_train.mask": put(3, value=False)},
        "x_train, input 'mask': row 3 leaves no key to query 0",
    ),
    "label too high": ({"y_train": put(0, 0, value=11)}, "y_train: got labels 0 to 11"),
    "another negative label": ({"y_train": put(0, 0, value=-2)}, "y_train: got labels -2 to 10"),
    "no label counts": (
        {"y_test": put(4, value=IGNORED)},
        "y_test: all labels of example 4 are -1, which is ignored",
    ),
}


@pytest.mark.parametrize("changes, message", BAD_VALUES.values(), ids=BAD_VALUES)
def test_values_that_a_network_cannot_take(tmp_path, changes, message):
    made = language(Synthetic(examples=100), tuple(EVERY), vocabulary=11, ignored=IGNORED)
    source = stored(tmp_path / "own.npz", made, **changes)
    with pytest.raises(DataError) as caught:
        load(made.model_copy(update={"task": made.task.model_copy(update={"data": source})}))
    assert message in str(caught.value)


def test_ones_own_sequences_with_ignored_labels_are_taken(tmp_path):
    made = language(Synthetic(examples=100), tuple(EVERY), vocabulary=11, ignored=IGNORED)
    source = stored(tmp_path / "own.npz", made)
    again = load(made.model_copy(update={"task": made.task.model_copy(update={"data": source})}))
    np.testing.assert_array_equal(again.y_train, load(made).y_train)


def test_targets_outside_yes_and_no_are_refused(tmp_path):
    path = tmp_path / "own.npz"
    x, y = np.ones((4, 3)), np.array([0, 1, 0.5, 1.5])
    np.savez(path, x_train=x, x_test=x, y_train=y, y_test=np.zeros(4))
    with pytest.raises(
        DataError, match=r"y_train: got targets 0.0 to 1.5, expected 0 \(no\) to 1 \(yes\)"
    ):
        load(flat(1, BceWithLogits(), 3, Npz(path=str(path))))
