"""Which examples a task learns from; `dnnbench.data` reads them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from .tensor import Spec


class Digits(Spec):
    """scikit-learn's 1797 real 8x8 grey images of digits, pixels / 16, in a stratified seeded split."""

    kind: Literal["digits"] = "digits"
    test_fraction: float = Field(0.2, gt=0, lt=1)
    split_seed: int = Field(0, ge=0)


class Npz(Spec):
    """A NumPy archive with x_train, y_train, x_test, y_test (plain arrays, never pickled objects)."""

    kind: Literal["npz"] = "npz"
    path: str


class Idx(Spec):
    """A folder with MNIST's four IDX files, plain or gzipped; pixels / 255."""

    kind: Literal["idx"] = "idx"
    path: str


class Synthetic(Spec):
    """Seeded normal inputs and uniform labels: for speed, not for learning."""

    kind: Literal["synthetic"] = "synthetic"
    examples: PositiveInt = 1024


Data = Annotated[Digits | Npz | Idx | Synthetic, Field(discriminator="kind")]
