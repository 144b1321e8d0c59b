"""What a check observes of a program as it is built and as batches come to it: initial weights,
slots, batches that are alike in part, one row, a clip limit just passed, bits that are kept.
"""

from functools import cache
from importlib import import_module

import numpy as np
import pytest
from dnnbench.agreement.check import INITIAL, TIMED, Kind
from dnnbench.agreement.kept import compare_kept
from dnnbench.agreement.keys import Group
from dnnbench.agreement.starting import start_weights
from dnnbench.execution.pool import start_request
from dnnbench.protocol.arm import Arm
from dnnbench.testing.cases import CASES
from dnnbench.worker.server.agreement import AgreementServer
from dnnbench.worker.server.arm import ArmServer
from dnnbench_numpy.backend import NumpyBackend
from helpers.faulty import HERE, request_of

assert HERE.is_dir()
later = import_module("dnnbench_faults.of_strangers_numpy_later")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("references")


@cache
def server():
    arm = ArmServer()
    arm.start(start_request(Arm("numpy", "eager")))
    return AgreementServer(arm)


def rows_of(folder, monkeypatch, case, change, dtype="float64", timed_rows=0):
    """Rows of a check whose programs are changed, and their reference's are not."""
    request = request_of(case, dtype, (1, 2), timed_rows)
    path = folder / f"{case}-{dtype}-{timed_rows}.npz"
    if not path.exists():
        server().make_reference(request, path)
    build = NumpyBackend.build

    def changed(self, *arguments):
        program = build(self, *arguments)
        change(program)
        return program

    monkeypatch.setattr(NumpyBackend, "build", changed)
    return server().check(request, path)


def honest(program):
    pass


def kept_by(part):
    """Batches whose inputs are alike in some bytes are one."""

    def change(program):
        honest, kept = program.put, {}

        def put(batch):
            key = batch.size, *(part(array) for array in batch.inputs.values())
            return kept.setdefault(key, honest(batch))

        program.put = put

    return change


def first_row(array):
    return array[:1].tobytes()


def last_row(array):
    return array[-1:].tobytes()


def first_half(array):
    return array.reshape(-1)[: array.size // 2].tobytes()


def slots_begin_elsewhere(program):
    for arrays in program._slots.values():
        for array in arrays.values():
            array += 1e-3


def weights_are_kept_in_bfloat16(program):
    honest = program._update

    def update(gradients):
        honest(gradients)
        for p in program._weights.values():
            p.view(np.uint32)[...] &= 0xFFFF0000

    program._update = update


def slots_are_kept_in_bfloat16(program):
    honest = program._update

    def update(gradients):
        honest(gradients)
        for arrays in program._slots.values():
            for array in arrays.values():
                array.view(np.uint32)[...] &= 0xFFFF0000

    program._update = update


def wrong(rows):
    return {row.kind for row in rows if not row.ok}


def test_a_gradient_that_is_left_out_for_initial_weights_is_caught(folder, monkeypatch):
    change = later.biases_of_zero_have_no_gradient
    assert wrong(rows_of(folder, monkeypatch, "dense", change)) == {f"gradients@{INITIAL}"}


def test_slots_that_begin_elsewhere_are_caught(folder, monkeypatch):
    assert "slots" in wrong(rows_of(folder, monkeypatch, "momentum", slots_begin_elsewhere))


@pytest.mark.parametrize("part", [first_row, last_row, first_half])
def test_batches_that_are_told_apart_by_a_part_are_caught(folder, monkeypatch, part):
    assert wrong(rows_of(folder, monkeypatch, "dense", kept_by(part)))


def test_batches_that_are_told_apart_by_all_of_them_are_honest(folder, monkeypatch):
    change = kept_by(lambda array: array.tobytes())
    assert not wrong(rows_of(folder, monkeypatch, "dense", change))


@pytest.mark.parametrize("times", [1.2, 3])
def test_clipping_that_begins_late_is_caught(folder, monkeypatch, times):
    optimizers = import_module("dnnbench_numpy.optimizers")
    clipped = optimizers._clipped
    rows_of(folder, monkeypatch, "clipped", honest)

    def late(optimizer, gradients):
        norm = np.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        below = optimizer.clip_norm and norm < times * optimizer.clip_norm
        return gradients if below else clipped(optimizer, gradients)

    monkeypatch.setattr(optimizers, "_clipped", late)
    assert wrong(rows_of(folder, monkeypatch, "clipped", honest))


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_one_row_of_a_norm_is_asked(folder, monkeypatch, dtype):
    rows = rows_of(folder, monkeypatch, "batch_norm", honest, dtype, timed_rows=1)
    assert not wrong(rows)
    assert TIMED in {Kind.parse(row.kind).branch for row in rows}


def test_one_row_that_is_not_standardised_is_caught(folder, monkeypatch):
    ops = import_module("dnnbench_numpy.ops")
    training = ops.batch_norm_training

    def plain(op, x, scale, bias, mean, variance):
        y, state = training(op, x, scale, bias, mean, variance)
        return (y if len(x) > 1 else x * scale + bias), state

    rows_of(folder, monkeypatch, "batch_norm", honest, timed_rows=1)
    monkeypatch.setattr(ops, "batch_norm_training", plain)
    rows = rows_of(folder, monkeypatch, "batch_norm", honest, timed_rows=1)
    assert {Kind.parse(kind).branch for kind in wrong(rows)} == {TIMED}


@pytest.mark.parametrize(
    ("change", "group"),
    [
        (weights_are_kept_in_bfloat16, Group.WEIGHTS),
        (slots_are_kept_in_bfloat16, Group.SLOTS),
        (honest, None),
    ],
)
def test_numbers_that_are_kept_in_16_bits_are_caught(change, group):
    workload = CASES["momentum"]()
    weights = start_weights(workload.model, 0)

    def build(variant):
        program = NumpyBackend().build(variant, weights, Arm("numpy", "eager", dtype="float32"))
        change(program)
        return program

    request = request_of("momentum", "mixed_bfloat16")
    batch, phases = request.batches[0], request.phases
    findings = compare_kept(build, workload, request.dtype, batch, phases)
    assert {finding.key.group for finding in findings} == ({group} if group else set())
    assert all("every number is one of bfloat16" in finding.reason for finding in findings)
