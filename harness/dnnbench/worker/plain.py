"""Plain data as a message brings it: what each kind of value has to look like.

Each function gives the value, or raises Unreadable with what was wanted and what came.
"""

import types
from collections.abc import Callable
from enum import Enum
from typing import Any, NamedTuple

from ..errors import WorkerError

Convert = Callable[[Any], Any]


class Unreadable(WorkerError):
    """Plain data that is not of the form its reader's type hint asks for."""

    def __init__(self, reason: str, where: tuple[str, ...] = ()) -> None:
        super().__init__(f"{'.'.join(where) or 'the message'}: {reason}")
        self.reason, self.where = reason, where

    def inside(self, name: str) -> "Unreadable":
        """The same, told of by what holds it."""
        return Unreadable(self.reason, (name, *self.where))


class Converter(NamedTuple):
    """Both directions for one hint; `encode` is None where a value is plain data already.

    arrays: whether plain data of the hint may hold arrays, so that the wire must look for them.
    """

    encode: Convert | None
    decode: Convert
    arrays: bool = False


def unlike(wanted: str, data: Any) -> Unreadable:
    return Unreadable(f"expected {wanted}, got {type(data).__name__}")


def decoded_at(where: str, decode: Convert, data: Any) -> Any:
    try:
        return decode(data)
    except Unreadable as error:
        raise error.inside(where) from None


def unchanged(data: Any) -> Any:
    return data


def _number(data: Any) -> float:
    if type(data) is float:
        return data
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        return float(data)
    raise unlike("a number", data)


def _whole_number(data: Any) -> int:
    if type(data) is int:
        return data
    raise unlike("a whole number", data)


def _truth(data: Any) -> bool:
    if isinstance(data, bool):
        return data
    raise unlike("true or false", data)


def text(data: Any) -> str:
    if type(data) is str:
        return data
    raise unlike("text", data)


def _nothing(data: Any) -> None:
    if data is not None:
        raise unlike("nothing", data)


def one_of(values: tuple[Any, ...], data: Any) -> Any:
    if data in values:
        return data
    raise unlike(f"one of {', '.join(map(str, values))}", data)


def member_of(kind: type[Enum]) -> Convert:
    members = {member.value: member for member in kind}

    def decode(data: Any) -> Enum:
        try:
            return members[data]
        except (KeyError, TypeError):
            raise unlike(f"one of {', '.join(map(str, members))}", data) from None

    return decode


def as_array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)  # a NumPy number too: the wire carries that as a plain one


def array(data: Any) -> Any:
    if hasattr(data, "dtype") and hasattr(data, "strides"):
        return data
    raise unlike("an array", data)


SCALARS: dict[Any, Convert] = {
    bool: _truth,
    int: _whole_number,
    float: _number,
    str: text,
    None: _nothing,
    types.NoneType: _nothing,
}
