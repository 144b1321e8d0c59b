"""Guarded loading: a plugin that raises, hangs or announces nonsense costs only itself."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pluggy

from ..errors import PluginError, UsageError
from ..wording import near_miss
from .checking import Unfit, checked_backend, checked_workload
from .entries import Announced, Origin, announced
from .guard import glimpse, plugin_code, what_happened
from .hooks import PROJECT, BackendInfo, Hooks, WorkloadInfo

if TYPE_CHECKING:
    from ..protocol.backend import Backend
    from ..scripts.writer import ScriptWriter


@dataclass(frozen=True)
class _Kind:
    """What one hook brings: its word in messages, its type, and the check that each has to pass."""

    hook: str
    word: str
    info: type[BackendInfo] | type[WorkloadInfo]
    check: Callable[[Any], Any]


MOST_REASONS = 5
"""Told of one plugin."""
BACKEND = _Kind("dnnbench_backends", "backend", BackendInfo, checked_backend)
WORKLOAD = _Kind("dnnbench_workloads", "workload", WorkloadInfo, checked_workload)


@dataclass(frozen=True)
class Fault:
    """What cannot be used of a plugin, and why.

    `name` is that of the one backend or workload it costs, if it has one.
    """

    origin: Origin
    reason: str
    name: str = ""

    def __str__(self) -> str:
        return f"{self.origin}: {self.reason}"


@dataclass(frozen=True)
class _Loaded:
    """A plugin that was imported, alone in a manager of its own."""

    origin: Origin
    manager: pluggy.PluginManager


class Plugins:
    """Everything that entry points announce, and what is wrong with the rest.

    A name that dnnbench itself brings is dnnbench's; one that two others bring is refused to both.
    """

    def __init__(self, entries: list[Announced]) -> None:
        self.faults: list[Fault] = []
        """Grows as plugins are asked."""
        self._origins: dict[tuple[str, str], Origin] = {}
        self._loaded = [loaded for each in entries if (loaded := self._load(each)) is not None]

    @cached_property
    def backends(self) -> dict[str, BackendInfo]:
        """By name, the reference last."""
        return dict(sorted(self._collect(BACKEND).items(), key=lambda item: item[1].reference))

    @cached_property
    def workloads(self) -> dict[str, WorkloadInfo]:
        """By name."""
        return self._collect(WORKLOAD)

    @property
    def reference(self) -> BackendInfo:
        """The backend that all others are checked against.

        PluginError where dnnbench's own plugin for it is lost.
        """
        for info in self.backends.values():
            if info.reference:
                return info
        why = (
            "; ".join(str(fault) for fault in self.faults if fault.origin.own)
            or "no plugin of dnnbench brings it"
        )
        raise PluginError(f"the NumPy reference cannot be used: {why}; install dnnbench anew")

    def backend(self, name: str) -> BackendInfo:
        """By name; UsageError with a near miss, PluginError if it cannot be used."""
        if name in self.backends:
            return self.backends[name]
        self.refuse_faulty(BACKEND.word, name)
        names = ", ".join(self.backends)
        raise UsageError(
            f"no backend is called '{name}'{near_miss(name, self.backends)} (there are {names})"
        )

    def is_own_backend(self, name: str) -> bool:
        """Whether dnnbench itself brings it."""
        return name in self.backends and self._origins[BACKEND.word, name].own

    def refuse_faulty(self, word: str, name: str) -> None:
        """PluginError with the reasons, if a backend or workload of that name, or its plugin,
        cannot be used.
        """
        reasons = [
            str(fault) for fault in self.faults if name and name in (fault.name, fault.origin.entry)
        ]
        if reasons:
            raise PluginError(f"{word} '{name}' cannot be used: {'; '.join(reasons)}")

    def complaints(self) -> dict[Origin, str]:
        """What is wrong so far, in one line for each plugin."""
        reasons: dict[Origin, list[str]] = {}
        for fault in self.faults:
            reasons.setdefault(fault.origin, []).append(fault.reason)
        return {origin: _line(every) for origin, every in reasons.items()}

    def blame_for_workload(self, name: str, reason: str) -> bool:
        """Record what is wrong with a third party's workload; False for one of dnnbench's own."""
        origin = self._origins.get((WORKLOAD.word, name))
        if origin is None or origin.own:
            return False
        self._blame(origin, reason, name)
        return True

    def _load(self, each: Announced) -> _Loaded | None:
        if each.entry is None:
            self._blame(each.origin, each.reason)
            return None
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(Hooks)
        try:
            with plugin_code():
                plugin = each.entry.load()
                manager.register(plugin)
        except Exception as error:
            self._blame(each.origin, f"its import {what_happened(error)}")
            return None
        self._blame_strange_hooks(each.origin, manager.get_hookcallers(plugin) or [])
        return _Loaded(each.origin, manager)

    def _blame_strange_hooks(self, origin: Origin, callers: Sequence[pluggy.HookCaller]) -> None:
        """What pluggy's check_pending raises for, but every one of them, and with the hook
        that was meant.
        """
        hooks = (BACKEND.hook, WORKLOAD.hook)
        if not callers:
            self._blame(origin, f"implements no hook; mark its {' or '.join(hooks)} with @hookimpl")
        for caller in callers:
            if not caller.has_spec() and not all(
                impl.optionalhook for impl in caller.get_hookimpls()
            ):
                self._blame(
                    origin, f"dnnbench has no hook '{caller.name}'{near_miss(caller.name, hooks)}"
                )

    def _collect(self, kind: _Kind) -> dict[str, Any]:
        """Infos by name; of a name that is brought twice dnnbench's own, or none."""
        brought: dict[str, list[tuple[Origin, Any]]] = {}
        for loaded in self._loaded:
            for info in self._fit(loaded, kind):
                brought.setdefault(info.name, []).append((loaded.origin, info))
        for name, bringers in brought.items():
            self._blame_clash(f"{kind.word} '{name}'", name, [origin for origin, _ in bringers])
        firsts = {
            name: bringers[0]
            for name, bringers in brought.items()
            if len(bringers) == 1 or bringers[0][0].own
        }
        self._origins |= {(kind.word, name): origin for name, (origin, _) in firsts.items()}
        return {name: info for name, (_, info) in firsts.items()}

    def _blame_clash(self, what: str, name: str, origins: Sequence[Origin]) -> None:
        """dnnbench's own plugins come first and keep their names."""
        first, *others = origins
        for origin in others:
            if first.own:
                self._blame(
                    origin, f"{what} is a name of dnnbench's own ({first}); choose another", name
                )
            else:
                self._blame(
                    origin,
                    f"{what} is brought by {first} too, so neither is used; uninstall one",
                    name,
                )
        if others and not first.own:
            self._blame(
                first,
                f"{what} is brought by {others[0]} too, so neither is used; uninstall one",
                name,
            )

    def _fit(self, loaded: _Loaded, kind: _Kind) -> Iterator[Any]:
        """What a plugin's hook brings and passes its check; the rest is blamed, one by one."""
        for infos in self._answers(loaded, kind):
            if not isinstance(infos, list | tuple):
                self._blame(
                    loaded.origin,
                    f"{kind.hook} gave {glimpse(infos)}, expected a list of {kind.info.__name__}",
                )
                continue
            for info in infos:
                yield from self._checked(loaded.origin, kind, info)

    def _answers(self, loaded: _Loaded, kind: _Kind) -> list[Any]:
        """What a plugin's hook returns: one answer, or [] if it does not implement the hook
        or cannot be used.
        """
        caller = getattr(loaded.manager.hook, kind.hook)
        if not caller.get_hookimpls():
            return []
        try:
            with plugin_code():
                return caller() or [None]  # pluggy leaves out what is None
        except Exception as error:
            self._blame(loaded.origin, f"{kind.hook} {what_happened(error)}")
            return []

    def _checked(self, origin: Origin, kind: _Kind, info: Any) -> Iterator[Any]:
        """The info alone, or nothing."""
        if not isinstance(info, kind.info):
            self._blame(origin, f"{kind.hook} gave {glimpse(info)}, expected {kind.info.__name__}")
            return
        what = f"{kind.word} {glimpse(info.name)}"
        name = info.name if isinstance(info.name, str) else ""
        try:
            with plugin_code():
                checked = kind.check(info)
                _refuse_role(checked, origin)
        except Unfit as error:
            self._blame(origin, f"{what}: {error}", name)
        except Exception as error:
            self._blame(origin, f"{what}: looking at it {what_happened(error)}", name)
        else:
            yield checked

    def _blame(self, origin: Origin, reason: str, name: str = "") -> None:
        self.faults.append(Fault(origin, reason, name))


