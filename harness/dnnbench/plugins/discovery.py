"""Guarded loading: a plugin that raises costs only itself."""

import hashlib
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

import pluggy

from ..errors import PluginError, UsageError
from ..wording import near_miss
from .hooks import PROJECT, BackendInfo, Hooks, WorkloadInfo

KINDS = {"dnnbench_backends": BackendInfo, "dnnbench_workloads": WorkloadInfo}
"""What each hook's list holds."""


@dataclass
class Plugins:
    """Everything that entry points announced, and what went wrong with the rest."""

    manager: pluggy.PluginManager
    broken: dict[str, str] = field(default_factory=dict)
    """Entry point name -> why it could not be used."""

    @cached_property
    def backends(self) -> dict[str, BackendInfo]:
        """By name, the reference last."""
        found = self._collect("dnnbench_backends")
        return dict(sorted(found.items(), key=lambda item: item[1].reference))

    @cached_property
    def workloads(self) -> dict[str, WorkloadInfo]:
        """By name."""
        return self._collect("dnnbench_workloads")

    def _collect(self, hook: str) -> dict:
        found = {}
        for plugin_name, plugin in self.manager.list_name_plugin():
            for info in self._call(plugin_name, plugin, hook):
                if info.name in found:
                    self.broken[plugin_name] = f"brings '{info.name}', which another plugin has already"
                else:
                    found[info.name] = info
        return found

    def _call(self, plugin_name: str, plugin, hook: str) -> list:
        if not hasattr(plugin, hook):
            return []
        others = [p for p in self.manager.get_plugins() if p is not plugin]
        try:
            found = [info for infos in self.manager.subset_hook_caller(hook, others)() for info in infos]
        except (Exception, SystemExit) as error:
            self.broken[plugin_name] = f"{hook} raised {type(error).__name__}: {error}"
            return []
        kind = KINDS[hook]
        if strangers := [info for info in found if not isinstance(info, kind)]:
            self.broken[plugin_name] = f"{hook} gave {strangers[0]!r}, expected {kind.__name__}"
            return []
        return found

    def backend(self, name: str) -> BackendInfo:
        """By name; UsageError with a near miss, or with the reason why its plugin is broken."""
        if name in self.backends:
            return self.backends[name]
        if name in self.broken:
            raise PluginError(f"backend '{name}': its plugin is broken: {self.broken[name]}")
        known = ", ".join(self.backends)
        raise UsageError(f"no backend is called '{name}'{near_miss(name, self.backends)} (there are {known})")


def missing(info: BackendInfo) -> str | None:
    """Why the backend cannot be used here, or None: looks at metadata, imports nothing."""
    for distribution in info.requires:
        if not _installed(distribution):
            return f"{distribution} is not installed (pip install 'dnnbench[{info.extra}]')"
    return None


def _installed(distribution: str) -> bool:
    try:
        metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return find_spec(distribution) is not None
    return True


def version(distribution: str) -> str:
    """Installed version, or 'unknown'."""
    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return "unknown"


def source_digest(*packages: str) -> str:
    """16 hex digits over every Python file of some packages; imports none that is not a parent of one."""
    digest = hashlib.sha256()
    for package in packages:
        for folder in find_spec(package).submodule_search_locations or ():
            for path in sorted(Path(folder).rglob("*.py")):
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def load_backend(info: BackendInfo):
    """The Backend object; imports its framework, so only a worker calls this."""
    module, _, name = info.target.partition(":")
    return getattr(import_module(module), name)()


@lru_cache(maxsize=1)
def plugins() -> Plugins:
    """Every plugin of the entry point group `dnnbench`, each loaded behind a guard."""
    manager = pluggy.PluginManager(PROJECT)
    manager.add_hookspecs(Hooks)
    found = Plugins(manager)
    for entry in sorted(metadata.entry_points(group=PROJECT), key=lambda e: e.name):
        try:
            manager.register(entry.load(), name=entry.name)
        except (Exception, SystemExit) as error:
            found.broken[entry.name] = f"{type(error).__name__}: {error}"
    return found
