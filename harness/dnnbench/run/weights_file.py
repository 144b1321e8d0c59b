"""Weights on disk: safetensors, with the hash of the spec they belong to."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..spec.model import Model
from ..spec.workload import Workload

FORMAT = "dnnbench-weights-1"


def save_weights(path: Path, workload: Workload, weights: Mapping[str, np.ndarray], facts: Mapping[str, str]) -> None:
    """Write parameters and running statistics; `facts` (backend, epochs, accuracy) go into the header as text."""
    from safetensors.numpy import save_file

    header = {"format": FORMAT, "workload": workload.name, "spec_hash": workload.model.spec_hash, **facts}
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path, header)


def load_weights(path: str | Path, workload: Workload) -> dict[str, np.ndarray]:
    """The arrays of a file written for this model; DataError naming every tensor that differs."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    if not path.is_file():
        raise DataError(f"{path}: no such weights file; `dnnbench train {workload.name} --save FILE` writes one")
    try:
        with safe_open(path, "numpy") as archive:
            header = archive.metadata() or {}
            arrays = {name: archive.get_tensor(name) for name in archive.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not a safetensors file: {error}; give a file that dnnbench train wrote") from None
    _refuse_others(path, workload.model, header, arrays)
    return arrays


def _refuse_others(path: Path, model: Model, header: Mapping[str, str], arrays: Mapping[str, np.ndarray]) -> None:
    wanted = {name: tuple(p.shape) for name, p in {**model.parameters, **model.state}.items()}
    got = {name: array.shape for name, array in arrays.items()}
    differing = [
        f"{name}: file has {got.get(name, 'none')}, {model.name} wants {wanted.get(name, 'none')}"
        for name in sorted({*wanted, *got})
        if wanted.get(name) != got.get(name)
    ]
    hash_differs = header.get("spec_hash", model.spec_hash) != model.spec_hash
    if differing or hash_differs:
        listed = "; ".join(differing) or "no tensor differs in shape, but attributes of the network do"
        origin = header.get("workload", "an unknown network")
        raise DataError(
            f"{path}: holds weights of {origin} (spec {header.get('spec_hash', 'unknown')}), not of {model.name} "
            f"(spec {model.spec_hash}): {listed}; train this network, or name the one the file belongs to"
        )
    broken = [name for name, array in arrays.items() if not np.all(np.isfinite(array))]
    if broken:
        raise DataError(f"{path}: not finite: {', '.join(broken)}; train again with a smaller learning rate")
