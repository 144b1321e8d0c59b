"""Answers that changed while a run was measured: within a generation, or from one to the next."""

from collections.abc import Iterator, Sequence

from ..execution.facts import GenerationFacts, ProgramFacts
from ..protocol.keys import ProgramKey
from ..worker.answers import answers_differ, changed_fault, process_fault


def answer_faults(generations: Sequence[GenerationFacts]) -> dict[ProgramKey, tuple[str, ...]]:
    """By program, each fault once."""
    faults: dict[ProgramKey, dict[str, None]] = {}
    earlier: dict[ProgramKey, ProgramFacts] = {}
    for facts in generations:
        for key, program in facts.programs.items():
            of_key = faults.setdefault(key, {})
            of_key |= dict.fromkeys(_faults(key, program, earlier.setdefault(key, program)))
    return {key: tuple(of_key) for key, of_key in faults.items() if of_key}


def _faults(key: ProgramKey, program: ProgramFacts, earlier: ProgramFacts) -> Iterator[str]:
    before = earlier.answers
    for phase, (first, last) in program.answers.items():
        if answers_differ(first, last, key.arm.dtype):
            yield changed_fault(phase)
        if phase in before and answers_differ(before[phase][0], first, key.arm.dtype):
            yield process_fault(phase)
