"""Workloads by name or by file."""

from difflib import get_close_matches
from pathlib import Path

from ..errors import PluginError, SpecError, UsageError
from ..spec.files import read_workload
from ..spec.soundness import near_miss
from ..spec.workload import Workload
from .discovery import plugins
from .hooks import WorkloadInfo

SUFFIXES = (".toml", ".json")


def find_workload(text: str) -> Workload:
    """The workload of that name, or in the .toml or .json file at that path.

    UsageError for a name nobody brings, SpecError for a file with faults, PluginError if its plugin raises.
    """
    known = plugins().workloads
    if text in known:
        return _build(known[text])
    path = Path(text).expanduser()
    if path.suffix in SUFFIXES:
        return _read(path)
    if text and (path.exists() or text != path.name):
        raise UsageError(f"workload '{text}': a workload file ends in {' or '.join(SUFFIXES)}; rename it")
    raise UsageError(
        f"no workload is called '{text}'{near_miss(text, known)} (there are {', '.join(known) or 'none'}); "
        "give one of these names, or the path of a .toml or .json file"
    )


def _build(info: WorkloadInfo) -> Workload:
    try:
        return info.build()
    except SpecError:
        raise
    except Exception as error:
        raised = f"{type(error).__name__}: {error}"
        raise PluginError(f"workload '{info.name}': its plugin raised {raised}; tell its author") from error


def _read(path: Path) -> Workload:
    if not path.exists() and path.parent.is_dir():
        beside = {p.stem: p for p in path.parent.iterdir() if p.suffix in SUFFIXES and p.is_file()}
        if close := get_close_matches(path.stem, beside, n=1):
            raise UsageError(f"{path}: there is no such file; did you mean '{beside[close[0]]}'?")
    return read_workload(path)
