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
from typing import Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

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


@cache
def converter(hint: Any) -> Converter:
    """How values of a hint are written and read. TypeError for a hint that has no form."""
    if hint in (Any, object):
        return Converter(None, _unchanged, arrays=True)
    if hint in _SCALARS:
        return Converter(None, _SCALARS[hint])
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _optional(hint, arguments)
    if origin is Literal:
        return Converter(None, lambda data: _one_of(arguments, data))
    if origin is tuple and Ellipsis not in arguments:
        return _fixed_tuple(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return _mapping(_text_form(arguments[0]), converter(arguments[1]))
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return _sequence(tuple if origin is not list else list, converter(arguments[0]))
    if isinstance(origin or hint, type):
        return _class(origin or hint)
    raise TypeError(f"{hint}: a message has no form for this type")


def _class(kind: type) -> Converter:
    """A class that is no container: an array, a path, an enum, a record or a pydantic model."""
    if kind.__module__ == "numpy" and kind.__name__ == "ndarray":
        return Converter(_as_array, _array, arrays=True)
    if issubclass(kind, Path):
        return Converter(str, lambda data: Path(_text(data)))
    if issubclass(kind, Enum):
        encode = None if issubclass(kind, str) else (lambda value: value.value)
        return Converter(encode, _member_of(kind))
    if dataclasses.is_dataclass(kind):
        return _record(kind, _dataclass_fields(kind))
    if hasattr(kind, "_fields"):
        return _record(kind, _named_tuple_fields(kind))
    if hasattr(kind, "model_validate"):
        return Converter(lambda value: value.model_dump(mode="json"), kind.model_validate)
    raise TypeError(f"{kind.__qualname__}: a message has no form for this type")


class _Field(NamedTuple):
    name: str
    hint: Any
    optional: bool
    """Whether a default stands for it where it does not come."""


def _dataclass_fields(kind: Any) -> list[_Field]:
    hints, missing = get_type_hints(kind), dataclasses.MISSING
    fields = [field for field in dataclasses.fields(kind) if field.init]
    return [
        _Field(
            field.name,
            hints[field.name],
            field.default is not missing or field.default_factory is not missing,
        )
        for field in fields
    ]


def _named_tuple_fields(kind: Any) -> list[_Field]:
    hints = get_type_hints(kind)
    return [_Field(name, hints[name], name in kind._field_defaults) for name in kind._fields]


def _record(kind: Callable[..., Any], fields: Sequence[_Field]) -> Converter:
    converters = {field.name: converter(field.hint) for field in fields}
    encoders = [(name, one.encode) for name, one in converters.items() if one.encode is not None]
    decoders = {name: one.decode for name, one in converters.items()}
    wanted = {field.name for field in fields if not field.optional}
    names = tuple(converters)

    def encode(value: Any) -> dict[str, Any]:
        plain = {name: getattr(value, name) for name in names}
        for name, write in encoders:
            plain[name] = write(plain[name])
        return plain

    def decode(data: Any) -> Any:
        return kind(**decode_fields(decoders, wanted, data))

    return Converter(encode, decode, any(one.arrays for one in converters.values()))


def decode_fields(decoders: Mapping[str, Convert], wanted: set[str], data: Any) -> dict[str, Any]:
    """Values by name.

    Unreadable for a name that is not known, one of `wanted` that is missing, or a wrong value.
    """
    try:
        if data.keys() == decoders.keys():
            return {name: decode(data[name]) for name, decode in decoders.items()}
    except (AttributeError, Unreadable):
        pass  # what is wrong, and where, is looked for below
    if not isinstance(data, dict):
        raise _unlike("fields by name", data)
    values = {}
    for name, item in data.items():
        if name not in decoders:
            raise Unreadable(
                f"unknown field '{name}'; its reader knows {', '.join(decoders) or 'none'}"
            )
        try:
            values[name] = decoders[name](item)
        except Unreadable as error:
            raise error.inside(name) from None
    if not wanted <= data.keys():
        raise Unreadable(f"missing field {', '.join(sorted(wanted - data.keys()))}")
    return values


def _optional(hint: Any, arguments: tuple[Any, ...]) -> Converter:
    (other, *more) = [argument for argument in arguments if argument is not types.NoneType]
    if more:
        raise TypeError(
            f"{hint}: a message has no form for a choice of types; use one type, or one and None"
        )
    encode, decode, arrays = converter(other)
    return Converter(
        encode and (lambda value: None if value is None else encode(value)),
        lambda data: None if data is None else decode(data),
        arrays,
    )


def _fixed_tuple(arguments: tuple[Any, ...]) -> Converter:
    parts = [converter(argument) for argument in arguments]

    def encode(value: Any) -> list[Any]:
        return [_encoded(part, item) for part, item in zip(parts, value, strict=True)]

    def decode(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list) or len(data) != len(parts):
            raise _unlike(f"a list of {len(parts)}", data)
        return tuple(part.decode(item) for part, item in zip(parts, data, strict=True))

    return Converter(encode, decode, any(part.arrays for part in parts))


def _sequence(kind: Callable[[list[Any]], Any], item: Converter) -> Converter:
    encode, decode, arrays = item

    def decode_items(data: Any) -> Any:
        if not isinstance(data, list):
            raise _unlike("a list", data)
        return kind([_decoded_at(f"[{index}]", decode, one) for index, one in enumerate(data)])

    return Converter(
        encode and (lambda value: [encode(one) for one in value]), decode_items, arrays
    )


def _mapping(key: Converter, item: Converter) -> Converter:
    write_key, read_key = key.encode or _unchanged, key.decode
    write, read = item.encode or _unchanged, item.decode

    def decode_items(data: Any) -> dict[Any, Any]:
        if not isinstance(data, dict):
            raise _unlike("values by name", data)
        return {
            _decoded_at(name, read_key, name): _decoded_at(name, read, one)
            for name, one in data.items()
        }

    # The wire takes dicts alone, and a mapping may be of any class.
    return Converter(
        lambda value: {write_key(name): write(one) for name, one in value.items()},
        decode_items,
        item.arrays,
    )


def _text_form(kind: Any) -> Converter:
    """Of the keys of a mapping: text, or values that `str` writes and `parse` reads."""
    if kind is str:
        return Converter(None, _text)
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return Converter(None, _member_of(kind))
    if hasattr(kind, "parse"):
        return Converter(str, lambda text: _parsed(kind, text))
    raise TypeError(f"{kind}: a message has no form for keys of this type")


def _parsed(kind: Any, text: str) -> Any:
    try:
        return kind.parse(text)
    except ValueError as error:
        raise Unreadable(str(error)) from None


def _encoded(part: Converter, value: Any) -> Any:
    return value if part.encode is None else part.encode(value)


def _decoded_at(where: str, decode: Convert, data: Any) -> Any:
    try:
        return decode(data)
    except Unreadable as error:
        raise error.inside(where) from None


def _unchanged(data: Any) -> Any:
    return data


def _number(data: Any) -> float:
    if type(data) is float:
        return data
    if isinstance(data, (int, float)) and not isinstance(data, bool):
        return float(data)
    raise _unlike("a number", data)


def _whole_number(data: Any) -> int:
    if type(data) is int:
        return data
    raise _unlike("a whole number", data)


def _truth(data: Any) -> bool:
    if isinstance(data, bool):
        return data
    raise _unlike("true or false", data)


def _text(data: Any) -> str:
    if type(data) is str:
        return data
    raise _unlike("text", data)


def _nothing(data: Any) -> None:
    if data is not None:
        raise _unlike("nothing", data)


def _as_array(value: Any) -> Any:
    import numpy as np

    return np.asarray(value)  # a NumPy number too: the wire carries that as a plain one


def _array(data: Any) -> Any:
    if hasattr(data, "dtype") and hasattr(data, "strides"):
        return data
    raise _unlike("an array", data)


def _one_of(values: tuple[Any, ...], data: Any) -> Any:
    if data in values:
        return data
    raise _unlike(f"one of {', '.join(map(str, values))}", data)


def _member_of(kind: type[Enum]) -> Convert:
    members = {member.value: member for member in kind}

    def decode(data: Any) -> Enum:
        try:
            return members[data]
        except (KeyError, TypeError):
            raise _unlike(f"one of {', '.join(map(str, members))}", data) from None

    return decode


def _unlike(wanted: str, data: Any) -> Unreadable:
    return Unreadable(f"expected {wanted}, got {type(data).__name__}")


_SCALARS: dict[Any, Convert] = {
    bool: _truth,
    int: _whole_number,
    float: _number,
    str: _text,
    None: _nothing,
    types.NoneType: _nothing,
}
