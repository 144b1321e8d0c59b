"""Which examples a task learns from; `dnnbench.data` reads them."""

from typing import Annotated, Literal

from pydantic import Field, PositiveInt

from .tensor import Spec


class Digits(Spec):
    """1797 real 8x8 grey images of digits, pixels / 16,
    in a stratified seeded split.

    size: height and width, each pixel repeated to fill them; margin: zeros around that; channels:
    the grey repeated.
    target: the `label`; the `image` as it was before the margin, for an autoencoder;
    or of each of its `pixels` the label where there is ink (above half the brightness) and 10 where
    there is none, for segmentation.
    """

    kind: Literal["digits"] = "digits"
    size: int = Field(8, ge=8, multiple_of=8)
    margin: int = Field(0, ge=0)
    channels: PositiveInt = 1
    target: Literal["label", "image", "pixels"] = "label"
    test_fraction: float = Field(0.2, gt=0, lt=1)
    split_seed: int = Field(0, ge=0)


Layout = Literal["channels_last", "channels_first"]


class Npz(Spec):
    """A NumPy archive with x_train, y_train, x_test, y_test (plain arrays, never pickled objects).

    layout: of images with several channels, which may be stored flat:
    channels_last (n, H, W, C), or channels_first (n, C, H, W) as in CIFAR's files.
    Flat rows without it are refused, for both readings fit.
    """

    kind: Literal["npz"] = "npz"
    path: str
    layout: Layout | None = None


class Idx(Spec):
    """A folder with MNIST's four IDX files, plain or gzipped.

    Pixels / 255, but floating-point ones as they are.
    """

    kind: Literal["idx"] = "idx"
    path: str


class PythonSource(Spec):
    """Bytes of the source text of Python's own standard library, in `examples` pieces of T
    = the tokens that a network reads.

    next: a piece, and as labels the same piece one byte further on.
    masked: as many whole lines as fit, 15 % of whose bytes are replaced by the id 256;
    labels are those bytes, and the loss's `ignored` value elsewhere.
    Whole files are kept for the test, which gets `test_fraction` of the files and of the examples.
    """

    kind: Literal["python_source"] = "python_source"
    form: Literal["next", "masked"] = "next"
    examples: PositiveInt = 4096
    test_fraction: float = Field(0.1, gt=0, lt=1)
    split_seed: int = Field(0, ge=0)


class Table(Spec):
    """A small real table, features standardised by the training part.

    A regression's target too.

    wine: 178 x 13, 3 classes   breast_cancer: 569 x 30, 2 classes   diabetes: 442 x 10, a number
    """

    kind: Literal["table"] = "table"
    name: Literal["wine", "breast_cancer", "diabetes"]
    test_fraction: float = Field(0.2, gt=0, lt=1)
    split_seed: int = Field(0, ge=0)


class Reordered(Spec):
    """Made-up sequences of ids, and the same ids backwards or sorted:
    a task whose answer can be checked.

    Inputs `source` (the ids) and `target` (a start id 0, then the answer but its last);
    labels are the answer.
    """

    kind: Literal["reordered"] = "reordered"
    order: Literal["reversed", "sorted"] = "reversed"
    examples: PositiveInt = 4096


class Synthetic(Spec):
    """Seeded normal inputs, ids and labels drawn evenly, masks of seeded lengths:
    for speed, not for learning.
    """

    kind: Literal["synthetic"] = "synthetic"
    examples: PositiveInt = 1024


Data = Annotated[
    Digits | Npz | Idx | PythonSource | Table | Reordered | Synthetic, Field(discriminator="kind")
]
