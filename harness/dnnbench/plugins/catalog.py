"""Workloads by name or by file."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain
from pathlib import Path
from typing import Any

from ..errors import DnnbenchError, PluginError, SpecError, UsageError
from ..regular import home_expanded, is_there
from ..spec.files import read_workload
from ..spec.workload import Workload
from ..wording import near_miss, shortened
from .checking import ALL
from .discovery import WORKLOAD, plugins
from .guard import glimpse, plugin_code, what_happened
from .hooks import WorkloadInfo
from .networks import Network, as_workload, why
from .parameters import canonical, chosen, combinations, split
from .python_file import is_python_file, place_of, workload_in_file

SUFFIXES = (".toml", ".json")
_NOT_READ = (
    "are not read: write the network as TOML or JSON (`dnnbench schema` has the keys), "
    "or build it in Python"
)
OTHER_FILES = {
    ".safetensors": "name the network, and give its weights with --weights",
    ".npz": "name the network, and give its data with --data",
    **dict.fromkeys((".yaml", ".yml"), f"YAML files {_NOT_READ}"),
    **dict.fromkeys((".onnx", ".pb", ".tflite"), f"models of other tools {_NOT_READ}"),
    **dict.fromkeys((".pt", ".pth", ".h5", ".keras"), f"models of other tools {_NOT_READ}"),
}
"""What to do with a file that some take for a workload's, by its suffix."""


def find_workload(text: str) -> Workload:
    """The one workload that `text` names; UsageError if it names several, else `find_workloads`."""
    several = find_workloads(text)
    if len(several) > 1:
        raise UsageError(
            f"'{shortened(text)}' names {len(several)} workloads, and one is wanted; "
            "give the name of one, and each parameter one value"
        )
    return several[0]


def find_workloads(text: str) -> list[Workload]:
    """The workloads of a name, such as `resnet50[tiny,batch=2]`, or in the file at that path.

    A list of values, as `resnet50[batch=2,8]`, names one for each.  Of `all` every one, of
    `all[tiny]` every one that takes these parameters.
    A file is .toml or .json, or Python, as `net.py:NAME` (see `python_file`).
    A workload's name is the shortest text that gives the same parameters.

    UsageError for a name that no plugin brings, and for parameters that it does not take or that
    make no network, SpecError for a file with faults, PluginError if its plugin raises.  Among
    many, one whose plugin raises costs itself alone, and stands in `plugins().faults`.
    """
    workloads = plugins().workloads
    if text not in workloads and (of_file := _in_file(text)):
        return [of_file]
    name, items = split(text) if text else ("", [])
    if name == ALL and name not in workloads:
        return _of_all(text, items)
    if name not in workloads:
        plugins().refuse_faulty(WORKLOAD.word, name)
        names = ", ".join(workloads) or "none"
        raise UsageError(
            f"no workload is called '{shortened(name)}'{near_miss(name, workloads)} "
            f"(there are {names}); give one of these names, or the path of a .toml or .json file, "
            "or FILE.py:NAME"
        )
    info = workloads[name]
    several = [_build(info, each) for each in combinations(info, items)]
    return list({workload.name: workload for workload in several}.values())


def _in_file(text: str) -> Workload | None:
    """The workload in the file that `text` names; None where it names no file.

    UsageError for a file of a kind that is not read.
    """
    path = home_expanded(text)
    if path.suffix.lower() in SUFFIXES:
        return _read(path)
    if is_python_file(text):
        return workload_in_file(text)
    if text and (is_there(path) or text != path.name):
        todo = OTHER_FILES.get(path.suffix.lower(), "name it so, by what it holds")
        raise UsageError(
            f"workload '{shortened(text)}': a workload file ends in {' or '.join(SUFFIXES)}; {todo}"
        )
    return None


def _of_all(text: str, items: Sequence[str]) -> list[Workload]:
    """Every workload that takes these parameters; UsageError if none does."""
    infos = list(plugins().workloads.values())
    if takers := [info for info in infos if _takes(info, items)]:
        return _sound_ones(takers, items)
    if not infos:
        return []
    raise UsageError(
        f"'{shortened(text)}': no workload takes these; "
        "`dnnbench list workloads` shows what each one takes"
    )


