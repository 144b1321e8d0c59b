"""What is wrong after a check has found a divergence: a phase that leaves something behind, the
first part that is wrong alone too, or the phase that puts right parts together.
"""

from collections.abc import Sequence

from ..agreement.check import DRAWN, FAR, INITIAL, TIMED, Agreement, Kind
from ..agreement.comparison import TensorComparison
from ..agreement.drawn import NOT_BROUGHT_BACK
from ..agreement.keys import Group, TensorKey
from ..agreement.starting import start_weights
from ..agreement.status import Status
from ..agreement.trace import Part, Trace
from ..protocol.batch import Batch
from ..spec.phases import PIECES, Phase
from ..spec.weights import initial_weights
from ..spec.workload import Workload
from .candidates import candidates
from .explanation import Explanation
from .known_faults import UNKNOWN
from .replayer import Replayer
from .search import AT_RANDOM, Search, without_replay

STALE = "stale weights or kept answers (unchanged by the step)"


def explain(
    workload: Workload,
    batches: Sequence[Batch],
    rows: Sequence[Agreement],
    seed: int,
    replayer: Replayer,
) -> Explanation:
    """Why a check's `rows` for one arm, workload and element type are not all right."""
    differing = [row for row in rows if row.status is Status.DIFFERS]
    branches = {Kind.parse(row.kind).branch for row in differing}
    plain = initial_weights(workload.model, seed)
    if branches == {INITIAL}:
        met = Search(workload, batches, rows, plain, replayer).run()
        return met if isinstance(met, Explanation) else _by_branch(rows)
    weights = start_weights(workload.model, seed)
    search = Search(workload, batches, rows, weights, replayer)
    if branches == {FAR} and differing[0].key.group is Group.PREDICTION:
        return search.of_ties(differing[0])
    if all(branches):
        return _by_branch(rows)
    traces = replayer.find_traces()
    for trace in traces:
        if trace.certain:
            return _by_trace(rows, trace)
    met = search.run()
    if isinstance(met, Explanation):
        return met
    if met is not None:
        return without_replay(workload, met, STALE)
    if at_random := _at_random(workload, replayer.find_repeats()):
        return at_random
    # What is wrong only where a program was built from initial weights, as it is timed.
    as_timed = Search(workload, batches, rows, weights, replayer, plain).run()
    if isinstance(as_timed, Explanation):
        return as_timed
    for trace in traces:
        # What goes wrong without it is not left by it.
        if wrong := search.later_steps():
            return _phase(Phase.TRAIN_STEP, wrong, UNKNOWN)
        return _by_trace(rows, trace)
    if search.first:
        return without_replay(workload, search.first, UNKNOWN)
    return _by_phase(rows)


def _by_trace(rows: Sequence[Agreement], trace: Trace) -> Explanation:
    """A call leaves something behind; beside it, the first tensor that is wrong by it."""
    differing = [row for row in rows if row.status is Status.DIFFERS]
    of_phase = [row for row in differing if _phase_of(row.key) == trace.name]
    row = (of_phase or differing)[0]
    return _phase(trace.name, row, trace.fault)


def _at_random(workload: Workload, comparisons: Sequence[TensorComparison]) -> Explanation | None:
    """The first part of a training pass that is not always the same."""
    by_key = {comparison.key: comparison for comparison in comparisons}
    for candidate in candidates(workload, by_key, ()):
        return without_replay(workload, candidate, AT_RANDOM)
    return None


def _by_phase(rows: Sequence[Agreement]) -> Explanation:
    """Node by node all is right: a phase's own function, or a later step,
    computes something else.
    """
    row = next(row for row in rows if row.status is Status.DIFFERS)
    return _phase(_phase_of(row.key), row, UNKNOWN)


def _phase(name: str, row: Agreement | TensorComparison, fault: str) -> Explanation:
    tensor = str(row.key)
    return Explanation("phase", name, "", tensor, row.ratio, row.reason, fault, confirmed=False)


def _by_branch(rows: Sequence[Agreement]) -> Explanation:
    """Right on small batches with masks from outside, and wrong where time is taken."""
    row = next(row for row in rows if row.status is Status.DIFFERS)
    where = {
        TIMED: "right on smaller batches",
        DRAWN: "right under masks from outside",
        FAR: "right on numbers near 1",
        INITIAL: "right from other weights than those that it is built from",
    }
    fault = where[Kind.parse(row.kind).branch]
    if NOT_BROUGHT_BACK in row.reason:
        return _phase(Part.RESTORE, row, "it leaves the generator as it was")
    return _phase(_phase_of(row.key), row, fault)


def _phase_of(key: TensorKey) -> Phase:
    """The phase to name: the update for whatever it has changed, the loss for the loss."""
    if key.optimizer and key.phase not in PIECES:
        return Phase.TRAIN_STEP
    if key.phase in PIECES:
        return key.phase
    return Phase.LOSS if key.group is Group.LOSS else key.phase
