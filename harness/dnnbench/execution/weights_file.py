"""Weights on disk: safetensors, with the hash of the spec they belong to."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np

from ..errors import DataError
from ..regular import require_regular
from ..spec.model import Model
from ..spec.workload import Workload
from ..wording import listed, shortened

FORMAT = "dnnbench-weights-1"
TYPES = ("F64", "F32", "F16")
"""Element types that are read, as safetensors names them.
NumPy has more wherever a framework was imported before.
"""


def save_weights(
    path: Path, workload: Workload, weights: Mapping[str, np.ndarray], facts: Mapping[str, str]
) -> None:
    """Write parameters and running statistics.

    `facts` (backend, epochs, accuracy) go into the header as text.
    """
    from safetensors.numpy import save_file

    header = {
        "format": FORMAT,
        "workload": workload.name,
        "spec_hash": workload.model.spec_hash,
        **facts,
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file({name: np.ascontiguousarray(array) for name, array in weights.items()}, path, header)


def load_weights(path: str | Path, workload: Workload) -> dict[str, np.ndarray]:
    """The arrays of a file written for this model; DataError naming tensors that differ."""
    from safetensors import SafetensorError, safe_open

    path = Path(path)
    try:
        require_regular(path)
        with safe_open(path, "numpy") as archive:
            names = list(archive.keys())
            shapes = {name: tuple(archive.get_slice(name).get_shape()) for name in names}
            # From the header alone: a large file of another network is not read.
            _refuse_others(path, workload.model, archive.metadata() or {}, shapes)
            _refuse_types(path, {name: archive.get_slice(name).get_dtype() for name in shapes})
            arrays = {name: archive.get_tensor(name) for name in shapes}
    except FileNotFoundError:
        command = f"`dnnbench train {workload.name} --save FILE`"
        raise DataError(f"{path}: no such weights file; {command} writes one") from None
    except (SafetensorError, OSError, ValueError, TypeError, AttributeError, KeyError) as error:
        reason = shortened(str(error))
        raise DataError(
            f"{path}: cannot be read: {reason}; give a safetensors file of dnnbench train"
        ) from None
    broken = [name for name, array in arrays.items() if not np.all(np.isfinite(array))]
    if broken:
        raise DataError(
            f"{path}: not finite: {listed(broken)}; train again with a smaller learning rate"
        )
    return arrays


def _refuse_types(path: Path, got: Mapping[str, str]) -> None:
    """DataError for element types that are not read, the same whatever else this process
    has imported.
    """
    if odd := [f"{name} is {kind}" for name, kind in got.items() if kind not in TYPES]:
        raise DataError(
            f"{path}: cannot be read: {listed(odd)}, expected {', '.join(TYPES)}; "
            "save the weights as float32 (F32)"
        )


def _refuse_others(
    path: Path, model: Model, header: Mapping[str, str], got: Mapping[str, tuple[int, ...]]
) -> None:
    """DataError for shapes of another network; no tensor is read before."""
    wanted = {name: tuple(p.shape) for name, p in {**model.parameters, **model.state}.items()}
    differing = [
        f"{name}: file has {got.get(name, 'none')}, {model.name} wants {wanted.get(name, 'none')}"
        for name in sorted({*wanted, *got})
        if wanted.get(name) != got.get(name)
    ]
    hash_differs = header.get("spec_hash", model.spec_hash) != model.spec_hash
    if differing or hash_differs:
        what = (
            listed(differing, "; ")
            or "no tensor differs in shape, but attributes of the network do"
        )
        origin = shortened(header.get("workload", "an unknown network"))
        their_hash = shortened(header.get("spec_hash", "unknown"))
        raise DataError(
            f"{path}: holds weights of {origin} (spec {their_hash}), not of {model.name} (spec "
            f"{model.spec_hash}): {what}; train this network, or name the one the file belongs to"
        )
