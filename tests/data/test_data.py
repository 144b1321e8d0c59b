"""Reading data, fitting it to a network, and the order it comes in: real files of every kind."""

import gzip
import struct

import numpy as np
import pytest
from dnnbench.data.dataset import load
from dnnbench.data.idx import read_idx
from dnnbench.errors import DataError
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Digits, Idx, Npz, Synthetic
from dnnbench.spec.losses import Mse
from dnnbench.spec.workload import Task, Workload
from helpers.data_files import arrays, checksum, workload
from sklearn.datasets import load_digits


def idx_bytes(array, code=0x08):
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def write_mnist(folder, zipped, n=5, tests=3):
    folder.mkdir()
    draw = np.random.default_rng(0)
    for part, count in (("train", n), ("t10k", tests)):
        images = draw.integers(0, 256, (count, 8, 8), np.uint8)
        labels = (np.arange(count) % 10).astype(np.uint8)
        for stem, array in (
            (f"{part}-images-idx3-ubyte", images),
            (f"{part}-labels-idx1-ubyte", labels),
        ):
            content = idx_bytes(array)
            path = folder / (stem + (".gz" if zipped else ""))
            path.write_bytes(gzip.compress(content, mtime=0) if zipped else content)
    return folder


def test_data_that_a_task_has_without_naming_them_say_what_fits():
    with pytest.raises(DataError) as caught:
        load(workload(Task().data, (64, 6)))
    assert str(caught.value) == (
        "digits: x_train, input 'image': got shape (1438, 8, 8, 1), expected (n, 64, 6); "
        "reshape or transpose it; or give the network's task other data than 'digits', which it "
        "has: data=Synthetic() fits any network, --data PATH takes yours"
    )


def test_a_users_own_data_are_not_answered_with_others(tmp_path):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays())
    with pytest.raises(DataError) as caught:
        load(workload(Npz(path=str(path)), (64, 6)))
    assert "Synthetic" not in str(caught.value)


@pytest.mark.parametrize("shape", [(64,), (8, 8, 1), (1, 8, 8)])
def test_digits_take_the_shape_of_the_input(shape):
    data = load(workload(Digits(), shape))
    x, y = data.x_train["image"], data.y_train
    assert (x.shape, x.dtype, y.shape, y.dtype) == ((1438, *shape), np.float32, (1438,), np.int32)
    assert len(data.x_test["image"]) == len(data.y_test) == 359
    assert (x.min(), x.max()) == (0.0, 1.0)


def test_digits_split_is_stratified_and_loses_no_image():
    data = load(workload(Digits()))
    train, test = np.bincount(data.y_train), np.bincount(data.y_test)
    assert np.abs(test - 0.2 * (train + test)).max() <= 0.5
    pixels, labels = load_digits(return_X_y=True)
    mine = np.column_stack(
        [
            np.vstack([data.x_train["image"], data.x_test["image"]]) * 16,
            np.concatenate([data.y_train, data.y_test]),
        ]
    )
    theirs = np.column_stack([pixels, labels])
    np.testing.assert_array_equal(mine[np.lexsort(mine.T)], theirs[np.lexsort(theirs.T)])


def test_digits_split_is_the_same_everywhere_and_follows_its_seed():
    data = load(workload(Digits()))
    every = (data.x_train["image"], data.y_train, data.x_test["image"], data.y_test)
    assert checksum(*every) == "2f456570cd681481"
    assert not np.array_equal(load(workload(Digits(split_seed=1))).y_test, data.y_test)


@pytest.mark.parametrize("fraction, smallest", [(0.001, 10), (0.999, 1787)])
def test_no_class_is_left_out_of_either_part(fraction, smallest):
    data = load(workload(Digits(test_fraction=fraction)))
    assert len(data.y_test) == smallest
    assert set(data.y_train) == set(data.y_test) == set(range(10))


@pytest.mark.parametrize("zipped", [False, True])
def test_idx_folder(tmp_path, zipped):
    folder = write_mnist(tmp_path / "mnist", zipped)
    for data in (
        load(workload(Idx(path=str(folder)), (8, 8, 1))),
        load(workload(Digits(), (8, 8, 1)), folder),
    ):
        raw = np.random.default_rng(0).integers(0, 256, (5, 8, 8), np.uint8)
        np.testing.assert_array_equal(data.x_train["image"][..., 0], (raw / 255).astype(np.float32))
        assert data.y_train.tolist() == [0, 1, 2, 3, 4]
        assert data.x_test["image"].shape == (3, 8, 8, 1)


@pytest.mark.parametrize(
    "code, dtype", [(8, ">u1"), (9, ">i1"), (11, ">i2"), (12, ">i4"), (13, ">f4"), (14, ">f8")]
)
def test_idx_elements_of_every_type(tmp_path, code, dtype):
    path = tmp_path / "x"
    array = np.array([[1, 2, 3], [-4, 5, 100]]).astype(dtype)
    path.write_bytes(idx_bytes(array, code))
    np.testing.assert_array_equal(read_idx(path), array)


