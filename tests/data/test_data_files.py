"""Files of data as they come: damaged, lying, without end, stored in another order
than the network reads.
"""

import gzip
import io
import os
import struct
import zipfile

import numpy as np
import pytest
from dnnbench.data import free_memory
from dnnbench.data.dataset import load
from dnnbench.data.idx import read_idx, read_idx_folder
from dnnbench.data.npz import read_npz
from dnnbench.errors import DataError
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Digits, Npz
from dnnbench.spec.losses import CrossEntropy, Mse
from dnnbench.spec.workload import Task, Workload
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

FUZZ = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


def idx_bytes(array, code=0x08):
    return (
        bytes([0, 0, code, array.ndim])
        + struct.pack(f">{array.ndim}I", *array.shape)
        + array.tobytes()
    )


def npz_bytes(**arrays):
    content = io.BytesIO()
    np.savez(content, **arrays)
    return content.getvalue()


def workload(data, shape, loss=None):
    net = Builder("net")
    x = net.flatten(net.input("image", shape))
    model = net.build(net.dense(x, units=10))
    return Workload(name="net", model=model, task=Task(data=data, loss=loss or CrossEntropy()))


def refusal_of(action, *arguments):
    with pytest.raises(DataError) as caught:
        action(*arguments)
    return str(caught.value)


# IDX


def test_a_header_of_255_axes_is_refused(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes([0, 0, 8, 255]) + b"\0\0\0\1" * 255 + b"\1")
    assert "x: its header tells of 255 axes, expected at most 31" in refusal_of(read_idx, path)


def test_a_header_of_as_many_axes_as_may_be_is_read(tmp_path):
    path = tmp_path / "x"
    path.write_bytes(bytes([0, 0, 8, 31]) + b"\0\0\0\1" * 31 + b"\1")
    assert read_idx(path).shape == (1,) * 31


@pytest.mark.parametrize("name", ["x", "x.gz"])
def test_a_header_that_asks_for_more_than_is_free_is_refused_before_anything_is_allocated(
    tmp_path, monkeypatch, name
):
    content = idx_bytes(np.zeros((1000, 1000), np.uint8))
    (tmp_path / "x").write_bytes(content)
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    monkeypatch.setattr(free_memory, "available_bytes", lambda: 1_000_000)
    message = refusal_of(read_idx, tmp_path / name)
    assert (
        f"{name}: wants 2,000,000 bytes of memory, and 1,000,000 are free; give fewer examples"
        in message
    )


def test_a_compressed_file_is_read_no_further_than_its_header_says(tmp_path, monkeypatch):
    path = tmp_path / "x.gz"
    path.write_bytes(gzip.compress(idx_bytes(np.zeros(3, np.uint8)) + bytes(10_000_000)))
    read = []
    original = gzip.GzipFile.read

    def counted(self, size=-1):
        content = original(self, size)
        read.append(len(content))
        return content

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    assert "got 12 bytes, its header (3,) wants 11" in refusal_of(read_idx, path)
    assert sum(read) == 12


def test_a_pipe_in_the_place_of_images_is_refused(tmp_path):
    for name in ("train-images-idx3-ubyte", "t10k-images-idx3-ubyte"):
        os.mkfifo(tmp_path / name)
    message = refusal_of(read_idx_folder, tmp_path, "image")
    assert (
        "train-images-idx3-ubyte: cannot be read: it is a named pipe, expected a regular file"
        in message
    )


def mnist(folder, pixels, code):
    for part in ("train", "t10k"):
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx_bytes(pixels, code))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(
            idx_bytes(np.zeros(len(pixels), np.uint8))
        )
    return folder


@pytest.mark.parametrize("code, dtype", [(13, ">f4"), (14, ">f8")])
def test_floating_point_pixels_are_taken_as_they_are(tmp_path, code, dtype):
    pixels = np.array([[[0, 0.25], [0.5, 1]]], dtype)
    raw = read_idx_folder(mnist(tmp_path, pixels, code), "image")
    np.testing.assert_array_equal(raw.x_train["image"], pixels.astype(np.float32))


def test_whole_pixels_are_divided_by_255(tmp_path):
    raw = read_idx_folder(mnist(tmp_path, np.array([[[0, 255], [51, 0]]], np.uint8), 8), "image")
    np.testing.assert_array_equal(raw.x_train["image"], np.float32([[[0, 1], [0.2, 0]]]))


# npz

