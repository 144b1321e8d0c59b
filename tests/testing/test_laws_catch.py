"""Laws that steps must keep, broken by NumPy programs that are changed as planted faults are."""

from importlib import import_module
from time import perf_counter, sleep

import numpy as np
import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.law_checks import candidates
from dnnbench.testing.laws import LAWS
from dnnbench.testing.trial import LawBroken, Trial
from dnnbench_numpy.backend import NumpyBackend
from helpers.faulty import HERE  # puts the planted faults on the path

programs = import_module("dnnbench_faults.programs")
of_batches = import_module("dnnbench_faults.programs_of_batches")
planting = import_module("dnnbench_faults.planting")
strange = import_module("dnnbench_faults.of_strangers_numpy")
later = import_module("dnnbench_faults.of_strangers_numpy_later")
import_module("dnnbench_faults.in_numpy")
assert HERE.is_dir()


def trial_of(law, change=lambda program: None):
    workload = candidates(law)[0]
    weights = initial_weights(workload.model, 0)

    def build(weights, seed=0):
        program = NumpyBackend().build(workload, weights, Arm("numpy", "eager"), seed)
        change(program)
        return program

    batches = batches_of(workload, size=workload.batch_size)
    return Trial(
        build, weights, batches, workload=workload, reseeded=lambda weights: build(weights, 1)
    )


def weights_come_late(program):
    """`wait` waits for the loss alone; who reads weights waits for them."""
    step, weights, late = program.train_step, program.weights, []

    def train_step(batch):
        begin = perf_counter()
        result = step(batch)
        late.append(perf_counter() - begin)
        return result

    def finished():
        while late:
            sleep(late.pop())
        return weights()

    program.train_step, program.weights = train_step, finished


def one_seed_for_all(program):
    program._generator = np.random.Generator(np.random.Philox(7))


def each_answer_is_the_one_before(program):
    """Every fiftieth, as a ring of results would give it."""
    honest, answers = program.infer, []

    def infer(batch):
        answers.append(honest(batch))
        return answers[-2] if len(answers) % 50 == 0 else answers[-1]

    program.infer = infer


def planted(name):
    return planting.ALTERATIONS["numpy", name]


BROKEN = [
    ("no_answer_is_kept_by_its_batch", programs.answers_are_kept_by_placed_batch, "infer gives"),
    ("pieces_do_what_the_step_does", programs.update_alone_does_nothing, "otherwise than a step"),
    ("pieces_do_what_the_step_does", programs.update_alone_happens_once, "a second update_alone"),
    ("pieces_do_what_the_step_does", programs.loss_alone_is_summed, "loss_alone gives"),
    ("pieces_do_what_the_step_does", programs.pieces_are_those_of_the_first_batch, "loss_alone"),
    ("masks_are_drawn_as_they_are_meant", planted("drawn_masks_are_ones"), "keeps 100.0% of"),
    (
        "masks_are_drawn_as_they_are_meant",
        planted("drawn_masks_are_drawn_again_in_the_backward_pass"),
        "under the same mask from outside",
    ),
    (
        "masks_are_drawn_as_they_are_meant",
        planted("drawn_masks_are_those_of_the_step_before"),
        "the one before it had",
    ),
    ("masks_are_drawn_as_they_are_meant", one_seed_for_all, "another seed draws the same"),
    ("masks_keep_their_share", strange.one_of_a_hundred_dropped_is_kept, "elements are kept"),
    ("masks_keep_their_share", strange.masks_come_back_after_two_steps, "mask of an earlier one"),
    ("gradients_repeat", later.one_gradient_of_97_is_late, "gradient pass gave another"),
    ("inference_repeats", each_answer_is_the_one_before, "same inference gave another"),
    ("wait_means_done", weights_come_late, "reading the weights after `wait` took"),
    ("restore_goes_back", programs.restore_leaves_the_count_of_steps, "training went elsewhere"),
    ("restore_goes_back", programs.restore_leaves_the_slots, "did not bring back first_moment"),
    ("restore_goes_back", programs.restore_goes_back_once, "did not bring back"),
    ("a_smaller_batch_works", programs.returned_loss_is_that_after_the_step, "returns another"),
    (
        "a_smaller_batch_works",
        of_batches.the_last_of_an_odd_number_is_the_first,
        "inference gives",
    ),
]


@pytest.mark.parametrize(
    ("law", "change", "what"), BROKEN, ids=[f"{law}-{change.__name__}" for law, change, _ in BROKEN]
)
def test_a_broken_law_is_told(law, change, what):
    with pytest.raises(LawBroken, match=what):
        LAWS[law](trial_of(law, change))


@pytest.mark.parametrize("law", sorted({law for law, *_ in BROKEN}))
def test_the_honest_program_keeps_it(law):
    LAWS[law](trial_of(law))
