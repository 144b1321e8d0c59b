"""Containers in a message: lists, mappings and what may be None, of parts with converters."""

from collections.abc import Callable
from typing import Any

from .plain import Converter, decoded_at, unchanged, unlike


def optional(other: Converter) -> Converter:
    """Of a value that may be None."""
    encode, decode, arrays = other
    return Converter(
        encode and (lambda value: None if value is None else encode(value)),
        lambda data: None if data is None else decode(data),
        arrays,
    )


def fixed_tuple(parts: list[Converter]) -> Converter:
    """Of a tuple with a type for each place."""

    def encode(value: Any) -> list[Any]:
        return [_encoded(part, item) for part, item in zip(parts, value, strict=True)]

    def decode(data: Any) -> tuple[Any, ...]:
        if not isinstance(data, list) or len(data) != len(parts):
            raise unlike(f"a list of {len(parts)}", data)
        return tuple(part.decode(item) for part, item in zip(parts, data, strict=True))

    return Converter(encode, decode, any(part.arrays for part in parts))


def sequence(kind: Callable[[list[Any]], Any], item: Converter) -> Converter:
    """Of a list or a tuple of any length, its items of one type."""
    encode, decode, arrays = item

    def decode_items(data: Any) -> Any:
        if not isinstance(data, list):
            raise unlike("a list", data)
        return kind([decoded_at(f"[{index}]", decode, one) for index, one in enumerate(data)])

    return Converter(
        encode and (lambda value: [encode(one) for one in value]), decode_items, arrays
    )


def mapping(key: Converter, item: Converter) -> Converter:
    """Of values by name; key: how names are written as texts."""
    write_key, read_key = key.encode or unchanged, key.decode
    write, read = item.encode or unchanged, item.decode

    def decode_items(data: Any) -> dict[Any, Any]:
        if not isinstance(data, dict):
            raise unlike("values by name", data)
        return {
            decoded_at(name, read_key, name): decoded_at(name, read, one)
            for name, one in data.items()
        }

    # The wire takes dicts alone, and a mapping may be of any class.
    return Converter(
        lambda value: {write_key(name): write(one) for name, one in value.items()},
        decode_items,
        item.arrays,
    )


def _encoded(part: Converter, value: Any) -> Any:
    return value if part.encode is None else part.encode(value)
