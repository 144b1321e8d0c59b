"""The rule by which two tensors agree (shared conventions: R reference, A contender, S = rms(R), u unit roundoff)."""

from collections.abc import Iterator

import numpy as np

from ..spec.optimizers import Rmsprop
from ..spec.phases import Phase
from ..spec.workload import Workload
from .allowances import ADAPTIVE, BUDGET, SQUARES, UNIT
from .comparison import TensorComparison, worst_of
from .divergence import undetermined_trajectories
from .keys import Group, TensorKey, Tensors, gradient_of
from .observing import optimizer_by_kind
from .reference import Reference, largest, rms, rmse
from .status import Status

PREDICTION = TensorKey(Group.PREDICTION, phase=Phase.INFER)


def compare(reference: Reference, observed: Tensors, workload: Workload, dtype: str) -> list[TensorComparison]:
    """Every tensor of the reference against the contender's."""
    rule = _Rule(reference, workload, dtype, _initial_rms(workload))
    return [rule.judge(key, observed.get(key)) for key in reference.tensors]


def _initial_rms(workload: Workload) -> dict[str, float]:
    """rms of each weight, from how its initializer is drawn: uniform in [-b, b] has b / sqrt(3)."""
    sizes = {"zeros": 0.0, "ones": 1.0}
    return {
        name: sizes.get(p.initializer.kind, p.initializer.bound / 3**0.5)
        for name, p in workload.model.parameters.items()
    }


