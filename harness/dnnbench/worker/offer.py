"""Which methods a worker process answers: those of the objects that its service offers."""

import importlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from itertools import chain
from typing import Any

from .messages import method_name

Answering = tuple[Callable[..., Any], Callable[..., Any]]
"""(method as the class that declares it holds it, the same bound to the object that answers)"""


class Offer(ABC):
    """Several services of one process, side by side.

    What `--service` names may be one, or a single service.
    """

    @property
    @abstractmethod
    def services(self) -> Sequence[object]:
        """Objects whose public methods are answered."""


def offered_by(service: object) -> dict[str, Answering]:
    """What answers a request, by the name that the request has for it.

    A method may be asked for as its abstract class declares it, and as any class between
    declares it again.
    """
    answering = service.services if isinstance(service, Offer) else (service,)
    methods: dict[str, Answering] = {}
    for one in answering:
        for name, method in chain.from_iterable(vars(kind).items() for kind in type(one).__mro__):
            if callable(method) and not name.startswith("_"):
                methods[method_name(method)] = (method, getattr(one, name))
    return methods


def find(methods: Mapping[str, Answering], name: str) -> Answering:
    """A method by its name in a request.

    AttributeError, with what there is, if it is not offered.
    """
    if name in methods:
        return methods[name]
    raise AttributeError(f"this worker has no method {name}; it has {', '.join(methods)}")


def load(name: str) -> object:
    """What `module:Class` names, made."""
    module, _, attribute = name.partition(":")
    return getattr(importlib.import_module(module), attribute)()
