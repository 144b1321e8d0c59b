"""Hook specifications and the marker that plugins use."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pluggy

PROJECT = "dnnbench"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@dataclass(frozen=True)
class BackendInfo:
    """What is known of a backend before its framework is imported.

    `checking.py` holds each field to what it may be.
    """

    name: str
    """Lower-case letters, digits, `_`, `.` and `-`; not one of dnnbench's own."""
    title: str
    modes: tuple[str, ...]
    default_mode: str
    target: str
    """`module:Class` of the Backend, imported only in workers."""
    requires: tuple[str, ...] = ()
    """Distributions that must be installed, the framework first; names without versions."""
    extra: str = ""
    """`pip install 'dnnbench[extra]'` brings them."""
    reference: bool = False
    """Whether others are checked against it: dnnbench's NumPy backend alone."""
    cpu_only: bool = False
    """Whether it computes on the CPU alone: beside a GPU it stays there, and is not ranked."""
    float64_apart: bool = False
    """Whether float64 is a process-wide switch, so that it needs a worker of its own."""
    caches: tuple[str, ...] = ()
    """Environment variables by which the framework finds the folder of its compile cache,
    such as `JAX_COMPILATION_CACHE_DIR`.

    Upper case, with CACHE in the name and not dnnbench's own. dnnbench sets each in every worker,
    before the framework is imported, to a folder of its own in the user's cache;
    for `--cold-start` to an empty one, which the first generation fills. A framework that reads
    its folder from elsewhere is told in `Backend.configure`, from the variable that stands here.
    """
    script: str = ""
    """`module:Class` of the `dnnbench.scripts.writer.ScriptWriter` that `dnnbench reproduce` asks;
    it imports no framework.  Empty: cells are not written as scripts.
    """


@dataclass(frozen=True)
class WorkloadInfo:
    """A named workload, which `build` makes from keyword parameters that all have defaults.

    The parameters are annotated with what a text can be read as (int, float, bool, Literal[...],
    pydantic's PositiveInt): NAME[PARAMETER=VALUE,...] on the command line is read by these,
    and what comes out bears that text as its name.
    """

    name: str
    description: str
    build: Callable[..., Any]
    presets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    """Parameters by the word that stands for them: NAME[tiny]."""
    default: bool = False
    """Whether a run without a name measures it."""


class Hooks:
    """What a plugin may implement, with `@dnnbench.plugins.hooks.hookimpl`."""

    @hookspec
    def dnnbench_backends(self) -> list[BackendInfo]:
        """Backends that this plugin brings."""
        raise NotImplementedError

    @hookspec
    def dnnbench_workloads(self) -> list[WorkloadInfo]:
        """Workloads that this plugin brings."""
        raise NotImplementedError
