"""Requests and answers: a method of a service, what it is given and what came of it, as plain data.

A method is named by where it is defined, so that caller and worker read the same type hints.
Only this module writes or reads that name: callers hand over the method itself.
"""

import inspect
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Concatenate, NamedTuple, ParamSpec, TypeVar, cast, get_type_hints

from .codec import converter
from .plain import Convert, Converter, Unreadable
from .records import decode_fields

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
Method = Callable[Concatenate[Any, P], R]
"""A service's method as its class holds it, such as `TimingService.visit`."""

VERSION = 1
"""Of requests and answers; raised when their meaning changes."""


class Request(NamedTuple):
    """Which method is asked for, and its arguments as plain data by the name of the parameter."""

    version: int
    method: str
    arguments: Mapping[str, Any]


class Failure(NamedTuple):
    """What a method raised: the exception's class, and its message."""

    kind: str
    message: str


class Answer(NamedTuple):
    """What a method returned, as plain data, or its failure."""

    version: int
    result: Any = None
    failure: list[str] | None = None
    """The fields of a Failure."""


class Message(NamedTuple):
    """Plain data to be sent; arrays: whether the wire must look for arrays in it."""

    data: Any
    arrays: bool


class Signature(NamedTuple):
    """How one method's arguments and its result are written and read."""

    name: str
    encoders: Mapping[str, Convert | None]
    decoders: Mapping[str, Convert]
    wanted: set[str]
    arrays: bool
    result: Converter


@cache
def signature(method: Callable[..., Any]) -> Signature:
    """Of a method of a class, `self` left out. TypeError where a hint is missing or has no form."""
    parameters = list(inspect.signature(method).parameters.values())[1:]
    hints = get_type_hints(method)
    names = [*(parameter.name for parameter in parameters), "return"]
    if untyped := [name for name in names if name not in hints]:
        raise TypeError(f"{method_name(method)}: no type hint for {', '.join(untyped)}")
    converters = {parameter.name: converter(hints[parameter.name]) for parameter in parameters}
    return Signature(
        method_name(method),
        {name: one.encode for name, one in converters.items()},
        {name: one.decode for name, one in converters.items()},
        {parameter.name for parameter in parameters if parameter.default is parameter.empty},
        any(one.arrays for one in converters.values()),
        converter(hints["return"]),
    )


def method_name(method: Callable[..., Any]) -> str:
    """Under which a request names a method: `package.module:Class.method`."""
    return f"{method.__module__}:{method.__qualname__}"


def write_request(method: Method[P, R], *arguments: P.args, **named: P.kwargs) -> Message:
    """A request for a method, to be sent."""
    form = signature(method)
    plain = {}
    for (name, encode), value in zip(form.encoders.items(), arguments, strict=False):
        plain[name] = value if encode is None else encode(value)
    for name, value in named.items():
        encode = form.encoders[name]
        plain[name] = value if encode is None else encode(value)
    return Message({"version": VERSION, "method": form.name, "arguments": plain}, form.arrays)


def read_request(data: Any) -> Request:
    """What was asked. Unreadable if it is no request of this version."""
    return _read(Request, data)


def answer(method: Callable[..., Any], bound: Callable[..., Any], request: Request) -> Message:
    """Call `bound` with a request's arguments, read by the hints of `method`,
    and write what it returns.
    """
    form = signature(method)
    result = bound(**decode_fields(form.decoders, form.wanted, request.arguments))
    encode = form.result.encode
    plain = result if encode is None else encode(result)
    return Message({"version": VERSION, "result": plain}, form.result.arrays)


def write_failure(error: Exception) -> Message:
    """The answer that an exception stands for."""
    failure = Failure(type(error).__name__, str(error))
    return Message({"version": VERSION, "failure": list(failure)}, arrays=False)


def read_answer(method: Method[P, R], data: Any) -> R | Failure:
    """What a method returned, or its failure. Unreadable if it is neither."""
    message = _read(Answer, data)
    if message.failure is not None:
        return Failure(*message.failure)
    return cast(R, signature(method).result.decode(message.result))


def _read(kind: Callable[..., T], data: Any) -> T:
    try:
        if data["version"] == VERSION:
            return kind(**data)
    except (KeyError, TypeError) as error:
        if isinstance(data, dict) and data.get("version") == VERSION:
            raise Unreadable(str(error)) from None
    version = data.get("version") if isinstance(data, dict) else None
    raise Unreadable(
        f"is of version {version}, this process reads {VERSION}: both need the same dnnbench"
    )
