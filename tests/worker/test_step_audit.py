"""The audit of steps: an honest program passes; late weights and kept answers show."""

from time import perf_counter, sleep

from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.bench import Bench
from dnnbench_numpy.backend import NumpyBackend


def audited(change=lambda program: None):
    workload = CASES["conv2d_same"]()
    weights = initial_weights(workload.model, 0)
    program = NumpyBackend().build(workload, weights, Arm("numpy", "eager"))
    change(program)
    return Bench(program, batches_of(workload)[0]).audit(calls=3).steps


def weights_come_late(program):
    """A step goes on for as long again after it is waited for."""
    step, weights, ends = program.train_step, program.weights, [0.0]

    def train_step(batch):
        begin = perf_counter()
        result = step(batch)
        ends[0] = perf_counter() + (perf_counter() - begin)
        return result

    def finished():
        sleep(max(ends[0] - perf_counter(), 0))
        return weights()

    program.train_step, program.weights = train_step, finished


def weights_are_read_once(program):
    """The first reading after a step takes as long as the step; what is read is kept."""
    step, weights, wanted = program.train_step, program.weights, []

    def train_step(batch):
        begin = perf_counter()
        result = step(batch)
        wanted[:] = [perf_counter() - begin]
        return result

    def reading():
        while wanted:
            sleep(wanted.pop())
        return weights()

    program.train_step, program.weights = train_step, reading


def gradients_are_kept(program):
    """But a step computes its own."""
    step, honest, kept = program.train_step, program.gradients, {}

    def keeping(batch):
        return kept.setdefault(id(batch), honest(batch))

    def train_step(batch):
        program.gradients = honest
        result = step(batch)
        program.gradients = keeping
        return result

    program.train_step, program.gradients = train_step, keeping


def test_an_honest_program_has_no_fault():
    assert audited().faults == []


def test_weights_that_come_late_are_told():
    (fault,) = audited(weights_come_late).faults
    assert "wait does not wait for them" in fault


def test_a_first_reading_that_takes_long_is_no_late_weight():
    assert audited(weights_are_read_once).faults == []


def test_a_phase_that_keeps_its_answer_is_told():
    assert audited(gradients_are_kept).faults == [
        "gradients gave the same before and after a step: an answer is kept"
    ]
