"""A contender held against the reference: a table with one row for each kind of tensor."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ..protocol.batch import Batch
from ..protocol.capabilities import Capabilities
from ..protocol.program import Program, trainable
from ..spec.costs import training_step
from ..spec.optimizers import Optimizer
from ..spec.phases import PHASES, PIECES, Phase
from ..spec.workload import Workload
from .allowances import BUDGET, CHECK_BATCH, FEW_STEPS, MANY_STEPS, STEPS
from .comparing import compare
from .comparison import TensorComparison, worst_of
from .drawn import compare_drawn
from .kept import compare_kept
from .keys import TensorKey, Tensors
from .observing import (
    Initial,
    observe_others,
    observe_own,
    optimizers_to_check,
    with_optimizer,
)
from .reference import Reference
from .rehearsal import rehearse
from .status import Status, badness
from .timed import How, compare_timed, how, is_level_row

REFUSED = "unsupported optimizer"
"""Kind of the row that stands for an optimizer which the backend does not have."""
MISSING = "unsupported phases"
"""Kind of the row that stands for phases which the backend does not offer of the workload."""
IMPOSSIBLE = "it cannot run this piece alone"
GIVEN_WEIGHTS = "weights"
TIMED, DRAWN, FAR, INITIAL = "timed", "drawn", "far", "initial"
UNDETERMINED = "undetermined"
"""Kind of the row that stands for all tensors which the precision does not determine."""


@dataclass(frozen=True)
class Kind:
    """What sort of tensors a row stands for, and after how many steps; its text is `weights@5`.

    given_weights: whether they come from weights of a file, not from a seed:
    `outputs@weights`.
    branch: TIMED of the batch that is timed, `outputs@timed`; DRAWN of one under masks that the
    framework draws, `outputs@drawn`; FAR of logits and scores far from 1, `outputs@far`; INITIAL
    of the weights that a program is timed with, `outputs@initial`.
    """

    name: str
    step: int = 0
    given_weights: bool = False
    branch: str = ""

    def __str__(self) -> str:
        if self.branch:
            return f"{self.name}@{self.branch}"
        if self.given_weights:
            return f"{self.name}@{GIVEN_WEIGHTS}"
        return f"{self.name}@{self.step}" if self.step else self.name

    @classmethod
    def parse(cls, text: str) -> "Kind":
        """The kind whose text it is."""
        name, _, moment = text.partition("@")
        if moment == GIVEN_WEIGHTS:
            return cls(name, given_weights=True)
        if moment in (TIMED, DRAWN, FAR, INITIAL):
            return cls(name, branch=moment)
        return cls(name, int(moment or 0))


@dataclass(frozen=True)
class Agreement:
    """The worst tensor of one kind (outputs, loss, weights@5, ...) under one optimizer."""

    kind: str
    optimizer: str
    tensor: str
    ratio: float
    tensors: int | None
    """How many there are of the kind; None where an older dnnbench did not count them."""
    reason: str
    status: Status

    @property
    def ok(self) -> bool:
        """Whether nothing speaks against the arm."""
        return self.status.passes

    @property
    def badness(self) -> tuple[int, float]:
        """A key by which `max` finds the worst."""
        return badness(self.status, self.ratio)

    @property
    def key(self) -> TensorKey:
        """Of the worst tensor; ValueError where none was compared."""
        return TensorKey.parse(self.tensor)


def check_steps(workload: Workload) -> tuple[int, ...]:
    """After which steps training is looked at: 1 and 5, after 12 too where that is little work,
    and 1 and 2 where five are too much.
    """
    step = training_step(workload, check_batch_size(workload)).flops
    if max(MANY_STEPS) * step <= BUDGET.many_flops:
        return MANY_STEPS
    return STEPS if max(STEPS) * step <= BUDGET.work_flops else FEW_STEPS


def phases_to_check(timed: Collection[Phase], workload: Workload) -> tuple[Phase, ...]:
    """The phases that are checked where some are timed: each with those that it contains,
    and no other.

    A piece is checked with the phase that ends with it.  Of a network for inference only,
    what it infers.
    """
    if workload.inference_only:
        return (Phase.INFER,)
    whole = {_WHOLE.get(phase, phase) for phase in timed}
    last = max((PHASES.index(phase) for phase in whole), default=0)
    wanted = {*PHASES[1 : last + 1], *timed}
    return tuple(phase for phase in Phase if phase in wanted)


_WHOLE = {Phase.LOSS_ALONE: Phase.LOSS, Phase.UPDATE_ALONE: Phase.TRAIN_STEP}
"""The phase that holds a piece."""


def check_batch_size(workload: Workload) -> int:
    """Examples in a check's batch."""
    return min(workload.batch_size, CHECK_BATCH)


