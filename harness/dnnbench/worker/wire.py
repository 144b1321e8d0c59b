"""Messages between a run and its workers: JSON with raw arrays beside it,
over two file descriptors.

A frame is, all little-endian::

    4 bytes   b"DNB1"
    uint32    bytes of the header
    uint64    bytes of the body
    header    JSON {"value": ..., "arrays": [{"dtype": "<f4", "shape": [2, 3], "offset": 0}, ...]}
    body      the arrays' elements in C order, each starting at a multiple of 64 bytes

An array inside the value stands there as {"__array__": index}. Nothing depends
on the version of Python or NumPy at either end, and nothing that arrives is executed.
NaN and infinities are written as JavaScript writes them.
"""

import json
import os
import select
import struct
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from ..errors import WorkerError
from ..host.clock import PAUSE_S

MAGIC = b"DNB1"
PREFIX = struct.Struct("<4sIQ")
ALIGNMENT_BYTES = 64
PLACEHOLDER = "__array__"
NUMERIC_KINDS = "biufc"
LIVENESS_S = 0.25


class ConnectionClosed(WorkerError):
    """The other end of the pipe is gone."""


class NoAnswer(WorkerError):
    """The deadline passed before a whole message had moved."""


class Unsendable(WorkerError):
    """A value that the wire has no form for."""


def encode(value: Any, arrays: bool = True) -> list[bytes | memoryview]:
    """The buffers of one frame, to be written one after the other.

    arrays: whether the value may hold arrays; it is not searched for them where it holds none.

    value: None, bool, int, float, str, lists, tuples (which arrive as lists), dicts with text keys,
    NumPy numbers (which arrive as Python's) and NumPy arrays of numbers, nested at will.
    Raises Unsendable for anything else.
    """
    if not arrays:
        with suppress(TypeError):  # a NumPy number is found by the search
            header = b'{"value": %b, "arrays": []}' % json.dumps(value).encode()
            return [PREFIX.pack(MAGIC, len(header), 0) + header]
    body = _Body()
    header = json.dumps({"value": body.lift(value, "value"), "arrays": body.layout}).encode()
    return [PREFIX.pack(MAGIC, len(header), body.size) + header, *body.pieces]


class _Body:
    """Collects the arrays of one value, in the order in which they are met."""

    def __init__(self) -> None:
        self.layout: list[dict[str, Any]] = []
        self.pieces: list[bytes | memoryview] = []
        self.size = 0

    def lift(self, value: Any, where: str) -> Any:
        if value is None or isinstance(value, (bool, int, float, str)):
            return value
        if isinstance(value, dict):
            return {
                self._key(key, where): self.lift(item, f"{where}.{key}")
                for key, item in value.items()
            }
        if isinstance(value, (list, tuple)):
            return [self.lift(item, f"{where}[{index}]") for index, item in enumerate(value)]
        return self._lift_array(value, where)

    def _key(self, key: Any, where: str) -> str:
        if not isinstance(key, str) or key == PLACEHOLDER:
            raise Unsendable(
                f"{where}: the key {key!r} cannot be sent; use text other than {PLACEHOLDER!r}"
            )
        return key

    def _lift_array(self, value: Any, where: str) -> Any:
        import numpy as np

        if not isinstance(value, (np.ndarray, np.generic)) or value.dtype.kind not in NUMERIC_KINDS:
            kind = f"{type(value).__name__} {getattr(value, 'dtype', '')}".strip()
            raise Unsendable(
                f"{where}: cannot send a {kind}; send text, numbers, lists, "
                "dicts or NumPy arrays of numbers"
            )
        if (
            isinstance(value, np.generic)
            and value.dtype.kind in "biuf"
            and value.dtype.itemsize <= 8
        ):
            return value.item()
        return self._append(np.asarray(value, dtype=value.dtype.newbyteorder("<"), order="C"))

    def _append(self, array: Any) -> dict[str, Any]:
        padding = -self.size % ALIGNMENT_BYTES
        if padding:
            self.pieces.append(bytes(padding))
        self.layout.append(
            {"dtype": array.dtype.str, "shape": list(array.shape), "offset": self.size + padding}
        )
        if array.nbytes:
            self.pieces.append(array.reshape(-1).view("u1").data)
        self.size += padding + array.nbytes
        return {PLACEHOLDER: len(self.layout) - 1}


def decode(header: bytes | bytearray, body: bytearray) -> Any:
    """The value of one frame; its arrays are writable views of `body`."""
    frame = json.loads(header)
    if not frame["arrays"]:
        return frame["value"]
    return _settle(frame["value"], [_view(body, **entry) for entry in frame["arrays"]])


