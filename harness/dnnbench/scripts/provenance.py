"""What the head of a script tells: what was measured, where, with what."""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from ..spec.phases import Phase
from .wrapping import WIDTH
from .writer import ScriptRequest, ScriptWriter


@dataclass(frozen=True)
class Provenance:
    """Of a cell in a store.

    call_s: median seconds a call; None where nothing was measured
    variables: of the environment that the worker was started with and a script cannot set itself
    weights: where they come from.
    """

    run: str
    cell: str
    dnnbench: str
    call_s: float | None
    visits: int
    calls: int
    machine: str
    versions: Mapping[str, str]
    weights: str
    variables: Mapping[str, str] = field(default_factory=dict)


def head(writer: ScriptWriter, request: ScriptRequest, origin: Provenance, files: list[str]) -> str:
    """The script's docstring."""
    paragraphs = [
        f"{_subject(request)}, in {writer.title}.",
        *_filled(_measured(request, origin)),
        _usage(request.name, origin),
        *_filled(chain(_holds(files, origin), _draws(writer, request))),
    ]
    text = "\n\n".join(paragraphs).replace("\\", "\\\\").replace('"""', "'''")
    return f'"""{text}\n"""'


def _subject(request: ScriptRequest) -> str:
    return f"{request.workload.name}, batch size {request.batch.size}, {request.phase}"


def _draws(writer: ScriptWriter, request: ScriptRequest) -> Iterator[str]:
    drawing = [node.name for node in request.workload.model.nodes if node.op.random]
    if drawing and request.phase != Phase.INFER:
        yield (
            f"Random ops draw from {writer.generator}, of seed {request.seed}, "
            "in the order in which dnnbench's program does."
        )


def _filled(sentences: Iterator[str]) -> list[str]:
    return ["\n".join(textwrap.wrap(" ".join(sentences), WIDTH, break_on_hyphens=False))]


def _measured(request: ScriptRequest, origin: Provenance) -> Iterator[str]:
    arm = request.arm
    yield (
        f"Cell {origin.cell} of dnnbench's run {origin.run}: {arm.name}, {arm.dtype}, "
        f"{arm.threads} thread{'s' if arm.threads > 1 else ''}, {arm.device}, on {origin.machine}."
    )
    if origin.call_s is not None:
        yield (
            f"Measured: {1e3 * origin.call_s:.4g} ms a call, the median of {origin.visits} visits "
            f"of {origin.calls} call{'s' if origin.calls > 1 else ''} each."
        )
    versions = ", ".join(f"{name} {version}" for name, version in origin.versions.items())
    yield f"Versions then: {versions}; dnnbench {origin.dnnbench} wrote this."


def _usage(name: str, origin: Provenance) -> str:
    started = "".join(f"{key}={value} " for key, value in origin.variables.items())
    lines = [f"{started}python {name}.py", f"python {name}.py --check FILE.npz"]
    intent = "The first prints a time; the second writes what one call computes:"
    return "\n".join([intent, "", *(f"    {line}" for line in lines)])


def _holds(files: list[str], origin: Provenance) -> Iterator[str]:
    verb = "holds" if len(files) == 1 else "hold"
    yield f"{' and '.join(files)} beside it {verb} the batch, and the weights: {origin.weights}."
