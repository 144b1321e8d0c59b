"""Source text of the standard library of the Python that runs:
real text that is on every machine.
"""

import hashlib
import platform
import sys
import sysconfig
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..spec.data import PythonSource
from ..spec.workload import Workload
from .arrays import RawArrays
from .hidden import hidden_positions
from .split import drawn

BYTES = 256
MASK = 256
"""The id that stands for a hidden byte."""
NEWLINE = 10
INPUTS = {"tokens", "segments", "mask"}
"""Names of the inputs that this source feeds."""


def read_python_source(data: PythonSource, workload: Workload) -> RawArrays:
    """Pieces of text for a network that reads `tokens` (T,), and `segments` and `mask`
    of that shape where it wants them.

    next: tokens t_0 ... t_(T-1), labels t_1 ... t_T.
    masked: tokens with 15 % hidden, 0 behind the last whole line;
    segments 0 in the first line, 1 after it; mask True where there is text;
    labels are the hidden bytes, elsewhere the loss's `ignored`.
    """
    length = _length(workload)
    files = library()
    contents = [path.read_bytes() for path in files]
    tests = set(drawn(len(files), data.test_fraction, data.split_seed, "python_source").tolist())
    train_texts = [text for i, text in enumerate(contents) if i not in tests]
    test_texts = [text for i, text in enumerate(contents) if i in tests]
    test_count = max(round(data.examples * data.test_fraction), 1)
    # a piece is one byte longer than a row: the labels of `next` stand one further on
    train = _pieces(train_texts, data.examples, length + 1)
    test = _pieces(test_texts, test_count, length + 1)
    x_train, y_train = _examples(data, workload, "train", train)
    x_test, y_test = _examples(data, workload, "test", test)
    return RawArrays("python_source", x_train, y_train, x_test, y_test, _facts(contents))


def library() -> list[Path]:
    """The files of Python's public and private top-level modules, by name.

    Tests and packages are left out.

    The names are those that this version has on every platform.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    files = [folder / f"{name}.py" for name in sorted(sys.stdlib_module_names)]
    installed = [path for path in files if path.is_file()]
    if len(installed) < 2:
        raise DataError(
            f"data 'python_source': {folder} has {len(installed)} source files "
            "of the standard library; use a Python that was installed with them"
        )
    return installed


def _facts(contents: Sequence[bytes]) -> dict[str, str]:
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    size = f"{len(contents)} files, {sum(map(len, contents))} bytes"
    return {
        "source": f"standard library of Python {platform.python_version()}: {size}",
        "sha256": digest,
    }


def _length(workload: Workload) -> int:
    shapes = {source.name: source.shape for source in workload.model.inputs}
    shape = shapes.get("tokens", ())
    of_one_shape = all(other == shape for other in shapes.values())
    if len(shape) != 1 or not of_one_shape or not set(shapes) <= INPUTS:
        got = ", ".join(f"{name} {list(s)}" for name, s in shapes.items())
        raise DataError(
            "data 'python_source' feeds tokens, segments and mask of one length, "
            f"but the network reads {got}; rename its inputs or use npz or synthetic data"
        )
    return shape[0]


def _pieces(texts: Sequence[bytes], n: int, length: int) -> np.ndarray:
    """(n, length) bytes from the starts of lines that lie evenly over the text."""
    text = np.frombuffer(b"".join(texts), np.uint8)
    starts = np.flatnonzero(text[: max(len(text) - length, 0)] == NEWLINE) + 1
    if not len(starts):
        raise DataError(
            f"data 'python_source': no {length} bytes of text in a part of {len(text)}; "
            "read fewer tokens"
        )
    rows = starts[np.arange(n) * len(starts) // n]
    pieces: np.ndarray = text[rows[:, None] + np.arange(length)]  # (n, length)
    return pieces.astype(np.int32)


def _examples(
    data: PythonSource, workload: Workload, part: str, pieces: np.ndarray
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(inputs by name, labels) from pieces (n, T + 1)"""
    if data.form == "next":
        inputs, labels = {"tokens": pieces[:, :-1]}, pieces[:, 1:]
    else:
        inputs, labels = _masked(pieces[:, :-1], _ignored(workload), f"python_source:{part}")
    wanted = [source.name for source in workload.model.inputs]
    if lacking := [name for name in wanted if name not in inputs]:
        raise DataError(
            f"data 'python_source' gives no {' and no '.join(lacking)} in its form 'next'; "
            "use form = 'masked'"
        )
    return {name: inputs[name] for name in wanted}, labels


def _masked(
    pieces: np.ndarray, ignored: int, name: str
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(inputs by name, labels) from pieces (n, T), whose last line may be cut short
    and is left out
    """
    width = pieces.shape[1]
    ends = pieces == NEWLINE  # (n, T)
    behind_last_line = ends[:, ::-1].argmax(axis=1)
    lengths = np.where(ends.any(axis=1), width - behind_last_line, width)  # (n,)
    seen = np.arange(width) < lengths[:, None]
    hidden = hidden_positions(0, name, lengths, width)
    lines_before = np.cumsum(ends, axis=1) - ends  # (n, T): a line's end is part of it
    later_lines = (lines_before > 0) & seen
    tokens = np.where(hidden, MASK, np.where(seen, pieces, 0))
    inputs = {"tokens": tokens, "segments": later_lines, "mask": seen}
    return inputs, np.where(hidden, pieces, ignored)


def _ignored(workload: Workload) -> int:
    ignored: int | None = getattr(workload.task.loss, "ignored", None)
    if ignored is None:
        raise DataError(
            f"data 'python_source', form 'masked': loss {workload.task.loss.kind} counts every "
            "label; use cross_entropy with ignored = -1"
        )
    return ignored