BAD_IDX = {
    "empty": (b"", "begins with nothing"),
    "text": (b"hello world", "begins with 68 65 6c 6c"),
    "bad type": (bytes([0, 0, 7, 1, 0, 0, 0, 1, 5]), "begins with 00 00 07 01"),
    "truncated data": (
        idx_bytes(np.zeros((4, 3), np.uint8))[:-1],
        "got 23 bytes, its header (4, 3) wants 24",
    ),
    "truncated header": (bytes([0, 0, 8, 3, 0, 0]), "got 6 bytes"),
    "trailing bytes": (idx_bytes(np.zeros(3, np.uint8)) + b"x", "got 12 bytes"),
    "absurd size": (bytes([0, 0, 14, 4]) + b"\xff" * 16, "got 20 bytes"),
}


@pytest.mark.parametrize("content, message", BAD_IDX.values(), ids=BAD_IDX)
def test_bad_idx_file(tmp_path, content, message):
    path = tmp_path / "train-images-idx3-ubyte"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        read_idx(path)
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize(
    "content",
    [
        b"not gzip",
        gzip.compress(idx_bytes(np.zeros((3, 9), np.uint8)), mtime=0)[:-12],
        gzip.compress(idx_bytes(np.zeros((3, 9), np.uint8)), mtime=0)[:-8] + b"zzzzzzzz",
    ],
)
def test_bad_gzip(tmp_path, content):
    path = tmp_path / "x.gz"
    path.write_bytes(content)
    with pytest.raises(DataError, match="cannot be read"):
        read_idx(path)


def test_idx_folder_that_misses_a_file_names_it(tmp_path):
    folder = write_mnist(tmp_path / "mnist", zipped=True)
    (folder / "t10k-labels-idx1-ubyte.gz").unlink()
    with pytest.raises(DataError, match="has no 't10k-labels-idx1-ubyte'"):
        load(workload(Idx(path=str(folder))))


@pytest.mark.parametrize(
    "stored, wanted", [((64,), (8, 8, 1)), ((8, 8), (8, 8, 1)), ((1, 8, 8), (64,))]
)
def test_npz_in_any_shape_of_the_same_pixels(tmp_path, stored, wanted):
    path = tmp_path / "mine.npz"
    np.savez(path, **arrays(shape=stored))
    for data in (
        load(workload(Npz(path=str(path)), wanted)),
        load(workload(Digits(), wanted), path),
    ):
        assert data.x_train["image"].shape == (6, *wanted)
        np.testing.assert_array_equal(
            data.x_train["image"].ravel(), arrays()["x_train"].astype(np.float32).ravel()
        )


def test_npz_of_several_inputs(tmp_path):
    net = Builder("two")
    a, b = net.input("a", (3,)), net.input("b", (3,))
    model = net.build(net.dense(net.add(a, b), units=10))
    path = tmp_path / "two.npz"
    x = np.arange(12.0).reshape(4, 3)
    y = np.array([0, 1, 2, 9])
    np.savez(
        path,
        y_train=y,
        y_test=y[:2],
        **{"x_train.a": x, "x_train.b": -x, "x_test.a": x[:2], "x_test.b": x[:2]},
    )
    data = load(Workload(name="two", model=model, task=Task(data=Npz(path=str(path)))))
    np.testing.assert_array_equal(data.x_train["a"], -data.x_train["b"])


def test_npz_for_a_regression(tmp_path):
    path = tmp_path / "r.npz"
    np.savez(path, **arrays(y_train=np.ones((6, 3)), y_test=np.ones((2, 3))))
    data = load(workload(Npz(path=str(path)), units=3, loss=Mse(), metric="loss"))
    assert (data.y_train.shape, data.y_train.dtype) == ((6, 3), np.float32)


