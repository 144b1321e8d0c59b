"""What the rule of comparison reads, for one workload in one element type."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from ..protocol.dtypes import DType
from ..spec.optimizers import Optimizer
from ..spec.phases import Phase
from ..spec.workload import Workload
from .allowances import BUDGET, UNIT
from .deviation import most, rms
from .divergence import undetermined_trajectories
from .keys import Family, Group, TensorKey, Tensors
from .observing import optimizer_by_kind
from .reference import Reference
from .starting import start_rms

if TYPE_CHECKING:
    from .rules import Allowance


@dataclass(frozen=True)
class RuleContext:
    """A reference, and what follows from it for every tensor.

    weight_rms: by parameter, at the start
    largest_gradient: rms of the largest of all parameters' gradients
    largest_of: by family of keys, the rms of its largest tensor
    apart: by trajectory, how far apart honest evaluations lie where that is too far (rule 8)
    """

    reference: Reference
    workload: Workload
    dtype: DType
    weight_rms: Mapping[str, float]
    largest_gradient: float
    largest_of: Mapping[Family, float]
    apart: Mapping[tuple[str, int], float]
    allowances: dict[TensorKey, "Allowance"] = field(default_factory=dict)
    """What `rules.allowance_of` has worked out."""

    @property
    def exact(self) -> bool:
        """Whether it is float64, in which every wrong convention shows."""
        return self.dtype is DType.FLOAT64

    @property
    def unit(self) -> float:
        """Unit roundoff of the coarsest numbers in the element type."""
        return UNIT[self.dtype]

    @property
    def logits(self) -> TensorKey:
        """The tensor that a prediction comes from."""
        return TensorKey(Group.OUTPUTS, self.workload.model.outputs[0], Phase.INFER)

    def optimizer(self, key: TensorKey) -> Optimizer:
        """The one whose steps the key speaks of."""
        return optimizer_by_kind(self.workload, key.optimizer)

    def honest_error(self, key: TensorKey) -> float:
        """rmse of the honest evaluation that lies farthest off."""
        return self.reference.sigma[key] if self.exact else self.reference.strayed(key)

    def times(self, key: TensorKey) -> float:
        """How often the honest error a tensor may stray (rule 2)."""
        if self.exact:
            return BUDGET.exact
        small = self.reference.tensors[key].size <= BUDGET.small
        return BUDGET.noise_small if small else BUDGET.noise


def rule_context(reference: Reference, workload: Workload, dtype: str) -> RuleContext:
    """What the rule reads of a reference."""
    tensors = reference.tensors
    gradients = [rms(r) for key, r in tensors.items() if _is_parameters_gradient(key)]
    model = workload.model
    exact = dtype == DType.FLOAT64
    return RuleContext(
        reference=reference,
        workload=workload,
        dtype=DType(dtype),
        weight_rms={name: start_rms(model, name) for name in model.parameters},
        largest_gradient=most(0.0, *gradients),
        largest_of=_largest_of_families(tensors),
        apart={} if exact else undetermined_trajectories(reference),
    )


def _is_parameters_gradient(key: TensorKey) -> bool:
    return key.group is Group.GRADIENTS and key.at_start


def _largest_of_families(tensors: Tensors) -> dict[Family, float]:
    largest: dict[Family, float] = {}
    for key, r in tensors.items():
        largest[key.family] = max(largest.get(key.family, 0.0), rms(r))
    return largest