class _Rule:
    """docs/agreement.md, 'The rule', for one workload in one element type."""

    def __init__(self, reference: Reference, workload: Workload, dtype: str, weight_rms: dict[str, float]):
        self._reference, self._workload, self._dtype, self._weight_rms = reference, workload, dtype, weight_rms
        self._u = UNIT[dtype]
        self._array_type = "float64" if dtype == "float64" else "float32"
        self._logits = TensorKey(Group.OUTPUTS, workload.model.outputs[0], Phase.INFER)
        self._apart = {} if dtype == "float64" else undetermined_trajectories(reference)
        gradients = [rms(r) for key, r in reference.tensors.items() if _is_gradient(key)]
        self._largest_gradient = _most(0.0, *gradients)
        self._largest_of = _largest_of_groups(reference.tensors)

    def judge(self, key: TensorKey, a: np.ndarray | None) -> TensorComparison:
        r = self._reference.tensors[key]
        for fault in self._faults(key, r, a):
            return TensorComparison(key, float("inf"), fault)
        for status, reason in self._nothing_sound(key, a):
            return TensorComparison(key, float("nan"), reason, status)
        for fault in self._wrong_values(key, r, a):
            return TensorComparison(key, float("inf"), fault)
        if key == PREDICTION:
            return TensorComparison(key, 0.0)
        allowed = self._allowance(key, r)
        spread = _ratio(key, rmse(a, r), allowed, "rmse")
        single = self._single(key, allowed) + self._flipped_step(key)
        local = _ratio(key, largest(a, r), single, "largest single error")
        return worst_of([spread, local, self._leak(key, a, allowed)])

    def _faults(self, key: TensorKey, r: np.ndarray, a: np.ndarray | None) -> Iterator[str]:
        """What is not even of the reference's kind."""
        if a is None:
            yield "missing"
        elif a.shape != r.shape:
            yield f"shape {a.shape}, expected {r.shape}"
        elif _typed(key) and a.dtype != self._array_type:
            yield f"type {a.dtype}, expected {self._array_type}"

    def _nothing_sound(self, key: TensorKey, a: np.ndarray) -> Iterator[tuple[Status, str]]:
        """Why nothing sound can be said of a tensor; a prediction is judged by the logits it comes from."""
        judged_by = self._logits if key == PREDICTION else key
        r = self._reference.tensors[judged_by]
        share = self._apart.get(key.trajectory)
        if not np.all(np.isfinite(r)):
            yield (
                Status.NOT_COMPARED,
                "the reference is not finite either, which decides nothing: choose a lower learning rate",
            )
        elif share is not None and np.all(np.isfinite(a)):
            apart = f"part by {share:.0%} of the way that the weights went" if np.isfinite(share) else "are not finite"
            yield Status.UNDETERMINED, f"honest {self._dtype} evaluations {apart}"
        elif not np.isfinite(self._single(judged_by, self._allowance(judged_by, r))):
            yield (
                Status.NOT_COMPARED,
                f"honest {self._dtype} evaluations, or their squares, are not finite: nothing says how far rounding may stray",
            )
        elif self._hangs_on_rounding(key, r) and np.all(np.isfinite(a)):
            names = ", ".join(self._reference.level)
            yield Status.UNDETERMINED, f"behind equal values in {names} rounding decides them"

    def _wrong_values(self, key: TensorKey, r: np.ndarray, a: np.ndarray) -> Iterator[str]:
        """What no precision excuses."""
        if not np.all(np.isfinite(a)):
            yield f"{int(np.sum(~np.isfinite(a)))} of {a.size} elements are not finite"
        elif key == PREDICTION:
            yield from self._prediction_faults(a)
        elif self._dtype == "float64" and self._still(key, r, a):
            yield "weights that should have moved have not"

    def _leak(self, key: TensorKey, a: np.ndarray, allowed: float) -> TensorComparison:
        """What is zero whatever the rounding stays within the allowance itself; asked in float64, where nothing flips."""
        leaked = a[self._reference.zero[key]] if self._dtype == "float64" else np.empty(0)
        worst = float(np.max(np.abs(leaked), initial=0.0))
        return _ratio(key, worst, allowed + self._flipped_step(key), "largest value where the reference is zero")

    def _prediction_faults(self, a: np.ndarray) -> Iterator[str]:
        """The class must be the reference's wherever its logits tell the classes apart by more than rounding."""
        z = self._reference.tensors[self._logits]
        rounding = BUDGET.local * self._allowance(self._logits, z)
        match self._workload.task.loss.prediction:
            case "argmax":
                two = np.sort(z, axis=-1)[..., -2:]
                wrong, clear = a != z.argmax(axis=-1), two[..., -1] - two[..., 0] > 2 * rounding
            case "positive":
                wrong, clear = a != (z > 0), np.abs(z) > rounding
            case _:
                return
        if np.any(wrong & clear):
            yield "predicts another class than the reference"

    def _still(self, key: TensorKey, r: np.ndarray, a: np.ndarray) -> bool:
        """Whether weights stand where they were whose gradients tell that they move."""
        if key.group is not Group.WEIGHTS:
            return False
        large = BUDGET.moved * self._u * max(self._weight_rms[key.name], rms(r))
        return bool(np.any((np.abs(r) > large) & (a == 0) & ~self._unsure(key)))

    def _noise(self, key: TensorKey, r: np.ndarray) -> float:
        """What honest rounding does to the tensor, with room."""
        floor = BUDGET.floor if self._u <= UNIT["float32"] else BUDGET.floor_low
        return self._times(r) * _most(self._reference.sigma[key], floor * self._u * rms(r))

    def _squared_noise(self, key: TensorKey, r: np.ndarray) -> float:
        """What errors that are allowed of a gradient make of the running mean v of its square: 2 a rms(sqrt v) + a b.

        |sqrt(v') - sqrt(v)| is at most sqrt(1 - decay^k) of the gradient's error: a from its rmse, b from its largest.
        Where noise outweighs the gradient, what an honest error makes of its square is not in proportion to sigma.
        """
        if self._dtype == "float64" or key.slot not in SQUARES:
            return 0.0
        optimizer, gradient = optimizer_by_kind(self._workload, key.optimizer), gradient_of(key.name)
        kept = optimizer.decay if isinstance(optimizer, Rmsprop) else optimizer.beta2
        noise = self._noise(gradient, self._reference.tensors[gradient])
        a, b = (1 - kept**key.step) ** 0.5 * np.array([noise, self._single(gradient, noise)])
        return float(2 * a * np.mean(r) ** 0.5 + a * b)

    def _null(self, key: TensorKey, r: np.ndarray) -> float:
        """What rounding leaves of a gradient that is zero in every evaluation, and of its slots, by the largest one's rms.

        As of queries where there is a single key: y (g - sum g y) is 0 for y = 1, but not in every order of the sum.
        """
        of_a_gradient = key.group is Group.SLOTS or (key.group in BACKWARD and not key.optimizer)
        if not (of_a_gradient and self._reference.zero[key].all()):
            return 0.0
        left = self._times(r) * self._u * self._largest_gradient
        return left**2 if key.slot in SQUARES else left

    def _hangs_on_rounding(self, key: TensorKey, r: np.ndarray) -> bool:
        """Whether a level norm's rounding decides so much that an error as large as the largest of the group would pass."""
        if not self._reference.level or not key.moved_by_gradients:
            return False
        return self._times(r) * self._reference.sigma[key] >= self._largest_of[key.family]

    def _single(self, key: TensorKey, allowed: float) -> float:
        """How large a single error may be, of a tensor whose rmse may be `allowed`."""
        return _most(BUDGET.local * allowed, self._times(self._reference.tensors[key]) * self._reference.peak[key])

    def _times(self, r: np.ndarray) -> float:
        """How often the honest error measured."""
        if self._dtype == "float64":
            return BUDGET.exact
        return BUDGET.noise_small if r.size <= BUDGET.small else BUDGET.noise

    def _allowance(self, key: TensorKey, r: np.ndarray) -> float:
        allowed = _most(self._noise(key, r), self._squared_noise(key, r), self._null(key, r))
        allowed += self._rounding_of_weights(key)
        if self._dtype != "float64" and key.moved_by_gradients:
            allowed += BUDGET.kink * self._reference.sigma_kink[key]
        if flipped := self._flipped_step(key):
            allowed += flipped * float(np.mean(self._unsure(key))) ** 0.5
        return allowed

    def _flipped_step(self, key: TensorKey) -> float:
        """How far apart an adaptive optimizer's steps put a weight whose gradient has another sign: 2 lr in each."""
        if key.group is not Group.WEIGHTS:
            return 0.0
        if key.optimizer not in ADAPTIVE or not np.any(self._unsure(key)):
            return 0.0
        return 2 * optimizer_by_kind(self._workload, key.optimizer).learning_rate * key.step

    def _unsure(self, key: TensorKey) -> np.ndarray:
        """Where the gradient of the key's parameter lies within honest rounding of zero, and its sign may be either."""
        gradient = gradient_of(key.name)
        g = self._reference.tensors[gradient]
        return np.abs(g) <= self._noise(gradient, g)

    def _rounding_of_weights(self, key: TensorKey) -> float:
        """A change p_k - p_0 carries the rounding of p itself: u rms(p) sqrt(k), in float64 the reference's as well."""
        if key.group is not Group.WEIGHTS:
            return 0.0
        rounded = 2 if self._dtype == "float64" else 1
        return rounded * self._u * self._weight_rms[key.name] * key.step**0.5


