"""The rule by which two tensors agree (shared conventions: R reference, A contender, S = rms(R), u unit roundoff)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from ..spec.workload import Workload
from .budget import ADAPTIVE, BUDGET, UNIT
from .observe import Tensors, optimizer_by_kind
from .reference import Reference, rms, rmse


class Finding(NamedTuple):
    """One tensor held against the reference; `ratio` is error over allowance, at most 1 where they agree."""

    key: str
    ratio: float
    reason: str = ""

    @property
    def ok(self) -> bool:
        """NaN does not agree."""
        return self.ratio <= 1


def compare(reference: Reference, observed: Tensors, workload: Workload, dtype: str) -> list[Finding]:
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
    """semantics.md, 'When two tensors agree', for one workload in one element type."""

    def __init__(self, reference: Reference, workload: Workload, dtype: str, weight_rms: dict[str, float]):
        self._reference, self._workload, self._dtype, self._weight_rms = reference, workload, dtype, weight_rms
        self._u = UNIT[dtype]
        self._array_type = "float64" if dtype == "float64" else "float32"
        gradients = {key: rms(r) for key, r in reference.tensors.items() if key.startswith("gradients/")}
        self._largest = max(gradients.values(), default=0.0)
        self._null = {key.partition("/")[2] for key, s in gradients.items() if s < BUDGET.null * self._largest}

    def judge(self, key: str, a: np.ndarray | None) -> Finding:
        r = self._reference.tensors[key]
        for fault in self._faults(key, r, a):
            return Finding(key, float("inf"), fault)
        if key.endswith("prediction"):
            return Finding(key, 0.0)
        if (limit := self._null_limit(key)) is not None:
            return _ratio(key, rmse(a, r), limit, "null tensor is off by rmse")
        allowed = self._allowance(key, r)
        spread = _ratio(key, rmse(a, r), allowed, "rmse")
        worst = float(np.max(np.abs(np.asarray(a, np.float64) - r), initial=0.0))
        local = _ratio(key, worst, BUDGET.local * allowed + self._flipped_step(key), "largest single error")
        return max(spread, local, key=lambda finding: finding.ratio)

    def _faults(self, key: str, r: np.ndarray, a: np.ndarray | None) -> Iterator[str]:
        """Rule 1: what no precision excuses."""
        if a is None:
            yield "missing"
        elif a.shape != r.shape:
            yield f"shape {a.shape}, expected {r.shape}"
        elif key.endswith("prediction"):
            yield from self._prediction_faults(key, a)
        elif not re.search(r"weights/|loss", key) and a.dtype != self._array_type:
            yield f"type {a.dtype}, expected {self._array_type}"
        elif not np.all(np.isfinite(a)):
            yield f"{int(np.sum(~np.isfinite(a)))} of {a.size} elements are not finite"
        elif np.any(a[self._reference.zero[key]] != 0) and self._parameter(key) not in self._null:
            yield "not zero where the reference is zero"
        elif self._dtype == "float64" and self._still(key, r, a):
            yield "weights that should have moved have not"

    def _prediction_faults(self, key: str, a: np.ndarray) -> Iterator[str]:
        """The class must be the reference's wherever its logits tell the classes apart by more than rounding."""
        logits = key.removesuffix("prediction") + f"infer/{self._workload.model.outputs[0]}"
        z = self._reference.tensors[logits]
        rounding = BUDGET.local * self._allowance(logits, z)
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

    def _still(self, key: str, r: np.ndarray, a: np.ndarray) -> bool:
        if "/weights/" not in key or self._parameter(key) in self._null:
            return False
        large = BUDGET.moved * self._u * max(self._weight_rms[self._parameter(key)], rms(r))
        return bool(np.any((np.abs(r) > large) & (a == 0)))

    def _allowance(self, key: str, r: np.ndarray) -> float:
        s, sigma = rms(r), self._reference.sigma[key]
        if self._dtype == "float64":
            scaled = BUDGET.exact * sigma * UNIT["float64"] / UNIT["float32"]
            base = min(max(scaled, BUDGET.exact * self._u * s), BUDGET.exact_cap * s)
        else:
            times = BUDGET.noise_small if r.size <= BUDGET.small else BUDGET.noise
            floor = BUDGET.floor if self._dtype == "float32" else BUDGET.floor_low
            base = times * max(sigma, floor * self._u * s)
            if _moved_by_gradients(key):
                base += BUDGET.kink * self._reference.sigma_kink[key]
        base += self._rounding_of_weights(key)
        if flipped := self._flipped_step(key):
            base += flipped * self._share_of_unsure_signs(key) ** 0.5
        return base

    def _flipped_step(self, key: str) -> float:
        """How far apart an adaptive optimizer's steps put a weight whose gradient has another sign: 2 lr in each.

        Below float64, whose rounding turns the signs of gradients that are near zero.
        """
        if "/weights/" not in key or self._dtype == "float64":
            return 0.0
        kind, k = _optimizer_and_step(key)
        if kind not in ADAPTIVE or not self._share_of_unsure_signs(key):
            return 0.0
        return 2 * optimizer_by_kind(self._workload, kind).learning_rate * k

    def _share_of_unsure_signs(self, key: str) -> float:
        """Share of the gradient's elements that lie within honest rounding of zero."""
        gradient = f"gradients/{self._parameter(key)}"
        noise = BUDGET.noise * self._reference.sigma[gradient]
        return float(np.mean(np.abs(self._reference.tensors[gradient]) <= noise))

    def _rounding_of_weights(self, key: str) -> float:
        """A change p_k - p_0 carries the rounding of p itself: u rms(p) sqrt(k)."""
        if "/weights/" not in key:
            return 0.0
        _, k = _optimizer_and_step(key)
        return self._u * self._weight_rms[self._parameter(key)] * k**0.5

    def _null_limit(self, key: str) -> float | None:
        """Rule 7: gradients that are zero but for rounding, and what SGD-like optimizers make of them."""
        if self._parameter(key) not in self._null:
            return None
        size = BUDGET.exact * self._u * self._largest
        if key.startswith("gradients/"):
            return size
        kind, k = _optimizer_and_step(key)
        if kind in ADAPTIVE:
            return float("inf")
        steps = k if kind == "sgd" else k * (k + 3) / 2
        rate = optimizer_by_kind(self._workload, kind).learning_rate if "/weights/" in key else 1.0
        return size * rate * steps + self._rounding_of_weights(key)

    def _parameter(self, key: str) -> str:
        """The parameter a gradient, change or slot belongs to; empty for anything else."""
        match = re.search(r"(?:gradients|weights|slots/[^/]+)/([^/]+)$", key)
        return match[1] if match else ""


def _moved_by_gradients(key: str) -> bool:
    return "@" in key or key.startswith(("gradients/", "cotangents/"))


def _optimizer_and_step(key: str) -> tuple[str, int]:
    kind, _, k = key.split("/", 1)[0].partition("@")
    return kind, int(k)


def _ratio(key: str, error: float, allowed: float, what: str) -> Finding:
    if error == 0:
        return Finding(key, 0.0)
    ratio = error / allowed if allowed > 0 else float("inf")
    return Finding(key, ratio, f"{what} {error:.2e}, allowed {allowed:.2e}")
