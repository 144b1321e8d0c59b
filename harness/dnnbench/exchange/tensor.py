"""What the writers of ops take and give: tensors with their order of axes, and learned arrays."""

from collections.abc import Hashable
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from ..spec.tensor import TensorType
from .graph import Attribute, Graph

Axes = tuple[int, ...]
"""Which axis of the canonical tensor stands at each place; 0 is the batch, -1 does not occur."""


@dataclass(frozen=True)
class Tensor:
    """A value of the network, under a name of the graph, in some order of axes.

    The spec's order is (N, H, W, C), ONNX's convolutions want (N, C, H, W). A tensor stays in the
    order in which its op gives it, and is transposed where another op wants another order, once for
    all that want it.
    """

    graph: Graph
    name: str
    type: TensorType
    axes: Axes

    @property
    def rank(self) -> int:
        """Axes, the batch included."""
        return len(self.axes)

    @property
    def canonical(self) -> Self:
        """(N, H, W, C), (N, T, C), ..."""
        return self.laid(tuple(range(self.rank)))

    @property
    def channels_first(self) -> Self:
        """(N, C, H, W), (N, C, T), ..."""
        return self.laid((0, self.rank - 1, *range(1, self.rank - 1)))

    @property
    def rows(self) -> Self:
        """In an order whose last axis is the last of the spec's: as it is, if it is so."""
        return self if self.axes[-1] == self.rank - 1 else self.canonical

    def laid(self, axes: Axes) -> Self:
        """The same value in another order of axes."""
        if axes == self.axes:
            return self
        places = tuple(self.axes.index(axis) for axis in axes)
        sizes = [0, *(self.type.shape[axis - 1] for axis in axes[1:])]
        stays = self._moves_nothing(axes)
        name = self.graph.reordered(self.name, places, sizes if stays else None)
        return replace(self, name=name, axes=axes)

    def place(self, axis: int) -> int:
        """Where an axis of one example stands; 0 is the first after the batch, -1 the last."""
        return self.axes.index(axis % (self.rank - 1) + 1)

    def result(self, name: str, type: TensorType | None = None) -> Self:
        """A result in the same order of axes; of the same type, if no other is named."""
        return replace(self, name=name, type=type or self.type)

    def by(self, kind: str, *others: str, **attributes: Attribute) -> Self:
        """What an operator makes of each element."""
        return self.result(self.graph.run(kind, self.name, *others, **attributes))

    def _moves_nothing(self, axes: Axes) -> bool:
        """Whether only axes of one element change their place, and the batch stays the first."""
        return axes[0] == self.axes[0] == 0 and self._wide(axes) == self._wide(self.axes)

    def _wide(self, axes: Axes) -> list[int]:
        return [axis for axis in axes if axis == 0 or self.type.shape[axis - 1] > 1]


@dataclass(frozen=True)
class Weight:
    """A learned array, or a running statistic, in the spec's order of axes."""

    graph: Graph
    name: str
    array: np.ndarray

    @property
    def plain(self) -> str:
        """As the spec has it."""
        return self.graph.parameter(self.name, self.array)

    def transposed(self, *axes: int) -> str:
        """With its axes in another order, in memory too."""
        return self.formed(axes, self.array.transpose(axes))

    def formed(self, form: Hashable, array: np.ndarray) -> str:
        """An array that is made of this one, under its name; `form` tells it from others."""
        return self.graph.parameter(self.name, np.ascontiguousarray(array), form)

    def beside(self, x: Tensor, rows: slice = slice(None)) -> str:
        """The rows stretched to the axes of a tensor: those that they lack come first, as 1."""
        return self.formed((x.axes, rows.start, rows.stop), stretched(self.array[rows], x.axes))

    def made_of(self, array: np.ndarray, other: str, x: Tensor) -> str:
        """An array made of this one and the parameter `other`, stretched to axes of a tensor."""
        return self.formed((x.axes, other), stretched(array, x.axes))


def stretched(array: np.ndarray, axes: Axes) -> np.ndarray:
    """A canonical array, whose missing axes come first and are 1, in another order of axes."""
    whole = array.reshape((1,) * (len(axes) - array.ndim) + array.shape)
    return whole.transpose(axes)
