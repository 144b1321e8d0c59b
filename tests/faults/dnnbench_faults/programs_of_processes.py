"""Faults of what one process keeps from program to program."""

from .program_faults import planted

PROCESSES = "programs of one process"
LAW = "programs_do_not_share"
BUILT = []
"""Programs of this process, in the order in which they were built."""
KEPT = {}
"""Answers of this process."""


@planted(PROCESSES, law=LAW, numpy="batch_norm", torch="batch_norm")
def the_newest_program_answers_for_all(program):
    """Weights in a place of the module's: the program that was built last has put its own there."""
    BUILT.append(program.infer)
    program.infer = lambda batch: BUILT[-1](batch)


@planted(PROCESSES, law=LAW, numpy="batch_norm", tensorflow="batch_norm")
def later_programs_step_twice(program):
    """A counter of the module's, that a first program does not see."""
    BUILT.append(program)
    honest = program.train_step
    if len(BUILT) == 1:
        return

    def train_step(batch):
        program.wait(honest(batch))
        return honest(batch)

    program.train_step = train_step


@planted(PROCESSES, law=LAW, jax="batch_norm", numpy="batch_norm")
def answers_are_kept_by_shape(program):
    """As of a cache whose key holds no program."""
    honest = program.gradients

    def gradients(batch):
        result = honest(batch)
        shapes = tuple(array.shape for array in program.get(result).values())
        return KEPT.setdefault(shapes, result)

    program.gradients = gradients