SOUND = npz_bytes(
    x_train=np.ones((2, 3)),
    y_train=np.zeros(2, int),
    x_test=np.ones((2, 3)),
    y_test=np.zeros(2, int),
)


def read_bytes(path, content):
    path.write_bytes(content)
    return read_npz(Npz(path=str(path)), ["image"])


def test_a_wrong_checksum_is_damage_and_no_matter_of_pickles(tmp_path):
    at = SOUND.index(np.ones(1).tobytes())
    message = refusal_of(read_bytes, tmp_path / "x.npz", SOUND[:at] + b"\xff" + SOUND[at + 1 :])
    assert (
        "array 'x_train' cannot be read: Bad CRC-32 for file 'x_train.npy'; the file is damaged: "
        "copy it again" in message
    )
    assert "pickle" not in message


def test_pickled_objects_are_refused_as_such(tmp_path):
    content = npz_bytes(x_train=np.array([{}], object), y_train=np.zeros(1))
    message = refusal_of(read_bytes, tmp_path / "x.npz", content)
    assert "save plain number arrays, objects are never unpickled" in message


def test_an_encrypted_archive_is_refused(tmp_path):
    flags = bytearray(SOUND)
    for mark, offset in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        at = SOUND.index(mark)
        flags[at + offset] |= 1
    assert "is encrypted" in refusal_of(read_bytes, tmp_path / "x.npz", bytes(flags))


def archive_of(**members):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, inside in members.items():
            archive.writestr(name, inside)
    return content.getvalue()


def npy(shape, data=b""):
    header = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}".ljust(117) + "\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header.encode() + data


@pytest.mark.parametrize("shape", ["(1000000000000000,)", f"({10**30},)", f"({2**62},)", "(-1,)"])
def test_an_array_whose_header_lies_is_refused(tmp_path, shape):
    message = refusal_of(read_bytes, tmp_path / "x.npz", archive_of(**{"x_train.npy": npy(shape)}))
    assert "array 'x_train'" in message


def test_a_member_that_is_no_array_is_refused(tmp_path):
    message = refusal_of(read_bytes, tmp_path / "x.npz", archive_of(x_train=b"text"))
    assert "array 'x_train' is no array of NumPy" in message


def test_an_archive_of_zeros_without_end_is_refused_by_what_it_would_take(tmp_path, monkeypatch):
    content = archive_of(**{"x_train.npy": npy("(500000,)", bytes(4_000_000))})
    assert len(content) < 100_000
    monkeypatch.setattr(free_memory, "available_bytes", lambda: 3_000_000)
    message = refusal_of(read_bytes, tmp_path / "x.npz", content)
    assert "array 'x_train': wants 4,000,128 bytes of memory, and 3,000,000 are free" in message


def test_the_message_of_an_archive_of_thousands_of_arrays_names_some(tmp_path):
    content = archive_of(**{f"array{i:05}.npy": npy("(0,)") for i in range(3000)})
    message = refusal_of(read_bytes, tmp_path / "x.npz", content)
    assert "(it holds array00000, array00001, " in message
    assert "and 2,988 more)" in message
    assert len(message) < 500


def test_a_pipe_in_the_place_of_an_archive_is_refused(tmp_path):
    os.mkfifo(tmp_path / "x.npz")
    message = refusal_of(read_npz, Npz(path=str(tmp_path / "x.npz")), ["image"])
    assert "x.npz: cannot be read as .npz: it is a named pipe, expected a regular file" in message
    assert "it is a named pipe" in refusal_of(load, workload(Digits(), (64,)), tmp_path / "x.npz")


EDITS = st.lists(
    st.tuples(st.floats(0, 1), st.integers(0, 3), st.binary(max_size=4)), min_size=1, max_size=4
)


def edited(content, edits):
    for where, cut, piece in edits:
        at = int(where * len(content))
        content = content[:at] + piece + content[at + cut :]
    return content


@settings(FUZZ, max_examples=200)
@given(EDITS)
@example([])
def test_no_damage_to_an_archive_gives_anything_but_a_data_error(tmp_path_factory, edits):
    try:
        raw = read_bytes(tmp_path_factory.getbasetemp() / "fuzz.npz", edited(SOUND, edits))
    except DataError as error:
        assert len(str(error)) < 1000
    else:
        assert raw.y_train.ndim <= 2