def _line(reasons: Sequence[str]) -> str:
    more = len(reasons) - MOST_REASONS
    return "; ".join([*reasons[:MOST_REASONS], *([f"and {more} more"] if more > 0 else [])])


def _refuse_role(info: BackendInfo | WorkloadInfo, origin: Origin) -> None:
    """Raise Unfit if a third party's backend says that it is the reference."""
    if isinstance(info, BackendInfo) and info.reference and not origin.own:
        raise Unfit(
            [
                (
                    "reference: got True, expected False: "
                    "all are checked against dnnbench's own NumPy backend"
                )
            ]
        )


def missing(info: BackendInfo) -> str | None:
    """Why the backend cannot be used here, or None: looks at metadata, imports nothing."""
    for distribution in info.requires:
        if not _installed(distribution):
            wanted = f"'dnnbench[{info.extra}]'" if info.extra else distribution
            return f"{distribution} is not installed (pip install {wanted})"
    return None


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        # of a dotted name find_spec would import the parent
        return "." not in distribution and find_spec(distribution) is not None
    return True


def version(distribution: str) -> str:
    """Installed version, or 'unknown'."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def source_digest(*packages: str) -> str:
    """16 hex digits over every Python file of some packages.

    Imports none that is not a parent of one.
    """
    digest = hashlib.sha256()
    for package in packages:
        spec = find_spec(package)
        for folder in (spec and spec.submodule_search_locations) or ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load_backend(target: str) -> "Backend":
    """The Backend object that a BackendInfo's `target` names.

    Imports its framework, so only a worker calls this.
    """
    module, _, name = target.partition(":")
    backend: Backend = getattr(import_module(module), name)()
    return backend


def load_script_writer(target: str) -> "ScriptWriter":
    """The ScriptWriter that a BackendInfo's `script` names; PluginError where it cannot be had."""
    module, _, name = target.partition(":")
    try:
        with plugin_code():
            writer: ScriptWriter = getattr(import_module(module), name)()
    except Exception as error:
        raise PluginError(f"the script writer {target} {what_happened(error)}") from error
    return writer


@lru_cache(maxsize=1)
def plugins() -> Plugins:
    """Every plugin of the entry point group `dnnbench`, each loaded behind a guard."""
    return Plugins(announced())
