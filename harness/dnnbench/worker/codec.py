"""Values as plain data and back, by their type hints:
the one place that knows both forms of a message.

Plain data is what the wire carries: None, bool, int, float, str, lists, dicts with text keys
and NumPy arrays. A hint may name those, `Path`, enums, `Literal`, `X | None`, tuples, sequences,
mappings from text, frozen dataclasses, named tuples and pydantic models, nested at will, and
mappings from what `str` writes and `parse` reads; `Any` stands for plain data as it is. A dataclass
is a dict by field; a field that the reader does not know, or misses, is an error that names it.
"""

import dataclasses
import types
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin

from .containers import fixed_tuple, mapping, optional, sequence
from .plain import (
    SCALARS,
    Converter,
    Unreadable,
    array,
    as_array,
    member_of,
    one_of,
    text,
    unchanged,
)
from .records import Field, dataclass_fields, named_tuple_fields, record


@cache
def converter(hint: Any) -> Converter:
    """How values of a hint are written and read. TypeError for a hint that has no form."""
    if hint in (Any, object):
        return Converter(None, unchanged, arrays=True)
    # Plain data already: nothing to write, only to check when it comes.
    if hint in SCALARS:
        return Converter(None, SCALARS[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return optional(converter(_the_one_beside_none(hint, arguments)))
    if origin is Literal:
        return Converter(None, lambda data: one_of(arguments, data))
    if origin is tuple and Ellipsis not in arguments:
        return fixed_tuple([converter(argument) for argument in arguments])
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return mapping(_text_form(arguments[0]), converter(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        kind = list if origin is list else tuple
        return sequence(kind, converter(arguments[0]))
    if isinstance(origin or hint, type):
        return _class(origin or hint)
    raise TypeError(f"{hint}: a message has no form for this type")


def _class(kind: type) -> Converter:
    """A class that is no container: an array, a path, an enum, a record or a pydantic model."""
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return Converter(as_array, array, arrays=True)
    if issubclass(kind, Path):
        return Converter(str, lambda data: Path(text(data)))
    if issubclass(kind, Enum):
        encode = None if issubclass(kind, str) else (lambda value: value.value)
        return Converter(encode, member_of(kind))
    if dataclasses.is_dataclass(kind):
        return _record(kind, dataclass_fields(kind))
    if hasattr(kind, "_fields"):
        return _record(kind, named_tuple_fields(kind))
    if hasattr(kind, "model_validate"):
        return Converter(lambda value: value.model_dump(mode="json"), kind.model_validate)
    raise TypeError(f"{kind.__qualname__}: a message has no form for this type")


def _record(kind: Callable[..., Any], fields: Sequence[Field]) -> Converter:
    converters = {field.name: converter(field.hint) for field in fields}
    return record(kind, converters, {field.name for field in fields if not field.optional})


def _the_one_beside_none(hint: Any, arguments: tuple[Any, ...]) -> Any:
    (other, *more) = [argument for argument in arguments if argument is not types.NoneType]
    if more:
        raise TypeError(
            f"{hint}: a message has no form for a choice of types; use one type, or one and None"
        )
    return other


def _text_form(kind: Any) -> Converter:
    """Of the keys of a mapping: text, or values that `str` writes and `parse` reads."""
    if kind is str:
        return Converter(None, text)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Converter(None, member_of(kind))
    if hasattr(kind, "parse"):
        return Converter(str, lambda text: _parsed(kind, text))
    raise TypeError(f"{kind}: a message has no form for keys of this type")


def _parsed(kind: Any, text: str) -> Any:
    try:
        return kind.parse(text)
    except ValueError as error:
        raise Unreadable(str(error)) from None
