"""Wrong rules by which optimizers are known to change weights."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np

from ..agreement.keys import Group, TensorKey, Tensors
from ..spec.optimizers import Optimizer, WarmupCosine
from ..spec.phases import Phase
from .update_steps import (
    RIGHT,
    Arrays,
    Prepare,
    Slots,
    Step,
    adam_with,
    clipped,
    clipped_after_decay,
    clipped_and_decayed,
    clipped_by_value,
    clipped_one_by_one,
    clipped_with_epsilon,
    coupled_adam,
    dampened,
    decayed_afterwards,
    largest_moment,
    momentum,
    nesterov,
    rate_in_velocity,
    rmsprop_inside,
    velocity_before,
)

Choose = Callable[[Any], Any]
"""optimizer -> the optimizer that it amounts to, None where the rule does not apply"""


def _itself(optimizer: Optimizer) -> Optimizer:
    return optimizer


History = Sequence[Arrays]
"""Gradients of every step so far, the present one's last."""


def _latest(history: History) -> Arrays:
    return history[-1]


def _accumulated(history: History) -> Arrays:
    """As where nobody clears them."""
    return {name: np.sum([g[name] for g in history], axis=0) for name in history[-1]}


def _at(value: float) -> Callable[[np.ndarray], np.ndarray]:
    """Which elements of what a parameter is built from are a number."""
    return lambda built: built == value


def _nowhere(built: np.ndarray) -> np.ndarray:
    return np.zeros(built.shape, bool)


def _one_behind(history: History) -> Arrays:
    """Those of the weights that the step before began with."""
    return history[max(len(history) - 2, 0)]


@dataclass(frozen=True)
class Rule:
    """One step as some framework takes it.

    spec: the optimizer that it amounts to, None where it does not apply
    prepare: gradients after clipping and decay   step: in place of the spec's
    times: steps taken for one   first: number of the first step
    counts: whether steps are counted, or each is the first
    carries: whether slots are kept from step to step
    decays_first: whether AdamW takes its decay from the weights before the step
    gradients: which the step uses, of those computed so far
    leaves_out: numbers of the steps that are not taken
    holds: elements, by what a program was built from, whose gradient counts as 0
    prunes: elements, likewise, that are 0 after every step
    phase: to blame in the optimizer's place
    """

    name: str
    spec: Choose = _itself
    prepare: Prepare = clipped_and_decayed
    step: Step | None = None
    times: int = 1
    first: int = 1
    counts: bool = True
    carries: bool = True
    decays_first: bool = True
    gradients: Callable[[History], Arrays] = _latest
    leaves_out: frozenset[int] = frozenset()
    holds: Callable[[np.ndarray], np.ndarray] = _nowhere
    prunes: Callable[[np.ndarray], np.ndarray] = _nowhere
    phase: Phase | None = None


def _zeros(array: np.ndarray, slots: Iterable[str]) -> dict[str, np.ndarray]:
    return {slot: np.zeros_like(array) for slot in slots}


def trajectory_under(
    rule: Rule,
    optimizer: Optimizer,
    weights: Mapping[str, np.ndarray],
    targets: Mapping[str, np.ndarray],
    elements: int,
    steps: Sequence[int],
    built_from: Mapping[str, np.ndarray],
) -> Tensors | None:
    """Weights' changes and slots after `steps` of a rule; None where it does not apply.

    The loss is the mean over `elements` of (p - target)^2, as `optimizer_alone` sets it up.
    built_from: weights of a program before it loads `weights`
    """
    spec = rule.spec(optimizer)
    if spec is None:
        return None
    p = {name: array.astype(np.float64) for name, array in weights.items()}
    slots = {name: _zeros(array, spec.slots) for name, array in p.items()}
    held = {name: rule.holds(array) for name, array in built_from.items()}
    pruned = {name: rule.prunes(array) for name, array in built_from.items()}
    seen: Tensors = {}
    history: list[Arrays] = []
    t = rule.first
    for k in range(1, max(steps) + 1):
        # The gradient of the loss, kept for rules that use an earlier one or add them up.
        gradients = {name: 2 * (p[name] - targets[name]) / elements for name in p}
        history.append({name: np.where(held[name], 0, g) for name, g in gradients.items()})
        if not rule.carries:
            slots = {name: _zeros(array, spec.slots) for name, array in p.items()}
        for _ in range(0 if k in rule.leaves_out else rule.times):
            with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
                _step(rule, spec, p, dict(rule.gradients(history)), slots, t)
            p = {name: np.where(pruned[name], 0, array) for name, array in p.items()}
            t += 1 if rule.counts else 0
        if k in steps:
            seen |= _updated(optimizer, k, p, weights, slots)
    return seen


