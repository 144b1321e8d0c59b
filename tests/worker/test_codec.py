"""What a message can hold comes back as it was; what its reader does not know is told in words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, StrEnum
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np
import pytest
from dnnbench.protocol.device import Device
from dnnbench.spec.workload import Workload
from dnnbench.testing.cases import CASES
from dnnbench.worker.codec import converter
from dnnbench.worker.plain import Unreadable
from dnnbench.worker.wire import PREFIX, decode, encode


class Colour(StrEnum):
    RED = "red"


class Number(Enum):
    ONE = 1


class Point(NamedTuple):
    x: float
    y: float = 0.0


@dataclass(frozen=True)
class Inner:
    name: str
    sizes: tuple[int, ...] = ()


@dataclass(frozen=True)
class Outer:
    """One field of every kind of nesting."""

    inner: Inner
    several: tuple[Inner, ...]
    by_name: Mapping[str, Inner]
    maybe: Inner | None
    length: int = field(default=0, init=False)


def carried(hint, value):
    """What a reader finds of a value that went over the wire."""
    both = converter(hint)
    frame = b"".join(encode(value if both.encode is None else both.encode(value)))
    _, header_bytes, _ = PREFIX.unpack(frame[: PREFIX.size])
    split = PREFIX.size + header_bytes
    return both.decode(decode(frame[PREFIX.size : split], bytearray(frame[split:])))


INNER = Inner("a", (1, 2))
VALUES = [
    (bool, True),
    (int, 2**60),
    (float, 0.1),
    (float, float("inf")),
    (str, "text"),
    (None, None),
    (str | None, None),
    (Inner | None, INNER),
    (Literal["a", "b"], "b"),
    (Colour, Colour.RED),
    (Number, Number.ONE),
    (Path, Path("/a/b")),
    (tuple[float, str], (0.5, "x")),
    (tuple[Inner, ...], (INNER, INNER)),
    (list[int], [1, 2]),
    (Sequence[int], (1, 2)),
    (dict[str, Point], {"p": Point(1.0, 2.0)}),
    (Any, {"plain": [1, None]}),
    (Device, Device("gpu", 1)),
    (Workload, CASES["dense"]()),
    (Outer, Outer(INNER, (INNER,), {"b": INNER}, None)),
]


@pytest.mark.parametrize(("hint", "value"), VALUES, ids=str)
def test_a_value_comes_back_as_it_was(hint, value):
    assert carried(hint, value) == value


@pytest.mark.parametrize(("hint", "value"), VALUES, ids=str)
def test_a_value_comes_back_of_its_class(hint, value):
    assert type(carried(hint, value)) is type(value)


@pytest.mark.parametrize(
    "array",
    [np.zeros((0, 3)), np.arange(6, dtype=">i4").reshape(2, 3).T, np.float16(1.5).reshape(())],
)
def test_an_array_comes_back_as_it_was(array):
    np.testing.assert_array_equal(
        carried(Mapping[str, np.ndarray], {"a": array})["a"], array, strict=False
    )


@pytest.mark.parametrize(
    ("hint", "data", "words"),
    [
        (
            Inner,
            {"name": "a", "colour": "red"},
            "the message: unknown field 'colour'; its reader knows name, sizes",
        ),
        (Inner, {"sizes": []}, "the message: missing field name"),
        (Outer, {"inner": {"name": 1}}, "inner.name: expected text, got int"),
        (
            tuple[Inner, ...],
            [{"name": "a"}, {"name": None}],
            "[1].name: expected text, got NoneType",
        ),
        (Mapping[str, int], {"a": 1.5}, "a: expected a whole number, got float"),
        (int, True, "expected a whole number, got bool"),
        (float, "1", "expected a number, got str"),
        (Colour, "blue", "expected one of red, got str"),
        (Literal["a"], "b", "expected one of a, got str"),
        (tuple[int, int], [1], "expected a list of 2, got list"),
        (np.ndarray, [1.0], "expected an array, got list"),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(hint, data, words):
    with pytest.raises(Unreadable) as caught:
        converter(hint).decode(data)
    assert str(caught.value).removeprefix("the message: ") == words.removeprefix("the message: ")


@pytest.mark.parametrize("hint", [int | str, set[int], bytes, object()])
def test_a_hint_without_a_form_is_refused_when_it_is_first_met(hint):
    with pytest.raises(TypeError, match="a message has no form"):
        converter(hint)
