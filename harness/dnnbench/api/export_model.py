"""dnnbench.export_model: a network as an ONNX file."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import UsageError
from ..execution.spelling import LARGEST_SEED
from ..execution.weights_file import load_weights
from ..plugins.catalog import workloads_of
from ..plugins.networks import Network
from ..regular import home_expanded
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from ..store.engine import refuse_to_overwrite
from .options import networks, whole

if TYPE_CHECKING:
    from ..exchange.network import Network as OnnxNetwork
    from ..exchange.network import Port

TYPES = ("float32", "float64")
Arrays = Mapping[str, np.ndarray]
Weights = str | Path | Arrays


@dataclass(frozen=True)
class ExportedPort:
    """An input or output of the file: N is the number of examples."""

    name: str
    shape: list[int | str]
    dtype: str


@dataclass(frozen=True)
class ExportedModel:
    """What was written, and where."""

    workload: str
    spec_hash: str
    weights: str
    """Where they came from."""
    files: list[str]
    bytes: int
    opset: int
    operators: int
    inputs: list[ExportedPort]
    outputs: list[ExportedPort]

    def to_json(self) -> dict[str, Any]:
        """Plain data for a script."""
        return asdict(self)


def export_model(
    workload: str | Network,
    output: str | Path,
    *,
    weights: Weights | None = None,
    dtype: str = TYPES[0],
    seed: int = 0,
) -> ExportedModel:
    """Write a network in ONNX, as it infers.

    output: the file; over 2 GiB of weights go into `output`.data beside it.  weights: a file that
    `train(save=...)` wrote, or arrays by name, as `Training.weights` holds them; without, the
    initial ones of `seed`.  dtype: float32 or float64.  Needs the extra `dnnbench[onnx]`.  Raises
    UsageError where that is missing or the file cannot be written, DataError for other weights.
    """
    from ..exchange.network import network
    from ..exchange.proto import require_onnx

    require_onnx()
    if dtype not in TYPES:
        raise UsageError(f"dtype: got {dtype!r}, expected one of {', '.join(TYPES)}")
    chosen = workloads_of(networks(workload))
    if len(chosen) != 1:
        raise UsageError(f"export_model: got {len(chosen)} workloads, expected one")
    arrays, origin = _arrays(chosen[0], weights, whole("seed", seed, 0, LARGEST_SEED))
    exported = network(chosen[0], arrays, dtype)
    files = _written(exported, chosen[0], home_expanded(output), origin)
    return _described(exported, chosen[0], files, origin)


def _arrays(workload: Workload, weights: Weights | None, seed: int) -> tuple[Arrays, str]:
    """The weights, and where they come from."""
    if weights is None:
        return initial_weights(workload.model, seed), f"initial weights of seed {seed}"
    if isinstance(weights, Mapping):
        return weights, "weights of the caller"
    return load_weights(weights, workload), str(weights)


def _written(exported: "OnnxNetwork", workload: Workload, path: Path, origin: str) -> list[Path]:
    from ..exchange.proto import save_network

    facts = {
        "workload": workload.name,
        "spec_hash": workload.model.spec_hash,
        "weights": Path(origin).name,
    }
    refuse_to_overwrite(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        return save_network(exported, path, facts)
    except OSError as error:
        raise UsageError(
            f"export-model: {path} cannot be written ({error.strerror}); name another file with -o"
        ) from error


def _described(
    exported: "OnnxNetwork", workload: Workload, files: list[Path], origin: str
) -> ExportedModel:
    from ..exchange.proto import OPSET

    return ExportedModel(
        workload=workload.name,
        spec_hash=workload.model.spec_hash,
        weights=origin,
        files=[str(file) for file in files],
        bytes=sum(file.stat().st_size for file in files),
        opset=OPSET,
        operators=len(exported.graph.steps),
        inputs=[_port(port) for port in exported.inputs],
        outputs=[_port(port) for port in exported.outputs],
    )


def _port(port: "Port") -> ExportedPort:
    return ExportedPort(port.name, ["N", *port.shape], port.dtype)