def _updated(
    optimizer: Optimizer,
    step: int,
    p: Arrays,
    start: Mapping[str, np.ndarray],
    slots: Mapping[str, Slots],
) -> Tensors:
    """Changes of weights, and slots."""
    seen: Tensors = {}
    for name in p:
        key = TensorKey(Group.WEIGHTS, name, Phase.TRAIN_STEP, optimizer.kind, step)
        seen[key] = p[name] - start[name]
        for slot in optimizer.slots:
            if slot in slots[name]:
                key = TensorKey(Group.SLOTS, name, Phase.TRAIN_STEP, optimizer.kind, step, slot)
                seen[key] = slots[name][slot].copy()
    return seen


def _step(
    rule: Rule, optimizer: Any, p: Arrays, gradients: Arrays, slots: dict[str, Slots], t: int
) -> None:
    gradients = rule.prepare(optimizer, p, gradients)
    change = rule.step or RIGHT[optimizer.kind]
    for name in p:
        if optimizer.kind == "adamw" and rule.decays_first:
            p[name] *= 1 - optimizer.rate(t) * optimizer.weight_decay
        change(optimizer, p[name], gradients[name], slots[name], t)


def _stand_still(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    """No step at all."""


def _uphill(o: Any, p: np.ndarray, g: np.ndarray, slots: Slots, t: int) -> None:
    RIGHT[o.kind](o, p, -g, slots, t)


def _only(*kinds: str, **changes: Any) -> Choose:
    """The optimizer with other constants, for some kinds."""
    return lambda o: o.model_copy(update=changes) if o.kind in kinds else None


def _where(condition: Callable[[Any], Any], **changes: Any) -> Choose:
    return lambda o: o.model_copy(update=changes) if condition(o) else None


def _always(**changes: Any) -> Choose:
    return lambda o: o.model_copy(update=changes)


def _clips(o: Any) -> bool:
    return o.clip_norm is not None


def _for(*kinds: str) -> Choose:
    return lambda o: o if o.kind in kinds else None


@dataclass(frozen=True)
class _Scheduled:
    """A schedule under which a step has another's share of the learning rate."""

    schedule: WarmupCosine
    changed: Callable[[WarmupCosine, int], float]

    def factor(self, t: int) -> float:
        return self.changed(self.schedule, t)


def _with_schedule(changed: Callable[[WarmupCosine, int], float]) -> Choose:
    """The optimizer with its schedule read otherwise; None where it has none."""

    def choose(optimizer: Any) -> Any:
        if optimizer.schedule is None:
            return None
        schedule = _Scheduled(optimizer.schedule, changed)
        return optimizer.model_copy(update={"schedule": schedule})

    return choose


def _factor_before(schedule: WarmupCosine, t: int) -> float:
    """Step 0 is the warm-up's 0, or the height that the cosine falls from."""
    return schedule.factor(t - 1) if t > 1 or schedule.warmup else 1.0


def _decays_in_adam(o: Any) -> bool:
    return bool(o.kind == "adam" and o.weight_decay > 0)


def _swapped_betas(o: Any) -> Any:
    adaptive = o.kind in ("adam", "adamw")
    return o.model_copy(update={"beta1": o.beta2, "beta2": o.beta1}) if adaptive else None


ADAMS = ("adam", "adamw")
ROOTED = ("adam", "adamw", "rmsprop")
"""Optimizers that divide by a root."""
HEAVY = ("momentum", "nesterov")
"""Optimizers that have a velocity."""
RULES = (
    Rule("weights not updated", step=_stand_still),
    Rule("the step taken twice", times=2),
    Rule("steps counted from 0", _where(lambda o: not o.schedule or o.schedule.warmup), first=0),
    Rule("steps counted from 2 (one step ahead)", first=2),
    Rule("sign of the step", step=_uphill),
    Rule("no bias correction", _for(*ADAMS), step=adam_with(first=False, second=False)),
    Rule("no bias correction of the first moment", _for(*ADAMS), step=adam_with(first=False)),
    Rule("no bias correction of the second moment", _for(*ADAMS), step=adam_with(second=False)),
    Rule("epsilon inside the root", _for(*ADAMS), step=adam_with(epsilon="inside")),
    Rule("epsilon squared inside the root", _for(*ADAMS), step=adam_with(epsilon="squared inside")),
    Rule("epsilon inside the root", _for("rmsprop"), step=rmsprop_inside),
    Rule(
        "epsilon-hat (added before the bias correction)",
        _for(*ADAMS),
        step=adam_with(epsilon="hat"),
    ),
    Rule("beta1 and beta2 swapped", _swapped_betas),
    *(Rule(f"epsilon {e:g}", _only(*ROOTED, epsilon=e)) for e in (1e-10, 1e-8, 1e-7, 1e-6, 1e-3)),
    *(Rule(f"decay {d:g}", _only("rmsprop", decay=d)) for d in (0.9, 0.95, 0.99)),
    Rule("learning rate folded into the velocity", _for(*HEAVY), step=rate_in_velocity),
    Rule("dampening (new gradients weighed by 1 - momentum)", _for(*HEAVY), step=dampened),
    Rule("the velocity of the step before", _for("momentum"), step=velocity_before),
    Rule("Nesterov's step", _for("momentum"), step=nesterov),
    Rule("plain momentum's step", _for("nesterov"), step=momentum),
    Rule("weight decay left out", _where(lambda o: o.weight_decay, weight_decay=0.0)),
    *(Rule(f"weight decay {d:g}", _always(weight_decay=d)) for d in (1e-4, 4e-3, 1e-2)),
    Rule(
        "weight decay coupled (added to the gradient)",
        _for("adamw"),
        step=coupled_adam,
        decays_first=False,
    ),
    Rule(
        "weight decay after the step (of the weights that it made)",
        _where(lambda o: o.weight_decay),
        prepare=clipped,
        step=decayed_afterwards,
        decays_first=False,
    ),
    Rule("weight decay decoupled (taken from the weights)", _where(_decays_in_adam, kind="adamw")),
    Rule("clipping left out", _where(lambda o: o.clip_norm, clip_norm=None)),
    Rule("clipping after weight decay", _where(_clips), prepare=clipped_after_decay),
    Rule("clipping each parameter by its own norm", _where(_clips), prepare=clipped_one_by_one),
    Rule("clipping by value", _where(_clips), prepare=clipped_by_value),
    Rule("1e-6 added to the norm that clips", _where(_clips), prepare=clipped_with_epsilon),
    Rule("schedule left out", _where(lambda o: o.schedule, schedule=None)),
    Rule("schedule one step ahead", _with_schedule(lambda s, t: s.factor(t + 1))),
    Rule("schedule one step behind", _with_schedule(_factor_before)),
    Rule(
        "schedule that never falls (its warm-up alone)",
        _with_schedule(lambda s, t: s.factor(min(t, max(s.warmup, 1)))),
    ),
    Rule("schedule that stays at its first step", _with_schedule(lambda s, t: s.factor(1))),
    Rule("steps not counted (each is the first)", counts=False),
    Rule("slots not carried over to the next step", carries=False),
    Rule("largest second moment so far (AMSGrad)", _for(*ADAMS), step=largest_moment),
    Rule(
        "gradients added to those of earlier steps (not cleared)",
        gradients=_accumulated,
        phase=Phase.TRAIN_STEP,
    ),
    Rule(
        "gradients of the weights of a step before (one step behind)",
        gradients=_one_behind,
        phase=Phase.TRAIN_STEP,
    ),
    *(
        Rule(
            f"weights that a program is built with at {value:g} do not move",
            holds=_at(value),
            phase=Phase.TRAIN_STEP,
        )
        for value in (0.0, 1.0)
    ),
    Rule(
        "weights that a program is built with at 0 go back to 0 in every step (pruned)",
        prunes=_at(0.0),
        phase=Phase.TRAIN_STEP,
    ),
)
"""Tried in this order."""


def rules_for(steps: Sequence[int]) -> list[Rule]:
    """All rules, and that some steps are not taken: which of those between two that are looked at
    does not show.
    """
    skipping = []
    for before, last in pairwise((1, *steps)):
        for count in range(1, last - before + 1):
            left_out = frozenset(range(before + 1, before + 1 + count))
            one = last == before + 1
            which = f"step {last}" if one else f"{count} of the steps {before + 1} to {last}"
            rule = Rule(f"{which} not taken", leaves_out=left_out, phase=Phase.TRAIN_STEP)
            skipping.append(rule)
    return [*RULES, *skipping]