def check(
    build: Callable[[Workload], Program],
    workload: Workload,
    dtype: str,
    reference: Reference,
    batches: Sequence[Batch],
    steps: Sequence[int],
    capabilities: Callable[[Workload], Capabilities] = lambda workload: Capabilities(),
    phases: Collection[Phase] = PHASES,
    timed: Batch | None = None,
    initial: Initial | None = None,
) -> list[Agreement]:
    """The worst tensor of every kind, of the phases that are asked for and offered.

    A row with the reason stands for the phases that are asked for and missing, and one for an
    optimizer of the other family that the backend does not have.
    capabilities: what the arm offers of a variant of the workload   phases: those asked for
    timed: the batch that is timed; None where no more rows are asked for
    initial: how the arm is built to be timed; None where the reference has nothing of it
    """
    own, *others = optimizers_to_check(workload, reference.gradient_norm)
    offered = capabilities(workload)
    missing = {phase: why for phase, why in offered.missing.items() if phase in phases}
    called = [phase for phase in phases if phase not in missing]
    refused: dict[str, str] = {}
    if Phase.TRAIN_STEP in called:
        refused = _without_step(workload, others, capabilities)
    program = (build if initial is None else initial.build)(with_optimizer(workload, own))
    try:
        start = _start_of(program, called, initial)
        observed = observe_own(
            program,
            workload,
            own.kind,
            batches,
            steps,
            called,
            rehearse,
            start=None if initial is None else start,
        )
        if start is not None:
            program.load(start)
        of_timed: list[TensorComparison] = []
        if timed is not None:  # in the program that has met smaller batches
            of_timed = compare_timed(program, workload, dtype, reference, timed, called)
    finally:
        program.close()
    trained = [other for other in others if other.kind not in refused]
    observed |= observe_others(build, workload, trained, batches, steps, called, rehearse)
    # What a piece cannot do is known only once it was tried: it may depend on the network.
    for piece in _impossible(observed, called):
        called.remove(piece)
        missing[piece] = IMPOSSIBLE
    comparisons = compare(reference, observed, workload, dtype, called)
    compared = [c for c in comparisons if c.key.optimizer not in refused]
    unsupported = [_unsupported(REFUSED, reason, kind) for kind, reason in refused.items()]
    rows = summarise(compared) + summarise(of_timed, TIMED)
    rows += summarise(compare_kept(build, workload, dtype, batches[0], called))
    # Masks are drawn where time is taken, as long as a gradient there is cheap enough to compare.
    timed_whole = timed is not None and how(workload, timed.size) is How.WHOLE
    drawn_on = batches[0]
    if timed is not None and timed_whole and not is_level_row(workload, timed.size):
        drawn_on = timed
    rows += summarise(compare_drawn(build, workload, dtype, reference, drawn_on, called), DRAWN)
    return [*rows, *_missing(missing), *unsupported]


def _start_of(
    program: Program, called: Collection[Phase], initial: Initial | None
) -> Mapping[str, np.ndarray] | None:
    """Weights from which a program is observed and its timed batch begins; None where it begins
    with them and takes no step.
    """
    if initial is not None:
        return initial.weights
    if Phase.TRAIN_STEP not in called:
        return None
    return program.weights() | trainable(program).model_state()


def _impossible(observed: Tensors, called: Collection[Phase]) -> list[Phase]:
    """Pieces that the program does not have."""
    phases = {key.phase for key in observed}
    return [piece for piece in PIECES if piece in called and piece not in phases]


def _without_step(
    workload: Workload,
    optimizers: Sequence[Optimizer],
    capabilities: Callable[[Workload], Capabilities],
) -> dict[str, str]:
    """Why an arm has no step of some optimizers, by their kind."""
    reasons: dict[str, str] = {}
    for optimizer in optimizers:
        missing = capabilities(with_optimizer(workload, optimizer)).missing
        if Phase.TRAIN_STEP in missing:
            reasons[optimizer.kind] = missing[Phase.TRAIN_STEP]
    return reasons


def _missing(reasons: Mapping[Phase, str]) -> list[Agreement]:
    """The row for missing phases, each reason with those that it holds for; none where none is."""
    phases: dict[str, list[str]] = {}
    for phase, reason in reasons.items():
        phases.setdefault(reason, []).append(phase)
    sentences = [f"{reason} ({', '.join(names)})" for reason, names in phases.items()]
    return [_unsupported(MISSING, "; ".join(sentences))] if sentences else []


def _unsupported(kind: str, reason: str, optimizer: str = "") -> Agreement:
    return Agreement(kind, optimizer, "", float("nan"), 0, reason, Status.UNSUPPORTED)


def summarise(comparisons: Sequence[TensorComparison], branch: str = "") -> list[Agreement]:
    """One row a kind and optimizer, in the order in which they were observed.

    branch: as a Kind's
    """
    groups: dict[tuple[Kind, str], list[TensorComparison]] = {}
    for comparison in comparisons:
        kind = _kind_of(comparison)
        way = branch or _branch_of(comparison.key)
        place = replace(kind, branch=way), comparison.key.optimizer
        groups.setdefault(place, []).append(comparison)
    return [_row(kind, optimizer, group) for (kind, optimizer), group in groups.items()]


def _branch_of(key: TensorKey) -> str:
    return FAR if key.far else INITIAL if key.initial else ""


def _row(kind: Kind, optimizer: str, group: list[TensorComparison]) -> Agreement:
    worst = worst_of(group)
    reason = worst.reason
    if worst.status is Status.UNDETERMINED:
        reason = f"{len(group)} tensor{'' if len(group) == 1 else 's'}: {reason}"
    return Agreement(
        str(kind), optimizer, str(worst.key), worst.ratio, len(group), reason, worst.status
    )


def _kind_of(comparison: TensorComparison) -> Kind:
    """`weights@5` of a weight after five steps, `gradients` of a gradient, `undetermined@5`, ..."""
    name = _plain_kind(comparison.key)
    if comparison.status is Status.UNDETERMINED:
        name = UNDETERMINED
    return Kind(name, comparison.key.step)


def _plain_kind(key: TensorKey) -> str:
    """Passes that hold no gradient count as one kind each, whatever they return."""
    if key.phase is Phase.INFER:
        return "infer" if key.optimizer else "outputs"
    match key.phase:
        case Phase.FORWARD:
            return "outputs"
        case Phase.LOSS:
            return "loss"
        case Phase.LOSS_ALONE | Phase.UPDATE_ALONE:
            return key.phase
    return key.group
