"""Source text of the standard library of the Python that runs: real text that is on every machine."""

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


def read_python_source(data: PythonSource, workload: Workload) -> RawArrays:
    """Pieces of text for a network that reads `tokens` (T,), and `segments` and `mask` of that shape where it wants them.

    next: tokens t_0 ... t_(T-1), labels t_1 ... t_T.
    masked: tokens with 15 % hidden, 0 behind the last whole line; segments 0 in the first line, 1 after it; mask True
    where there is text; labels are the hidden bytes, elsewhere the loss's `ignored`.
    """
    length = _length(workload)
    files = library()
    contents = [path.read_bytes() for path in files]
    tests = set(drawn(len(files), data.test_fraction, data.split_seed, "python_source").tolist())
    parts = {
        "train": (data.examples, [text for i, text in enumerate(contents) if i not in tests]),
        "test": (max(round(data.examples * data.test_fraction), 1), [contents[i] for i in sorted(tests)]),
    }
    made = [_examples(data, workload, part, _pieces(texts, n, length + 1)) for part, (n, texts) in parts.items()]
    return RawArrays("python_source", *made[0], *made[1], facts=_facts(contents))


def library() -> list[Path]:
    """The files of Python's public and private top-level modules, by name; tests and packages are left out.

    The names are those that this version has on every platform.
    """
    folder = Path(sysconfig.get_path("stdlib"))
    files = [folder / f"{name}.py" for name in sorted(sys.stdlib_module_names)]
    found = [path for path in files if path.is_file()]
    if len(found) < 2:
        raise DataError(
            f"data 'python_source': {folder} has {len(found)} source files of the standard library; "
            "use a Python that was installed with them"
        )
    return found


def _facts(contents: Sequence[bytes]) -> dict[str, str]:
    digest = hashlib.sha256(b"".join(contents)).hexdigest()
    size = f"{len(contents)} files, {sum(map(len, contents))} bytes"
    return {"source": f"standard library of Python {platform.python_version()}: {size}", "sha256": digest}


def _length(workload: Workload) -> int:
    shapes = {source.name: source.shape for source in workload.model.inputs}
    shape = shapes.get("tokens", ())
    strangers = [name for name, s in shapes.items() if name not in ("tokens", "segments", "mask") or s != shape]
    if len(shape) != 1 or strangers:
        got = ", ".join(f"{name} {list(s)}" for name, s in shapes.items())
        raise DataError(
            f"data 'python_source' feeds tokens, segments and mask of one length, but the network reads {got}; "
            "rename its inputs or use npz or synthetic data"
        )
    return shape[0]


def _pieces(texts: Sequence[bytes], n: int, length: int) -> np.ndarray:
    """(n, length) bytes from the starts of lines that lie evenly over the text."""
    text = np.frombuffer(b"".join(texts), np.uint8)
    starts = np.flatnonzero(text[: max(len(text) - length, 0)] == NEWLINE) + 1
    if not len(starts):
        raise DataError(f"data 'python_source': no {length} bytes of text in a part of {len(text)}; read fewer tokens")
    rows = starts[np.arange(n) * len(starts) // n]
    return text[rows[:, None] + np.arange(length)].astype(np.int32)


def _examples(data: PythonSource, workload: Workload, part: str, pieces: np.ndarray):
    if data.form == "next":
        inputs, labels = {"tokens": pieces[:, :-1]}, pieces[:, 1:]
    else:
        inputs, labels = _masked(pieces[:, :-1], _ignored(workload), f"python_source:{part}")
    wanted = [source.name for source in workload.model.inputs]
    if lacking := [name for name in wanted if name not in inputs]:
        text = f"data 'python_source' gives no {' and no '.join(lacking)} in its form 'next'; use form = 'masked'"
        raise DataError(text)
    return {name: inputs[name] for name in wanted}, labels


def _masked(pieces: np.ndarray, ignored: int, name: str) -> tuple[dict[str, np.ndarray], np.ndarray]:
    width, ends = pieces.shape[1], pieces == NEWLINE
    lengths = np.where(ends.any(axis=1), width - ends[:, ::-1].argmax(axis=1), width)
    seen = np.arange(width) < lengths[:, None]
    hidden = hidden_positions(0, name, lengths, width)
    later_lines = (np.cumsum(ends, axis=1) - ends > 0) & seen
    tokens = np.where(hidden, MASK, np.where(seen, pieces, 0))
    return {"tokens": tokens, "segments": later_lines, "mask": seen}, np.where(hidden, pieces, ignored)


def _ignored(workload: Workload) -> int:
    ignored = getattr(workload.task.loss, "ignored", None)
    if ignored is None:
        raise DataError(
            f"data 'python_source', form 'masked': loss {workload.task.loss.kind} counts every label; "
            "use cross_entropy with ignored = -1"
        )
    return ignored