def workloads_of(networks: Iterable[str | Network]) -> tuple[Workload, ...]:
    """The workloads that names, files and values of Python mean, each once.

    Without any, the plugins' defaults.

    UsageError if two different ones bear the same name, or if nothing is named and no plugin has
    a default; else as `find_workloads` and `as_workload`.
    """
    chosen_by_name: dict[str, Workload] = {}
    listed = list(chain.from_iterable(map(_meant, networks)))
    for workload in listed or default_workloads():
        if chosen_by_name.setdefault(workload.name, workload) != workload:
            raise UsageError(
                f"two different workloads are called '{workload.name}'; "
                "rename one, or run one at a time"
            )
    if not chosen_by_name:
        raise UsageError(
            "no workload is named, and no plugin has one to measure by default; name one"
        )
    return tuple(chosen_by_name.values())


def files_of(texts: Iterable[str]) -> dict[str, str]:
    """Of the workloads that `texts` name by a file, that file, by the workload's name; none of a
    file that cannot be read any more.
    """
    files: dict[str, str] = {}
    for text in texts:
        path = _file_of(text)
        if path is not None:
            with suppress(DnnbenchError):
                files |= {workload.name: str(path) for workload in find_workloads(text)}
    return files


def _file_of(text: str) -> Path | None:
    if text.lower().endswith(SUFFIXES):
        return Path(text)
    return place_of(text)[0] if is_python_file(text) else None


def _meant(network: str | Network) -> list[Workload]:
    if isinstance(network, str):
        return find_workloads(network)
    return [as_workload(network, "workloads")]


def _takes(info: WorkloadInfo, items: Sequence[str]) -> bool:
    try:
        for each in combinations(info, items):
            chosen(info, each)
    except UsageError:
        return False
    return True


def default_workloads() -> list[Workload]:
    """What is measured when no name is given.

    One whose plugin raises stands in `plugins().faults` instead.
    """
    defaults = [info for info in plugins().workloads.values() if info.default]
    return _sound_ones(defaults, [])


def _sound_ones(infos: Iterable[WorkloadInfo], items: Sequence[str]) -> list[Workload]:
    """The workloads, but for those whose third party's plugin raises."""
    workloads = []
    for info in infos:
        try:
            workloads += [_build(info, each) for each in combinations(info, items)]
        except PluginError as error:
            if not plugins().blame_for_workload(info.name, str(error)):
                raise
    return workloads


def _build(info: WorkloadInfo, items: Sequence[str]) -> Workload:
    values = chosen(info, items)
    try:
        with plugin_code():
            built = info.build(**values)
        if not isinstance(built, Workload):
            raise PluginError(
                f"workload '{info.name}': its plugin gave {glimpse(built)}, expected a Workload; "
                "tell its author"
            )
        named = {
            "name": canonical(info, values),
            "description": built.description or info.description,
        }
        return Workload.model_validate({**dict(built), **named})
    except (SpecError, PluginError):
        raise
    except Exception as error:
        # A user's own parameters are the user's to mend, a plugin's defaults its author's.
        if items and isinstance(error, ValueError):
            parameters = shortened(",".join(items))
            raise UsageError(
                f"workload '{info.name}[{parameters}]': {shortened(why(error))}"
            ) from None
        raise PluginError(
            f"workload '{info.name}': its plugin {what_happened(error)}; tell its author"
        ) from error


def parameters_of(workloads: Iterable[Workload]) -> dict[str, dict[str, Any]]:
    """What the builders of these workloads were called with, by name: defaults, too.

    One that no builder makes under its name, such as a user's own that is called as one of the zoo,
    has no entry.
    """
    values = {workload.name: _values_of(workload) for workload in workloads}
    return {name: chosen_values for name, chosen_values in values.items() if chosen_values}


def _values_of(workload: Workload) -> dict[str, Any]:
    try:
        builder, items = split(workload.name)
        info = plugins().workloads.get(builder)
        if info is None or _build(info, items).spec_hash != workload.spec_hash:
            return {}
        values = chosen(info, items)
    except (UsageError, PluginError, SpecError):
        return {}
    return {
        key: value if isinstance(value, int | float) else str(value)
        for key, value in values.items()
    }


def _read(path: Path) -> Workload:
    if not is_there(path) and is_there(path.parent):
        beside = {
            p.stem: p for p in path.parent.iterdir() if p.suffix.lower() in SUFFIXES and p.is_file()
        }
        if hint := near_miss(path.stem, beside, show=lambda stem: str(beside[stem])):
            raise UsageError(f"{path}: there is no such file{hint}")
    return read_workload(path)
