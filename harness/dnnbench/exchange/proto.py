"""A graph as an ONNX file. The library `onnx` is imported here alone, when a file is made."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import numpy as np

from ..errors import UsageError
from .graph import Step
from .network import Network, Port

if TYPE_CHECKING:
    from onnx import ModelProto, NodeProto, TensorProto, ValueInfoProto

OPSET = 23
"""Of ONNX's operators: the first with Attention and RMSNormalization."""
IR_VERSION = 11
"""Of the file's own format, as ONNX pairs it with the opset."""
BATCH = "N"
"""Name of the axis of any size."""
WHOLE_FILE_BYTES = 2**31 - 2**24
"""A protocol buffer holds less than 2 GiB; what is larger keeps its arrays in a file beside it."""


def model_proto(
    network: Network,
    facts: Mapping[str, str] | None = None,
    apart: Collection[str] = (),
) -> ModelProto:
    """The network as ONNX's own object; UsageError where onnx is not installed.

    facts: goes into the file's metadata as text   apart: arrays that are named and shaped and left
    out, for whoever hands them to a runtime in memory
    """
    onnx = require_onnx()
    graph = onnx.helper.make_graph(
        [_node(onnx, step) for step in network.graph.steps],
        network.name,
        [_port(onnx, port) for port in network.inputs],
        [_port(onnx, port) for port in network.outputs],
        [
            _elsewhere(onnx, name, array)
            if name in apart
            else onnx.numpy_helper.from_array(array, name)
            for name, array in network.graph.arrays.items()
        ],
    )
    model: ModelProto = onnx.helper.make_model(
        graph,
        opset_imports=[onnx.helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="dnnbench",
    )
    onnx.helper.set_model_props(model, dict(facts or {}))
    return model


def save_network(
    network: Network, path: Path, facts: Mapping[str, str] | None = None
) -> list[Path]:
    """Write the file, its arrays in one beside it where they are too many, and have it checked.

    returns: the files written; OSError where one cannot be
    """
    onnx = require_onnx()
    model = model_proto(network, facts)
    beside = path.with_name(path.name + ".data")
    large = sum(array.nbytes for array in network.graph.arrays.values()) > WHOLE_FILE_BYTES
    beside.unlink(missing_ok=True)
    onnx.save_model(model, path, save_as_external_data=large, location=beside.name)
    onnx.checker.check_model(path, full_check=True)
    return [path, beside] if large else [path]


def require_onnx() -> ModuleType:
    """The library; UsageError with the remedy where it is not installed."""
    try:
        import onnx
        import onnx.numpy_helper
    except ImportError as error:
        raise UsageError(
            f"ONNX files need the library onnx ({error}); "
            "install it with `pip install 'dnnbench[onnx]'`"
        ) from None
    return onnx


def _node(onnx: ModuleType, step: Step) -> NodeProto:
    node: NodeProto = onnx.helper.make_node(
        step.kind, step.inputs, step.outputs, step.name, **step.attributes
    )
    return node


def _elsewhere(onnx: ModuleType, name: str, array: np.ndarray) -> TensorProto:
    """An array without its numbers."""
    place = {"location": "memory", "offset": "0", "length": str(array.nbytes)}
    tensor: TensorProto = onnx.TensorProto(
        name=name,
        data_type=onnx.helper.np_dtype_to_tensor_dtype(array.dtype),
        dims=array.shape,
        data_location=onnx.TensorProto.EXTERNAL,
    )
    for key, value in place.items():
        tensor.external_data.add(key=key, value=value)
    return tensor


def _port(onnx: ModuleType, port: Port) -> ValueInfoProto:
    kind = onnx.helper.np_dtype_to_tensor_dtype(np.dtype(port.dtype))
    info: ValueInfoProto = onnx.helper.make_tensor_value_info(port.name, kind, [BATCH, *port.shape])
    return info
