"""Gives another interpreter this installation's dnnbench packages, and nothing that lies
beside them.
"""

import importlib.metadata
import importlib.util
from pathlib import Path

from ..errors import WorkerError

DISTRIBUTION = "dnnbench"


def lend_packages(folder: Path) -> Path:
    """Fill `folder` with links to dnnbench, its plugins and its metadata.

    Returns it, for PYTHONPATH.

    A link each, because the folder that holds them may hold this interpreter's frameworks too,
    which the other one must not see.
    The other interpreter needs dnnbench's own dependencies.
    Raises WorkerError if dnnbench is not installed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for source in [*_packages(), _metadata()]:
        link = folder / source.name
        if not link.exists():
            link.symlink_to(source, target_is_directory=True)
    return folder


def _distribution() -> importlib.metadata.Distribution:
    try:
        return importlib.metadata.distribution(DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError:
        raise WorkerError(
            "dnnbench runs from a source tree, uninstalled, so no other interpreter can borrow it; "
            "run 'pip install -e .' in the tree, or install dnnbench in the other environment"
        ) from None


def _packages() -> list[Path]:
    plugins = _distribution().entry_points.select(group=DISTRIBUTION)
    names = sorted(
        {DISTRIBUTION} | {plugin.value.split(".")[0].split(":")[0] for plugin in plugins}
    )
    specs = [importlib.util.find_spec(name) for name in names]
    return [
        Path(spec.submodule_search_locations[0])
        for spec in specs
        if spec and spec.submodule_search_locations
    ]


def _metadata() -> Path:
    record = next(file for file in _distribution().files or [] if file.name == "METADATA")
    return Path(record.locate()).parent
