"""Entry points of the group `dnnbench`, each with the distribution that it comes from."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from itertools import chain

from .guard import in_words
from .hooks import PROJECT


@dataclass(frozen=True)
class Origin:
    """Where a plugin comes from: its entry point, and its distribution with the version."""

    entry: str
    distribution: str
    own: bool = False
    """Whether dnnbench itself brings it."""

    def __str__(self) -> str:
        return f"plugin '{self.entry}' of {self.distribution}"


@dataclass(frozen=True)
class Announced:
    """An entry point; None with the reason where a distribution's cannot be read."""

    origin: Origin
    entry: metadata.EntryPoint | None
    reason: str = ""


def announced() -> list[Announced]:
    """Every entry point of the group, dnnbench's own first, then by name.

    Of a distribution found twice the first.
    """
    by_distribution: dict[str, list[Announced]] = {}
    for distribution in metadata.distributions():
        if entries := list(_entries(distribution)):
            by_distribution.setdefault(_normalized(distribution), entries)
    every = chain.from_iterable(by_distribution.values())
    return sorted(
        every, key=lambda each: (not each.origin.own, each.origin.entry, each.origin.distribution)
    )


def _entries(distribution: metadata.Distribution) -> Iterator[Announced]:
    try:
        entries = distribution.entry_points.select(group=PROJECT)
    except Exception as error:
        origin = Origin("entry_points.txt", _with_version(distribution))
        yield Announced(origin, None, f"cannot be read: {in_words(error)}")
        return
    for entry in entries:
        own = _normalized(distribution) == PROJECT
        yield Announced(Origin(entry.name, _with_version(distribution), own), entry)


def _normalized(distribution: metadata.Distribution) -> str:
    return re.sub(r"[-_.]+", "-", _name(distribution)).lower()


def _with_version(distribution: metadata.Distribution) -> str:
    try:
        return f"{_name(distribution)} {distribution.version}"
    except (
        Exception
    ):  # importlib raises one kind or another for metadata without a version, by its own version
        return _name(distribution)


def _name(distribution: metadata.Distribution) -> str:
    try:
        return str(distribution.metadata["Name"])
    except Exception:
        return "a distribution without metadata"
