import json
import math
import os
import struct
import threading
import time

import numpy as np
import pytest
from dnnbench.worker.wire import (
    MAGIC,
    PREFIX,
    Channel,
    ConnectionClosed,
    NoAnswer,
    Unsendable,
    encode,
)


@pytest.fixture
def ends():
    (read_one, write_two), (read_two, write_one) = os.pipe(), os.pipe()
    channels = Channel(read_one, write_one), Channel(read_two, write_two)
    yield channels
    for channel in channels:
        channel.close()


def carried(ends, value):
    """The value after a journey; a thread writes, because a pipe holds 64 KiB."""
    sender = threading.Thread(target=ends[0].send, args=(value, 10))
    sender.start()
    received = ends[1].receive(10)
    sender.join()
    return received


PLAIN = [
    None,
    True,
    0,
    -(2**70),
    1.1,
    math.inf,
    -math.inf,
    "",
    "π\n\0",
    [],
    {},
    {"a": [1, {"b": [None]}], "": 0.1},
    "x" * 300_000,
]


@pytest.mark.parametrize("value", PLAIN, ids=lambda value: repr(value)[:20])
def test_plain_values_arrive_as_they_left(ends, value):
    assert carried(ends, value) == value


def test_nan_and_signed_zero_survive(ends):
    nan, zero = carried(ends, [math.nan, -0.0])
    assert math.isnan(nan)
    assert math.copysign(1, zero) == -1


ARRAYS = {
    "float32": np.arange(6, dtype=np.float32).reshape(2, 3),
    "float64 not finite": np.array([math.nan, math.inf, -0.0, 5e-324]),
    "float16": np.array([1.5, -2], np.float16),
    "big endian": np.array([1, 2, 3], ">i4"),
    "bool": np.array([[True], [False]]),
    "uint8": np.arange(5, dtype=np.uint8),
    "complex": np.array([1 + 2j]),
    "no dimension": np.array(3.5),
    "no element": np.empty((0, 4), np.int64),
    "transposed": np.arange(12.0).reshape(3, 4).T,
    "every second": np.arange(10)[::2],
    "larger than a pipe": np.arange(200_000.0),
}


@pytest.mark.parametrize("array", ARRAYS.values(), ids=ARRAYS.keys())
def test_arrays_arrive_bit_for_bit(ends, array):
    received = carried(ends, {"w": array})["w"]
    assert received.dtype == array.dtype.newbyteorder("<")
    assert received.shape == array.shape
    assert received.tobytes() == array.astype(array.dtype.newbyteorder("<")).tobytes()


def test_arrays_mix_with_plain_values_and_can_be_written_to(ends):
    value = {"a": [np.ones(3, np.uint8), {"b": np.zeros((2, 2))}], "c": 7}
    received = carried(ends, value)
    received["a"][1]["b"][0, 0] = 5
    assert received["a"][0].tolist() == [1, 1, 1]
    assert received["c"] == 7
    assert received["a"][1]["b"].sum() == 5
    assert received["a"][1]["b"].flags.aligned


def test_numpy_numbers_arrive_as_numbers(ends):
    assert carried(ends, [np.float32(0.5), np.int64(3), np.bool_(True)]) == [0.5, 3, True]


UNSENDABLE = {
    "an object": (object(), "value"),
    "deep inside": ({"a": [1, {2}]}, r"value\.a\[1\]"),
    "a number as key": ({1: 2}, "key 1"),
    "the placeholder": ({"__array__": 0}, "__array__"),
    "array of objects": (np.array([object()]), "object"),
    "array of text": (np.array(["a"]), "ndarray"),
    "bytes": (b"abc", "bytes"),
}


@pytest.mark.parametrize(("value", "says"), UNSENDABLE.values(), ids=UNSENDABLE.keys())
def test_what_cannot_be_sent_is_named_and_leaves_the_pipe_clean(ends, value, says):
    with pytest.raises(Unsendable, match=says):
        ends[0].send(value)
    assert carried(ends, "next") == "next"


def test_the_frame_is_what_the_module_says():
    frame = b"".join(
        bytes(piece) for piece in encode({"x": np.array([1, 2], "<i2"), "y": np.array([3.0])})
    )
    magic, header_bytes, body_bytes = struct.unpack_from("<4sIQ", frame)
    header = json.loads(frame[16 : 16 + header_bytes])
    body = frame[16 + header_bytes :]
    assert magic == b"DNB1"
    assert len(body) == body_bytes == 72
    assert header["value"] == {"x": {"__array__": 0}, "y": {"__array__": 1}}
    assert [entry["offset"] for entry in header["arrays"]] == [0, 64]
    assert body[:4] == b"\1\0\2\0"
    assert struct.unpack("<d", body[64:]) == (3.0,)


def test_messages_keep_their_order(ends):
    for number in range(20):
        ends[0].send(number)
    assert [ends[1].receive(1) for _ in range(20)] == list(range(20))


def test_silence_ends_at_the_deadline(ends):
    with pytest.raises(NoAnswer):
        ends[1].receive(0.01)


def test_half_a_message_ends_at_the_deadline():
    read, write = os.pipe()
    channel = Channel(read, os.dup(write))
    os.write(write, PREFIX.pack(MAGIC, 100, 0) + b"{")
    with pytest.raises(NoAnswer):
        channel.receive(0.01)
    os.close(write)
    channel.close()


def test_a_reader_that_never_reads_does_not_hold_the_writer(ends):
    with pytest.raises(NoAnswer):
        ends[0].send(np.zeros(1_000_000), 0.05)


@pytest.mark.parametrize(
    "sent", [b"", MAGIC, PREFIX.pack(MAGIC, 10, 0) + b"{"], ids=["none", "prefix", "header"]
)
def test_end_of_file_is_a_closed_connection_wherever_it_comes(ends, sent):
    os.write(ends[0]._write_fd, sent)
    ends[0].close()
    with pytest.raises(ConnectionClosed):
        ends[1].receive(1)


def test_a_reader_that_left_is_a_closed_connection(ends):
    ends[1].close()
    with pytest.raises(ConnectionClosed):
        ends[0].send("anyone?")


def test_rubbish_is_refused_rather_than_believed(ends):
    os.write(ends[0]._write_fd, b"WARNING: all is well" * 2)
    with pytest.raises(ConnectionClosed, match="WARN"):
        ends[1].receive(1)


def test_a_dead_peer_is_noticed_while_another_holds_the_pipe():
    read, write = os.pipe()
    channel = Channel(read, write, alive=lambda: False)
    begin = time.monotonic()
    with pytest.raises(ConnectionClosed):
        channel.receive(600)
    assert time.monotonic() - begin < 300
    channel.close()


def test_what_a_peer_sent_just_before_it_died_is_still_read():
    (read, write), (unread, unused) = os.pipe(), os.pipe()

    def dies_after_its_last_words():
        os.write(write, b"".join(bytes(piece) for piece in encode("last words")))
        return False

    channel = Channel(read, unused, alive=dies_after_its_last_words)
    assert channel.receive(10) == "last words"
    for descriptor in (write, unread):
        os.close(descriptor)
    channel.close()
