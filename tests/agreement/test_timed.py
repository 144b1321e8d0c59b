"""The batch that is timed, and masks that are drawn: each way in which they are asked."""

import numpy as np
import pytest
from dnnbench.agreement import timed as timed_batch
from dnnbench.agreement.check import DRAWN, TIMED, Kind, check
from dnnbench.agreement.observing import with_optimizer
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.starting import start_weights
from dnnbench.agreement.thinned import (
    Draw,
    agreement_off,
    halves,
    read_draws,
    repeated,
    share_off,
)
from dnnbench.agreement.timed import How, how, observe_timed
from dnnbench.data.dataset import load
from dnnbench.execution.checking import check_request, check_requests
from dnnbench.execution.pool import start_request
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.phases import Phase
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.server.agreement import AgreementServer
from dnnbench.worker.server.arm import ArmServer
from dnnbench_numpy.backend import NumpyBackend
from helpers.faulty import HERE  # puts the planted faults on the path

assert HERE.is_dir()
from dnnbench_faults import programs_of_batches as programs  # noqa: E402

ROWS = 33
CLOSE = "resnet18[tiny]"
"""Its timed batch has choices that nearly tie in float32, and its first four rows have none."""
WAYS = {How.WHOLE: "dense", How.IN_PARTS: "dense", How.INFERENCE: "batch_norm"}
CHANGES = (
    programs.rows_beyond_16_are_zero,
    programs.the_last_of_an_odd_number_is_the_first,
    programs.means_are_over_the_first_batch_s_rows,
)


def honest(program):
    pass


def rows_of(workload, batches, timed, change=honest, phases=tuple(Phase), dtype="float64"):
    """Rows of a check of the NumPy backend whose programs are changed."""
    weights = start_weights(workload.model, 0)

    def build_in(mode, kind):
        arm = Arm("numpy", mode, dtype=kind)
        return lambda variant: NumpyBackend().build(variant, weights, arm)

    def changed(variant):
        program = build_in("eager", dtype)(variant)
        change(program)
        return program

    reference = make_reference(build_in, workload, batches, (1,), dtype, phases=phases)
    if how(workload, timed.size) is How.WHOLE:
        tensors = observe_timed(build_in("eager", "float64")(workload), workload, timed, phases)
        reference.timed.update(tensors)
    return check(changed, workload, dtype, reference, batches, (1,), phases=phases, timed=timed)


def asked_the(way, monkeypatch):
    """A case whose timed batch is asked in a way, of a budget under which it is."""
    if way is not How.WHOLE:
        monkeypatch.setattr(timed_batch, "BUDGET", timed_batch.BUDGET._replace(whole_flops=0))
    workload = CASES[WAYS[way]]()
    timed = batches_of(workload, 1, ROWS)[0]
    assert how(workload, ROWS) is way
    return workload, batches_of(workload, 2), timed


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("way", WAYS)
def test_a_fault_of_larger_batches_is_caught_each_way(monkeypatch, way, change):
    """Inference tells nothing of means, which the loss and gradients are."""
    rows = rows_of(*asked_the(way, monkeypatch), change)
    wrong = {Kind.parse(row.kind).branch for row in rows if not row.ok}
    in_training = change is programs.means_are_over_the_first_batch_s_rows
    assert (TIMED in wrong) is not (in_training and way is How.INFERENCE)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("way", WAYS)
def test_an_honest_backend_agrees_each_way(monkeypatch, way, dtype):
    rows = rows_of(*asked_the(way, monkeypatch), dtype=dtype)
    assert [row for row in rows if not row.ok] == []
    assert TIMED in {Kind.parse(row.kind).branch for row in rows}


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_drawn_masks_of_much_work_are_asked_under_adam(monkeypatch, dtype):
    """Its steps are told by gradients, which no phase gives there."""
    monkeypatch.setattr(timed_batch, "BUDGET", timed_batch.BUDGET._replace(whole_flops=0))
    workload = with_optimizer(CASES["dropout"](), Adam())
    rows = rows_of(workload, batches_of(workload, 2), batches_of(workload, 1, ROWS)[0], dtype=dtype)
    assert [row for row in rows if not row.ok] == []
    drawn = [row for row in rows if Kind.parse(row.kind).branch == DRAWN]
    assert "weights@drawn" in {row.kind for row in drawn}


@pytest.mark.slow
def test_choices_that_nearly_tie_in_the_timed_batch_alone_are_honest(tmp_path):
    """Taken from its first four rows, its allowances made NumPy differ from itself 27 times."""
    arm = ArmServer()
    arm.start(start_request(Arm("numpy", "eager")))
    workload, server = find_workload(CLOSE), AgreementServer(arm)
    request = check_request(workload, load(workload), 0, (Phase.GRADIENTS,)).in_dtype("float32")
    server.make_reference(request, tmp_path / "reference.npz")
    rows = server.check(request, tmp_path / "reference.npz")
    assert [row for row in rows if not row.ok] == []