def _most(*values: float) -> float:
    """The largest, or NaN where one is: Python's `max` passes over a NaN that does not come first."""
    return float(np.max(values))


def _largest_of_groups(tensors: Tensors) -> dict[tuple, float]:
    """The largest rms of each group."""
    largest_of: dict[tuple, float] = {}
    for key, r in tensors.items():
        largest_of[key.family] = max(largest_of.get(key.family, 0.0), rms(r))
    return largest_of


BACKWARD = (Group.GRADIENTS, Group.COTANGENTS)


def _is_gradient(key: TensorKey) -> bool:
    """Whether it is a parameter's gradient on the first batch."""
    return key.group is Group.GRADIENTS and not key.optimizer


def _typed(key: TensorKey) -> bool:
    """Whether a program keeps the tensor in its own type: a class, a change of weights and a loss have another."""
    return key.phase is not Phase.LOSS and key.group not in (Group.PREDICTION, Group.WEIGHTS, Group.LOSS)


def _ratio(key: TensorKey, error: float, allowed: float, what: str) -> TensorComparison:
    if error == 0:
        return TensorComparison(key, 0.0)
    ratio = error / allowed if allowed > 0 else float("inf")
    return TensorComparison(key, ratio, f"{what} {error:.2e}, allowed {allowed:.2e}")
