"""The arrays that stand beside a script."""

from collections.abc import Callable

import numpy as np

from .network_code import SCORING
from .writer import ScriptRequest

Laid = Callable[[str, np.ndarray], np.ndarray]


def arrays_of(
    request: ScriptRequest,
    *,
    label: str,
    ids: str = "int32",
    weight: Laid = lambda name, array: array,
    tensor: Callable[[np.ndarray], np.ndarray] = lambda array: array,
) -> dict[str, np.ndarray]:
    """`weights/<name>`, `state/<name>`, `inputs/<name>` and `targets`.

    label, ids: integer types of targets and of inputs  weight: a parameter as the framework lays it
    tensor: a batch of float arrays as the framework lays it
    """
    model, dtype = request.workload.model, request.arm.precision.weights
    kinds = {"weights": model.parameters, "state": model.state}
    arrays = {}
    for kind, names in kinds.items():
        for name in names:
            laid = weight(name, request.weights[name])
            arrays[f"{kind}/{name}"] = np.ascontiguousarray(laid, dtype).reshape(laid.shape)
    for source in model.inputs:
        array = request.batch.inputs[source.name]
        if source.dtype == "float":
            placed = np.ascontiguousarray(tensor(array), dtype)
        else:
            placed = array.astype(ids if source.dtype == "int32" else source.dtype)
        arrays[f"inputs/{source.name}"] = placed
    if request.phase in SCORING:
        arrays["targets"] = _targets(request.batch.targets, dtype, label, tensor)
    return arrays


def _targets(
    targets: np.ndarray,
    dtype: str,
    label: str,
    tensor: Callable[[np.ndarray], np.ndarray],
) -> np.ndarray:
    if targets.dtype.kind != "f":
        return targets.astype(label)
    return np.ascontiguousarray(tensor(targets), dtype)
