"""A batch on the device, and which parts of it each phase reads."""

from typing import NamedTuple

from dnnbench.protocol.batch import Batch

READ = {
    "infer": ("inputs",),
    "forward": ("inputs", "masks"),
    **dict.fromkeys(
        ("loss", "gradients", "train_step", "values", "value_gradients"),
        ("inputs", "masks", "targets"),
    ),
}
"""Parts of a batch that each phase reads."""


class TensorBatch(NamedTuple):
    """A batch on the device."""

    named: Batch
    arguments: dict
    """What each phase's function takes: flat where it is traced, and no more than it reads,
    as each costs 9 microseconds.
    """
    shape: tuple
    """What a phase's function depends on: number of examples, and which masks were brought."""
