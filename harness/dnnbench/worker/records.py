"""Records in a message: dataclasses and named tuples, each a dict by field."""

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, get_type_hints

from .plain import Convert, Converter, Unreadable, unlike


class Field(NamedTuple):
    """A field of a record, with its type hint."""

    name: str
    hint: Any
    optional: bool
    """Whether a default stands for it where it does not come."""


def dataclass_fields(kind: Any) -> list[Field]:
    """Those that its constructor takes."""
    hints, missing = get_type_hints(kind), dataclasses.MISSING
    fields = [field for field in dataclasses.fields(kind) if field.init]
    return [
        Field(
            field.name,
            hints[field.name],
            field.default is not missing or field.default_factory is not missing,
        )
        for field in fields
    ]


def named_tuple_fields(kind: Any) -> list[Field]:
    hints = get_type_hints(kind)
    return [Field(name, hints[name], name in kind._field_defaults) for name in kind._fields]


def record(
    kind: Callable[..., Any], converters: Mapping[str, Converter], wanted: set[str]
) -> Converter:
    """Of a class whose fields have these converters; `wanted` ones must come."""
    encoders = [(name, one.encode) for name, one in converters.items() if one.encode is not None]
    decoders = {name: one.decode for name, one in converters.items()}
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
        raise unlike("fields by name", data)
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