def _view(body: bytearray, dtype: str, shape: list[int], offset: int) -> Any:
    import numpy as np

    count = 1
    for extent in shape:
        count *= extent
    if not count:
        return np.zeros(shape, dtype)
    return np.frombuffer(body, dtype, count, offset).reshape(shape)


def _settle(value: Any, arrays: list[Any]) -> Any:
    if isinstance(value, list):
        return [_settle(item, arrays) for item in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {PLACEHOLDER}:
        return arrays[value[PLACEHOLDER]]
    return {key: _settle(item, arrays) for key, item in value.items()}


class Channel:
    """One end of a conversation: reads frames from one descriptor and writes them to another.

    Owns both.

    `alive`, where given, is asked four times a second while waiting:
    a dead peer whose grandchild still holds the pipe never shows as an end of file.
    `pauses` counts how often this process did not run while it waited.
    """

    def __init__(
        self, read_fd: int, write_fd: int, alive: Callable[[], bool] | None = None
    ) -> None:
        self._read_fd, self._write_fd, self._alive = read_fd, write_fd, alive
        self.pauses = 0
        for descriptor in (read_fd, write_fd):
            os.set_inheritable(descriptor, False)
            os.set_blocking(descriptor, False)
        self._readable, self._writable = select.poll(), select.poll()
        self._readable.register(read_fd, select.POLLIN)
        self._writable.register(write_fd, select.POLLOUT)

    def send(self, value: Any, timeout_s: float | None = None, arrays: bool = True) -> None:
        """Write one frame.

        `arrays` as of `encode`.
        Raises Unsendable before its first byte, ConnectionClosed or NoAnswer.
        """
        deadline = _deadline(timeout_s)
        for piece in encode(value, arrays):
            self._write(memoryview(piece), deadline)

    def receive(self, timeout_s: float | None = None) -> Any:
        """Read one frame within `timeout_s` (None: for ever).
        Raises ConnectionClosed or NoAnswer.
        """
        deadline = _deadline(timeout_s)
        magic, header_bytes, body_bytes = PREFIX.unpack(self._read(PREFIX.size, deadline))
        if magic != MAGIC:
            raise ConnectionClosed(
                f"the pipe carries {magic!r} where a frame begins with {MAGIC!r}"
            )
        header = self._read(header_bytes, deadline)
        return decode(header, self._read(body_bytes, deadline))

    def close(self) -> None:
        """Close both descriptors; a second call does nothing."""
        for descriptor in (self._read_fd, self._write_fd):
            if descriptor >= 0:
                os.close(descriptor)
        self._read_fd = self._write_fd = -1

    def _write(self, piece: memoryview, deadline: float | None) -> None:
        while piece:
            try:
                piece = piece[os.write(self._write_fd, piece) :]
            except BlockingIOError:
                self._wait(self._writable, deadline)
            except BrokenPipeError:
                raise ConnectionClosed("the reader of the pipe is gone") from None

    def _read(self, size: int, deadline: float | None) -> bytearray:
        data = bytearray(size)
        rest = memoryview(data)
        while rest:
            try:
                got = os.readv(self._read_fd, [rest])
            except BlockingIOError:
                self._wait(self._readable, deadline)
                continue
            if not got:
                raise ConnectionClosed("the writer of the pipe is gone")
            rest = rest[got:]
        return data

    def _wait(self, poll: select.poll, deadline: float | None) -> None:
        """Return when the pipe can move bytes; raise when it never will or the deadline passes."""
        while True:
            left_s = None if deadline is None else max(0.0, deadline - time.monotonic())
            if self._poll(poll, self._slice_s(left_s)):
                return
            if self._alive and not self._alive() and not poll.poll(0):
                raise ConnectionClosed("the process at the other end is gone")
            if left_s == 0:
                raise NoAnswer("no whole message before the deadline")

    def _poll(self, poll: select.poll, span_s: float | None) -> list[tuple[int, int]]:
        if span_s is None:
            return poll.poll()
        begin = time.monotonic()
        ready = poll.poll(span_s * 1000)
        self.pauses += time.monotonic() - begin > span_s + PAUSE_S
        return ready

    def _slice_s(self, left_s: float | None) -> float | None:
        spans = [span for span in (left_s, LIVENESS_S if self._alive else None) if span is not None]
        return min(spans) if spans else None


def _deadline(timeout_s: float | None) -> float | None:
    return None if timeout_s is None else time.monotonic() + timeout_s
