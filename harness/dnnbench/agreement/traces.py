"""What calls of a program leave behind, where they must leave nothing: asked of the program itself,
after a check has found that it differs, without any reference.
"""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial

from ..protocol.batch import Batch
from ..protocol.program import Program
from ..spec.phases import PHASES, Phase
from ..spec.workload import Workload
from .observing import Build, with_optimizer
from .trace import Trace
from .traces_of_batches import behind_a_larger, lent, odd, overwritten, padded, taken
from .traces_of_state import kept, moved, not_loaded, not_restored, returned, second


def find_traces(
    build: Build,
    workload: Workload,
    batches: Sequence[Batch],
    phases: Collection[Phase],
    plain: Build | None = None,
) -> list[Trace]:
    """Everything that calls leave behind, the first in the order in which they are called.

    plain: how a program is built that loads nothing behind it, which would hide how it begins;
    None for `build`
    """
    passes: tuple[Phase, ...] = PHASES[:-1]
    called = [phase for phase in passes if phase in phases]
    if not called:
        return []

    def of_its_own() -> Program:
        return build(with_optimizer(workload, workload.task.optimizer))

    searches: list[Callable[[Program, Sequence[Batch], list[Phase]], Iterator[Trace]]] = [
        lent,
        overwritten,
        partial(taken, of_its_own),
        moved,
        odd,
        padded,
        behind_a_larger,
    ]
    if Phase.TRAIN_STEP in phases:
        searches += [kept, not_loaded, not_restored, returned]
    traces: list[Trace] = []
    if Phase.TRAIN_STEP in phases:
        # Before any other program is built in this process.
        traces += second(lambda: (plain or build)(workload), of_its_own, batches[0])
    for search in searches:
        program = of_its_own()
        try:
            traces += search(program, batches, called)
        finally:
            program.close()
    return traces
