"""Faults of what programs of one process share: a check has one program at a time."""

from .program_faults import planted

PROCESSES = "programs of one process"
LAW = "programs_do_not_share"
BUILT = []
"""What programs of this process have put into the module's own place, the newest last."""


@planted(PROCESSES, law=LAW, numpy="batch_norm", torch="batch_norm")
def the_newest_program_answers_for_all(program):
    """Its weights lie in a place of the module's."""
    BUILT.append(program.infer)
    program.infer = lambda batch: BUILT[-1](batch)


@planted(PROCESSES, law=LAW, numpy="batch_norm", jax="batch_norm")
def statistics_are_the_newest_program_s(program):
    BUILT.append(program.model_state)
    program.model_state = lambda: BUILT[-1]()


@planted(PROCESSES, law=LAW, torch="batch_norm", tensorflow="batch_norm")
def the_process_keeps_one_snapshot(program):
    """Of whichever program took the last one."""
    honest = program.snapshot

    def snapshot():
        BUILT.append(honest())
        return len(BUILT)

    back = program.restore
    program.snapshot, program.restore = snapshot, lambda token: back(BUILT[-1])