@pytest.mark.parametrize("name", ["fuzz", "fuzz.gz"])
@settings(FUZZ, max_examples=150)
@given(EDITS)
@example([])
def test_no_damage_to_an_idx_file_gives_anything_but_a_data_error(tmp_path_factory, name, edits):
    content = idx_bytes(np.arange(24, dtype=np.uint8).reshape(2, 3, 4))
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(
        edited(gzip.compress(content, mtime=0) if name.endswith("gz") else content, edits)
    )
    try:
        array = read_idx(path)
    except DataError as error:
        assert len(str(error)) < 1000
    else:
        assert array.size <= 24


# The order of images

IMAGES = np.arange(2 * 4 * 5 * 3, dtype=np.float32).reshape(2, 4, 5, 3)
"""(n, H, W, C)"""
FIRST = IMAGES.transpose(0, 3, 1, 2)


def archive(path, images, **more):
    parts = {
        "x_train": images,
        "x_test": images,
        "y_train": np.zeros(2, int),
        "y_test": np.zeros(2, int),
        **more,
    }
    path.write_bytes(npz_bytes(**parts))
    return str(path)


STORED = {
    "as the network reads them": (IMAGES, None),
    "as the network reads them, and said so": (IMAGES, "channels_last"),
    "flat, channels last": (IMAGES.reshape(2, -1), "channels_last"),
    "flat, channels first": (FIRST.reshape(2, -1), "channels_first"),
    "channels first": (FIRST, "channels_first"),
}


@pytest.mark.parametrize("images, layout", STORED.values(), ids=STORED)
def test_images_come_out_the_same_however_they_are_stored(tmp_path, images, layout):
    path = archive(tmp_path / "x.npz", images)
    data = load(workload(Npz(path=path, layout=layout), (4, 5, 3)))
    np.testing.assert_array_equal(data.x_train["image"], IMAGES)


def test_flat_rows_of_several_channels_ask_for_the_layout(tmp_path):
    path = archive(tmp_path / "x.npz", FIRST.reshape(2, -1))
    message = refusal_of(load, workload(Npz(path=path), (4, 5, 3)))
    assert (
        "got flat rows of 60 for 4 x 5 pixels of 3 channels, which can be channels_first "
        "(CIFAR's rows)" in message
    )
    advice = "x.reshape(-1, 3, 4, 5).transpose(0, 2, 3, 1)"
    assert advice in message
    np.testing.assert_array_equal(
        FIRST.reshape(2, -1).reshape(-1, 3, 4, 5).transpose(0, 2, 3, 1), IMAGES
    )


def test_flat_rows_named_on_the_command_line_need_a_layout_too(tmp_path):
    archive(tmp_path / "x.npz", FIRST.reshape(2, -1))
    assert "got flat rows of 60" in refusal_of(
        load, workload(Digits(), (4, 5, 3)), tmp_path / "x.npz"
    )


def test_flat_rows_of_one_channel_need_no_layout(tmp_path):
    path = archive(tmp_path / "x.npz", IMAGES[..., 0].reshape(2, -1))
    data = load(workload(Npz(path=path), (4, 5, 1)))
    np.testing.assert_array_equal(data.x_train["image"][..., 0], IMAGES[..., 0])


def test_flat_rows_into_a_network_of_flat_rows_need_no_layout(tmp_path):
    path = archive(tmp_path / "x.npz", IMAGES.reshape(2, -1))
    assert load(workload(Npz(path=path), (60,))).x_train["image"].shape == (2, 60)


@pytest.mark.parametrize("layout", ["channels_first", None])
def test_the_other_order_than_the_layout_is_refused(tmp_path, layout):
    images = IMAGES if layout else FIRST
    message = refusal_of(
        load, workload(Npz(path=archive(tmp_path / "x.npz", images), layout=layout), (4, 5, 3))
    )
    expected = "(n, 3, 4, 5)" if layout else "(n, 4, 5, 3)"
    assert (
        f"got shape {images.shape}, expected {expected}; "
        "reshape or transpose it, or give the data the layout" in message
    )


def test_images_that_are_targets_follow_the_layout_too(tmp_path):
    net = Builder("net")
    x = net.conv2d(net.input("image", (4, 5, 3)), filters=3, kernel=1)
    flat = FIRST.reshape(2, -1)
    path = archive(tmp_path / "x.npz", flat, y_train=flat, y_test=flat)
    task = Task(data=Npz(path=path, layout="channels_first"), loss=Mse(), metric="loss")
    data = load(Workload(name="net", model=net.build(x), task=task))
    np.testing.assert_array_equal(data.y_train, IMAGES)