BAD_ARRAYS = {
    "missing array": (
        {"y_test": None},
        "has no array 'y_test' (it holds x_test, x_train, y_train)",
    ),
    "pickled objects": (
        {"x_train": np.array([{}, [], ()], object)},
        "array 'x_train' cannot be read",
    ),
    "text": ({"x_train": np.full((6, 64), "a")}, "got elements of type <U1"),
    "complex": ({"x_train": np.ones((6, 64), complex)}, "got elements of type complex128"),
    "wrong size": ({"x_train": np.ones((6, 63))}, "got shape (6, 63), expected (n, 64)"),
    "a single number": ({"x_train": np.float64(3)}, "got shape (), expected (n, 64)"),
    "NaN": ({"x_train": np.full((6, 64), np.nan)}, "got NaN"),
    "beyond float32": ({"x_train": np.full((6, 64), 1e39)}, "too large for float32"),
    "lengths differ": ({"y_train": np.zeros(5)}, "6 examples of input 'image' but 5 targets"),
    "no test example": (
        {"x_test": np.ones((0, 64)), "y_test": np.ones(0)},
        "test part has no example",
    ),
    "label too high": (
        {"y_test": np.array([0, 10])},
        "got labels 0 to 10, expected 0 to 9 for a network of 10 classes; "
        "renumber the labels or widen the last layer",
    ),
    "labels from 1 on": ({"y_test": np.array([1, 10])}, "classes; they count from 1: subtract 1"),
    "several labels too high": (
        {"y_test": np.array([11, 12])},
        "classes; renumber the labels or widen the last layer",
    ),
    "label of what does not count": (
        {"y_test": np.array([0, 255])},
        "classes; if 255 marks what does not count, give the loss ignored = -1, "
        "and write -1 for it: y[y == 255] = -1; if it is a class, renumber",
    ),
    "label below zero": (
        {"y_test": np.array([0, -100])},
        "got labels -100 to 0, expected 0 to 9 for a network of 10 classes; if -100 marks what "
        "does not count, give the loss ignored = -100; if it is a class, renumber",
    ),
    "label between": (
        {"y_test": np.array([0, 0.5])},
        "expected whole numbers from -2147483648 to 2147483647; round",
    ),
    "label beyond int32": (
        {"y_test": np.array([0, 2**32])},
        "from 0 to 4294967296, expected whole numbers from -2147483648 to 2147483647; "
        "renumber them from 0 on",
    ),
    "one-hot labels": (
        {"y_test": np.eye(10)[:2]},
        "y_test: got shape (2, 10), a number for each class "
        "(one-hot), expected the number of the class, (n); give y.argmax(-1)",
    ),
}


@pytest.mark.parametrize("changes, message", BAD_ARRAYS.values(), ids=BAD_ARRAYS)
def test_bad_arrays(tmp_path, changes, message):
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays(**changes))
    with pytest.raises(DataError) as caught:
        load(workload(Npz(path=str(path))))
    assert message in str(caught.value)
    assert str(path) in str(caught.value)


def test_channels_are_never_mixed_up_silently(tmp_path):
    path = tmp_path / "chw.npz"
    np.savez(path, **arrays(shape=(3, 4, 4)))
    with pytest.raises(
        DataError,
        match=r"got shape \(6, 3, 4, 4\), expected \(n, 4, 4, 3\); reshape or transpose it, or",
    ):
        load(workload(Npz(path=str(path)), (4, 4, 3)))


BAD_NPZ = {
    "text": (b"hello", "bad.npz"),
    "empty": (b"", "bad.npz"),
    "half a zip": (b"PK\x03\x04" + b"\0" * 40, "bad.npz"),
    "a bare array": (
        b"\x93NUMPY\x01\x00v\x00"
        + b"{'descr': '<f8', 'fortran_order': False, 'shape': (1,), }".ljust(117)
        + b"\n"
        + b"\0" * 8,
        "holds one bare array",
    ),
}


@pytest.mark.parametrize("content, message", BAD_NPZ.values(), ids=BAD_NPZ)
def test_bad_npz_file(tmp_path, content, message):
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(DataError) as caught:
        load(workload(Npz(path=str(path))))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    "name, message", [("nothing.npz", "nothing there"), ("file.txt", "got a file of another kind")]
)
def test_override_that_is_neither_folder_nor_npz(tmp_path, name, message):
    (tmp_path / "file.txt").write_text("x")
    with pytest.raises(DataError, match=message):
        load(workload(Digits()), tmp_path / name)


def test_synthetic_data_for_several_inputs_of_every_kind():
    net = Builder("many")
    image = net.input("image", (4,))
    net.input("ids", (7,), dtype="int32")
    net.input("mask", (2, 2), dtype="bool")
    made = Workload(
        name="many",
        model=net.build(net.dense(image, units=3)),
        task=Task(data=Synthetic(examples=50)),
    )
    data, again = load(made), load(made)
    kinds = {name: (array.shape, array.dtype.name) for name, array in data.x_train.items()}
    assert kinds == {
        "image": ((50, 4), "float32"),
        "ids": ((50, 7), "int32"),
        "mask": ((50, 2, 2), "bool"),
    }
    assert set(data.y_train) == {0, 1, 2}
    assert len(data.y_test) == 10
    assert all(np.array_equal(data.x_train[name], again.x_train[name]) for name in data.x_train)


def test_synthetic_values_for_mse():
    data = load(workload(Synthetic(examples=4000), units=3, loss=Mse(), metric="loss"))
    assert (data.y_train.shape, data.y_train.dtype) == ((4000, 3), np.float32)
    assert abs(data.y_train.std() - 1) < 0.05
    assert abs(data.y_train.mean()) < 0.05


def test_more_synthetic_examples_than_memory_is_an_error():
    with pytest.raises(DataError, match="ask for fewer"):
        load(workload(Synthetic(examples=10**14)))


@pytest.mark.parametrize("data", [Digits(), Idx(path="nowhere")])
def test_data_of_one_input_for_a_network_of_two(data):
    net = Builder("two")
    model = net.build(net.dense(net.add(net.input("a", (64,)), net.input("b", (64,))), units=10))
    with pytest.raises(DataError, match=r"feeds one input, but the network has 2 \(a, b\)"):
        load(Workload(name="two", model=model, task=Task(data=data)))
