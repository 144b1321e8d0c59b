"""What is timed of a workload: whole phases, and pieces of a training step that may run alone."""

from enum import StrEnum


class Phase(StrEnum):
    """A phase, or a piece of one; a member compares, sorts and prints as its text."""

    INFER = "infer"
    FORWARD = "forward"
    LOSS = "loss"
    GRADIENTS = "gradients"
    TRAIN_STEP = "train_step"
    LOSS_ALONE = "loss_alone"
    UPDATE_ALONE = "update_alone"


PHASES = (Phase.INFER, Phase.FORWARD, Phase.LOSS, Phase.GRADIENTS, Phase.TRAIN_STEP)
"""Whole phases; in training mode each of the last four contains the one before it."""
PIECES = (Phase.LOSS_ALONE, Phase.UPDATE_ALONE)
"""Parts of a step that some frameworks can run alone."""
PURPOSES = (Phase.TRAIN_STEP, Phase.INFER)
"""What a network is for: learning, and answering."""
MUTATING = (Phase.TRAIN_STEP, Phase.UPDATE_ALONE)
"""Phases that change weights, and what belongs to them."""
