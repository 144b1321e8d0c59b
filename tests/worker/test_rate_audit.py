"""The audit of a rate above the peak: honest phases pass it, and each way to skip
the work shows.
"""

import time

import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.bench import Bench
from dnnbench_numpy.backend import NumpyBackend
from helpers.programs import Changed


def audited(phase="infer", trains=True, **replaced):
    """(the audit, the program) of a small convolution's phase, with methods
    of its program replaced.
    """
    workload = CASES["conv2d_same"]()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager")
    )
    bench = Bench(Changed(program, **replaced), batches_of(workload)[0])
    return bench.audit_rate(phase, calls=10, trains=trains), program


class Keeping:
    """Answers of a method by the batch, which is held so that its identity stays its own,
    and by the weights' version.
    """

    def __init__(self, of_weights=False):
        self._answers, self._of_weights, self.version = [], of_weights, 0

    def infer(self, program, batch):
        for known, version, answer in self._answers:
            if known is batch and (version == self.version or not self._of_weights):
                return answer
        time.sleep(0.002)
        self._answers.append((batch, self.version, program.infer(batch)))
        return self._answers[-1][2]

    def train_step(self, program, batch):
        self.version += 1
        return program.train_step(batch)


@pytest.mark.parametrize("phase", ["infer", "train_step"])
def test_honest_phases_have_no_fault_and_the_program_is_left_as_it_was(phase):
    found, program = audited(phase)
    assert found.faults == []
    workload = CASES["conv2d_same"]()
    fresh = (
        NumpyBackend()
        .build(workload, initial_weights(workload.model, 0), Arm("numpy", "eager"))
        .weights()
    )
    assert all(np.array_equal(fresh[name], array) for name, array in program.weights().items())


def test_an_answer_that_is_kept_for_a_placed_batch_does_not_follow_the_weights():
    found, _ = audited(infer=Keeping().infer)
    assert (
        "inference gave the same output before and after a step: an answer is cached"
        in found.faults
    )


def test_an_answer_that_is_kept_until_the_weights_change_shows_in_its_time():
    kept = Keeping(of_weights=True)
    found, _ = audited(infer=kept.infer, train_step=kept.train_step)
    (fault,) = found.faults
    assert fault.endswith("times as long as the same one again: answers are kept")


def test_a_step_that_changes_nothing_is_found():
    found, _ = audited("train_step", train_step=lambda program, batch: program.loss(batch))
    assert "a training step changed no weight" in found.faults


def test_a_result_that_is_the_same_for_another_batch_is_found():
    first = []

    def train_step(program, batch):
        first.append(batch)
        return program.train_step(first[0])

    found, _ = audited("train_step", train_step=train_step)
    assert found.faults == ["another input gave the same result: an answer is cached"]


def test_time_that_does_not_grow_with_the_calls_is_found():
    """The first call after a restore takes all the time: those that follow are for nothing."""
    waiting, answer = [], []

    def restore(program, kept):
        waiting.append(True)
        return program.restore(kept)

    def gradients(program, batch):
        if waiting:
            waiting.clear()
            time.sleep(0.02)
            answer[:] = [program.gradients(batch)]
        return answer[0]

    found, _ = audited("gradients", restore=restore, gradients=gradients)
    assert any(fault.startswith("twice the calls took") for fault in found.faults)


def test_what_cannot_be_trained_is_asked_for_no_step():
    def train_step(program, batch):
        raise AssertionError("asked to train")

    found, _ = audited(trains=False, train_step=train_step)
    assert "asked to train" not in " ".join(found.faults)