@pytest.mark.exhaustive  # seconds of NumPy
@pytest.mark.parametrize("change", [honest, programs.rows_beyond_16_are_zero])
def test_a_published_size_is_asked_in_parts(change):
    workload = find_workload("resnet18[image=64]")
    (request,) = check_requests(workload, load(workload), 0, (Phase.INFER,))
    assert how(workload, request.timed.size) is How.INFERENCE
    rows = rows_of(workload, request.batches, request.timed, change, request.phases, "float32")
    wrong = {row.kind for row in rows if not row.ok}
    assert wrong == (set() if change is honest else {"outputs@timed"})


def test_one_row_is_asked_whole_or_not_at_all_where_norms_take_it_alone(monkeypatch):
    assert how(CASES["batch_norm"](), 1) is How.WHOLE
    monkeypatch.setattr(timed_batch, "BUDGET", timed_batch.BUDGET._replace(whole_flops=0))
    assert how(CASES["batch_norm"](), 1) is How.NOT
    assert how(CASES["dense"](), 1) is How.IN_PARTS


def draws(kept, rate=0.3, count=1):
    mask = np.asarray(kept, np.float32)
    return [Draw(rate, mask, np.ones(mask.shape, bool), 0.0) for _ in range(count)]


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.9])
def test_honest_shares_are_far_from_an_alarm(rate):
    generator = np.random.default_rng(0)
    ratios = [share_off(draws(generator.random((8, 40)) >= rate, rate), 1)[0] for _ in range(2000)]
    assert max(ratios) < 0.6


@pytest.mark.parametrize(("kept", "rate"), [(1.0, 0.1), (0.0, 0.9), (0.5, 0.3)])
def test_another_share_is_an_alarm(kept, rate):
    mask = np.arange(320) < 320 * kept
    assert share_off(draws(mask, rate), 1)[0] > 1


def test_the_bound_is_that_of_hoeffding():
    """Of 100 elements that are kept with 1/2, all are: 2^-100, against 1e-9 on either side."""
    ratio, share, count = share_off(draws(np.ones(100), 0.5), 1)
    assert (share, count) == (1.0, 100)
    assert ratio == pytest.approx(100 * np.log(2) / np.log(2e9))


def test_a_batch_that_is_dropped_altogether_is_no_alarm():
    workload = CASES["stochastic_depth"]()
    node = next(node for node in workload.model.nodes if node.op.random)
    values = {node.inputs[0]: np.ones((4, 3, 3, 2)), node.name: np.zeros((4, 3, 3, 2))}
    (draw,) = read_draws(workload.model, values, 2.0**-53).values()
    assert draw.off == 0
    assert not draw.mask.any()


def test_few_equal_masks_are_chance():
    (one,) = draws([1, 0, 1])
    (many,) = draws(np.random.default_rng(0).random(200) >= 0.3)
    assert not repeated(one, one)
    assert repeated(many, many)


def test_masks_are_named_in_rows_of_their_own():
    workload = CASES["dropout"]()
    rows = rows_of(workload, batches_of(workload, 2), batches_of(workload, 1, 64)[0])
    drawn = [row for row in rows if Kind.parse(row.kind).branch == DRAWN]
    kinds = {"outputs@drawn", "loss@drawn", "gradients@drawn", "weights@drawn"}
    assert {row.kind for row in drawn} >= kinds
    assert all(row.ok for row in drawn)


def drawn_rows(mask):
    return Draw(0.3, mask.astype(np.float32), np.ones(mask.shape, bool), 0.0)


def test_rows_that_fall_out_together_are_an_alarm():
    one = np.random.default_rng(0).random((1, 64)) > 0.3
    assert agreement_off([halves(drawn_rows(np.tile(one, (8, 1))))], 1)[0] > 1


def test_rows_that_fall_out_apart_are_none():
    chance = np.random.default_rng(0)
    draws = [drawn_rows(chance.random((8, 64)) > 0.3) for _ in range(8)]
    assert agreement_off(map(halves, draws), 1)[0] < 0.5


def test_one_coin_for_a_batch_is_an_alarm_once_it_has_fallen_often_enough():
    """As stochastic depth draws: a number a row."""
    draws = [drawn_rows(np.full(8, coin)) for coin in (1, 1, 0, 1, 0, 1, 1, 1) * 2]
    assert agreement_off(map(halves, draws), 1)[0] > 1
