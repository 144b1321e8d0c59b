"""A script from its parts: head, imports, functions, the backend's code, the loop."""

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..errors import UsageError
from ..protocol.device import CPU
from ..protocol.dtypes import DType
from ..spec.phases import PHASES, Phase
from .cutting import Import, cut
from .importing import import_lines
from .provenance import Provenance, head
from .wrapping import broken
from .writer import ScriptParts, ScriptRequest, ScriptWriter

LEARNING = (Phase.GRADIENTS, Phase.TRAIN_STEP)
LOOP = Path(__file__).with_name("loop.py")
POOLS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NPROC")
"""Variables that libraries read their number of threads from, once."""


@dataclass(frozen=True)
class Script:
    """A script, and the files that stand beside it, by name."""

    name: str
    text: str
    beside: Mapping[str, bytes]


def script(writer: ScriptWriter, request: ScriptRequest, origin: Provenance) -> Script:
    """The cell as a script; UsageError with the reason where it cannot be written yet."""
    if reason := _refusal(request) or writer.refusal(request):
        raise UsageError(
            f"reproduce: {request.workload.name} {request.arm.name} {request.phase}: {reason}"
        )
    parts = writer.parts(request)
    beside = {f"{request.name}{suffix}": content for suffix, content in parts.beside.items()}
    if parts.arrays:
        beside[f"{request.name}.npz"] = _npz(parts.arrays)
    text = _text(writer, request, origin, parts, sorted(beside))
    return Script(f"{request.name}.py", text, beside)


def _refusal(request: ScriptRequest) -> str:
    """Why no backend's script is written of the cell; empty if its backend may."""
    if request.arm.device.kind != CPU.kind:
        return f"scripts are written for the CPU; one for {request.arm.device} is not written yet"
    if request.arm.dtype not in (DType.FLOAT32, DType.FLOAT64):
        return (
            f"scripts are written in float32 and float64; the casts around ops of "
            f"{request.arm.dtype} are not written yet"
        )
    if request.phase not in PHASES:
        return f"'{request.phase}' is a piece of a phase; take the phase that it belongs to"
    if request.phase in LEARNING and not request.workload.model.parameters:
        return "the network has nothing that is learned"
    return ""


def _text(
    writer: ScriptWriter,
    request: ScriptRequest,
    origin: Provenance,
    parts: ScriptParts,
    files: list[str],
) -> str:
    code = f"{_arrays(request, parts)}{parts.code.strip()}"
    ending = 'if __name__ == "__main__":\n    main(start, call, wait, answers, CALLS)'
    held, loop = cut(parts.files, code), cut([LOOP], ending)
    needed = [*held.imports, *loop.imports, Import("os", "", "os")]
    needed += [Import("pathlib", "Path", "Path")]
    standard, others = import_lines(needed)
    blocks = [
        head(writer, request, origin, files) + "\n\n" + "\n".join(standard),
        _environment(request),
        "\n".join(others) + f"\n\nCALLS = {origin.calls}",
    ]
    top = "\n\n".join(blocks)
    return "\n\n\n".join([top, *held.code, code, *loop.code, ending]) + "\n"


def _environment(request: ScriptRequest) -> str:
    """Threads and CPUs, before a library is imported that reads them."""
    pools = ", ".join(f'"{name}"' for name in POOLS)
    return "\n".join(
        [
            f"THREADS = {request.arm.threads}",
            broken(f"os.environ.update(dict.fromkeys([{pools}], str(THREADS)))"),
            "os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:THREADS])",
        ]
    )


def _arrays(request: ScriptRequest, parts: ScriptParts) -> str:
    if not parts.arrays:
        return ""
    return f'ARRAYS = np.load(Path(__file__).with_name("{request.name}.npz"))\n'


def _npz(arrays: Mapping[str, np.ndarray]) -> bytes:
    file = io.BytesIO()
    np.savez(file, **arrays)  # type: ignore[arg-type]  # any name, of which none is a keyword's
    return file.getvalue()
