"""What backends say they cannot do, asked of every case in every mode,
precision and kind of device; nothing is computed.

`python -m dnnbench.testing.refusals numpy torch tensorflow jax onnxruntime > docs/unsupported.md`
writes the page anew.
"""

import sys
from collections.abc import Sequence
from itertools import chain, product

from ..errors import PluginError
from ..execution.pool import spawn, start_request
from ..plugins.discovery import plugins
from ..protocol.arm import Arm
from ..protocol.device import KINDS
from ..protocol.precision import PRECISIONS
from ..worker.clients.arm import ArmClient
from .cases import CASES
from .refusal import Refusal
from .service import SERVICE, KitClient

HEAD = "| backend | mode | device | precision | case | reason |\n|---|---|---|---|---|---|"
PAGE = """# What a backend cannot do

Before dnnbench builds anything, each backend says whether it can run a workload in a mode, on a
device, in a precision (`Backend.capabilities`). A cell that it cannot run is `unsupported`, with
the reason below, in every table and report; it is never computed in another way instead.
`dnnbench conformance NAME` shows the same of any backend.

This page has what the backends say of {cases} networks, which have every op, loss and optimizer
among them, in each of {modes} modes, {precisions} precisions and on {kinds}, and a test compares it
with the code. It is generated: `python -m dnnbench.testing.refusals {names} > docs/unsupported.md`.

## On any machine

{always}

## Without a C++ compiler

Where neither `CXX` nor the path has one, this besides:

{without}

Nothing else is refused. `--device` rejects a device that this machine lacks before any backend
is called, and `dnnbench list backends` shows which frameworks are not installed.
"""


def refusals_of(name: str) -> tuple[list[Refusal], list[Refusal]]:
    """Every refusal of an installed backend, with and without a compiler.

    WorkerError if it cannot start.
    """
    info = plugins().backend(name)
    arm = Arm(name, info.default_mode)
    modes = tuple(info.modes)
    with spawn(arm, f"refusals-{name}", service=SERVICE) as worker:
        ArmClient(worker).start(start_request(arm))
        kit = KitClient(worker)
        always, without = (list(kit.refusals(modes, compiler)) for compiler in (True, False))
    return always, without


def render(names: Sequence[str], always: Sequence[Refusal], without: Sequence[Refusal]) -> str:
    """The text of docs/unsupported.md, from what the backends refuse with and without a compiler.

    PluginError where a reason holds for no whole block of arms, which a row cannot tell.
    """
    besides = [refusal for refusal in without if refusal not in set(always)]
    modes = sum(len(plugins().backend(name).modes) for name in names)
    return PAGE.format(
        names=" ".join(names),
        cases=len(CASES),
        modes=modes,
        precisions=len(PRECISIONS),
        kinds=", ".join(KINDS),
        always=_table(always, always),
        without=_table(besides, without),
    )


def _table(refusals: Sequence[Refusal], every: Sequence[Refusal]) -> str:
    """A row for each reason of a backend.

    `every` refusal, told here or above, is no gap in a row.
    """
    refused: set[tuple[str, ...]] = {refusal[:-1] for refusal in every}
    groups: dict[tuple[str, str], list[Refusal]] = {}
    for refusal in refusals:
        groups.setdefault((refusal.backend, refusal.reason), []).append(refusal)
    return "\n".join(
        [
            HEAD,
            *(_row(backend, reason, group, refused) for (backend, reason), group in groups.items()),
        ]
    )


def _row(backend: str, reason: str, group: Sequence[Refusal], refused: set[tuple[str, ...]]) -> str:
    whole = (plugins().backend(backend).modes, KINDS, tuple(PRECISIONS), tuple(CASES))
    columns = []
    for axis, values in enumerate(whole, start=1):
        refused_here = {refusal[axis] for refusal in group}
        columns.append([value for value in values if value in refused_here])
    if not refused.issuperset(product([backend], *columns)):
        raise PluginError(
            f"{backend} says {reason!r} of a ragged set of arms; give each part a reason of its own"
        )
    cells = [
        "any" if len(some) == len(values) else ", ".join(some)
        for some, values in zip(columns, whole, strict=True)
    ]
    return f"| {' | '.join([f'`{backend}`', *cells, reason])} |"


if __name__ == "__main__":
    names = sys.argv[1:]
    of_backends = [refusals_of(name) for name in names]
    always = list(chain.from_iterable(here for here, _ in of_backends))
    without = list(chain.from_iterable(elsewhere for _, elsewhere in of_backends))
    print(render(names, always, without), end="")
