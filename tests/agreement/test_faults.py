"""Faults planted in real backends: `dnnbench check` must catch each of them,
and say whose fault it is.
"""

import json
from collections import Counter
from contextlib import ExitStack

import pytest
from dnnbench.execution.cache import cache_folder, cache_folders
from dnnbench.protocol.arm import Arm
from dnnbench.spec.data import Synthetic
from dnnbench.spec.files import write_workload
from dnnbench.testing.arm_under_test import ArmUnderTest
from dnnbench.testing.cases import CASES
from dnnbench.testing.law_checks import law_verdict
from helpers.faulty import BUILDERS, HERE, FaultyWorkers
from helpers.installing import installed_here
from helpers.kept_caches import kept_folder
from helpers.running import dnnbench

# isort: split
from dnnbench_faults.conventions import COMMON
from dnnbench_faults.every import (
    BACKENDS,
    FAULTS,
    PROGRAM_FAULTS,
    STRANGERS,
    UNCHECKED_FAULTS,
)
from dnnbench_faults.names import named_of

DTYPES = ("float64", "float32")
PATIENCE_S = 600


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """Nothing that a faulty worker compiles or reads is kept, or another test's."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DNNBENCH_CACHE", str(tmp_path_factory.mktemp("faulty") / "cache"))
        yield


@pytest.fixture(scope="module")
def faulty(own_cache):
    """Workers find the faulty backends as they find any third party's:
    by an entry point on their path.
    """
    with installed_here(HERE), ExitStack() as stack:
        yield FaultyWorkers(stack)


SELDOM = ("jax", "tensorflow")
"""They compile for seconds: the matrix asks their faults, `make test` NumPy's, and PyTorch's where
the claim names one that NumPy has not.
"""
OFTEN_COMPILED = ("batch_norm_momentum_s_meaning", "gelu_tanh")
"""Their faults that are asked often: those that the claim names and they alone have."""
FAST = (
    "dropout_not_rescaled",
    "layer_norm_epsilon_outside_the_root",
    "lstm_gates_i_f_o_g",
    "momentum_rate_in_the_velocity",
    "sgd_weights_not_updated",
)
"""NumPy's that `make test-fast` asks; test_case_claims.py plants others there, in this process."""


def in_its_worker(backend, *values, dtype, name, seldom=False):
    """All of a backend in one pytest process.

    In float32, NumPy's run often, and those of frameworks in the matrix.
    """
    marks = [pytest.mark.xdist_group(f"faulty_{backend}")]
    in_the_matrix = dtype == "float32" and backend != "numpy"
    if seldom or in_the_matrix:
        marks.append(pytest.mark.exhaustive)
    if (backend, dtype) != ("numpy", "float64") or name not in FAST:
        marks.append(pytest.mark.slow)
    return pytest.param(backend, *values, dtype, marks=marks, id=f"{backend}-{name}-{dtype}")


NAMED_IN_THE_CLAIM = (
    "padding on the other side", "symmetric padding", "unbiased variance",
    "epsilon outside the root", "momentum's meaning", "missing 1 over N", "no bias correction",
    "step off by one", "gates i f o g", "reset before", "mask's polarity", "scale of all features",
    "tanh", "bias gradient dropped", "gradient of the wrong tensor", "norm of sparse gradients",
    "decay coupled", "order C H W", "stale weights", "float32 inside float64", "answers cached",
    "NaN in one element", "one border row wrong",
)  # fmt: skip
"""Kinds of faults that a check is said to catch."""
OF_NUMPY = {fault.mechanism for fault in FAULTS if fault.backend == "numpy"}


def is_often(fault):
    """Whether `make test` asks it."""
    if fault.backend == "torch":
        return fault.mechanism in NAMED_IN_THE_CLAIM and fault.mechanism not in OF_NUMPY
    return fault.backend not in SELDOM or fault.mode in OFTEN_COMPILED


PLANTED = [
    in_its_worker(
        fault.backend,
        fault,
        dtype=dtype,
        name=fault.mode,
        seldom=not is_often(fault) or (dtype == "float32" and fault in COMMON),
    )
    for fault in FAULTS
    for dtype in DTYPES
    if dtype == "float64" or fault.float32
]
HONEST = [
    in_its_worker(
        backend,
        case,
        dtype=dtype,
        name=case,
        # Which tests/conformance checks in the same mode, telling ones with every change.
        seldom=backend in SELDOM or ((backend, dtype) != ("numpy", "float64") and case in CASES),
    )
    for backend in BACKENDS
    for case in sorted({f.case for f in (*FAULTS, *PROGRAM_FAULTS) if f.backend == backend})
    for dtype in (DTYPES[:1] if backend == "jax" else DTYPES)
]


@pytest.mark.parametrize(("backend", "fault", "dtype"), PLANTED)
def test_a_planted_fault_is_caught_and_named(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    rows = faulty.check(backend, fault.mode, fault.case, dtype)
    assert not all(row.ok for row in rows), "not caught"
    record_property(
        f"mildest fault {dtype}", (max(row.ratio for row in rows), f"{backend}:{fault.mode}")
    )
    explanation = faulty.explain(backend, fault.case, dtype, rows)
    named = explanation.op if explanation.what == "node" else explanation.name
    assert (explanation.what, named) == (fault.what, fault.named), explanation.sentence
    assert fault.known in explanation.convention, explanation.sentence
    # What is wrong in some calls alone may be right in the one that replays it.
    replayed = fault.what != "phase" and fault.known != "at random"
    assert explanation.confirmed or not replayed, explanation.sentence


PROGRAMS = [
    in_its_worker(f.backend, f, dtype=f.dtype, name=f.mode, seldom=f.backend in SELDOM)
    for f in PROGRAM_FAULTS
]
LAWLESS = [
    in_its_worker(f.backend, f, dtype="float32", name=f.mode, seldom=f.backend in SELDOM)
    for f in UNCHECKED_FAULTS
    if f.law
]
TRAINED = [
    in_its_worker(f.backend, f, dtype="float64", name=f.mode, seldom=f.backend in SELDOM)
    for f in UNCHECKED_FAULTS
    if f.trained
]


@pytest.mark.parametrize(("backend", "fault", "dtype"), PROGRAMS)
def test_a_faulty_program_is_caught(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    rows = faulty.check(backend, fault.mode, fault.case, dtype, fault.steps, fault.timed_rows)
    assert not all(row.ok for row in rows), "not caught"


ONCE_MISSED = {
    "numpy": (
        "biases_of_zero_have_no_gradient",
        "biases_that_start_at_zero_are_folded_away",
        "clipping_begins_at_three_times_the_limit",
        "every_row_has_the_first_row_s_mask",
        "load_keeps_the_slots",
        "masks_come_back_after_two_steps",
        "placed_batches_live_in_a_ring_of_three",
        "scales_that_start_at_one_are_folded_away",
        "snapshots_are_in_float32",
        "the_last_of_equal_logits_is_predicted",
        "weights_are_the_program_s_own",
    ),
    "torch": (
        "batches_are_kept_by_their_first_row",
        "load_leaves_the_statistics",
        "loss_alone_runs_the_network_again",
        "one_coin_for_the_whole_batch",
        "programs_share_their_velocity",
        "restore_leaves_the_generator",
        "restore_makes_adam_count_anew",
        "weights_are_kept_in_bfloat16",
        "zero_is_positive",
    ),
    "tensorflow": (
        "load_leaves_the_statistics",
        "norms_that_start_plain_are_folded_away",
        "placed_batches_are_kept_by_array",
        "restore_starts_the_count_anew",
    ),
    "jax": (
        "every_node_draws_with_one_key",
        "load_keeps_the_count",
        "one_row_is_not_standardised",
        "restore_leaves_the_key",
    ),
}
"""Devised by somebody who had not read the check, which once saw none of them."""
STRANGE = [
    in_its_worker(f.backend, f, dtype=f.dtype, name=f.mode, seldom=f.backend in SELDOM)
    for f in STRANGERS
    if f.mode in ONCE_MISSED[f.backend]
]


def test_every_fault_once_missed_is_planted():
    assert len(STRANGE) == sum(map(len, ONCE_MISSED.values()))


@pytest.mark.parametrize(("backend", "fault", "dtype"), STRANGE)
def test_a_stranger_s_fault_is_caught(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    rows = faulty.check(backend, fault.mode, fault.case, dtype, fault.steps, fault.timed_rows)
    assert not all(row.ok for row in rows), "not caught"


ONCE_MISNAMED = (
    "clipping_begins_at_three_times_the_limit",
    "rows_beyond_512_learn_once",
    "scales_that_start_at_one_are_folded_away",
    "scales_that_start_at_one_never_move",
    "smaller_batches_are_filled_with_their_first_rows",
    "smaller_batches_weigh_less",
    "the_last_of_equal_logits_is_predicted",
    "programs_share_their_velocity",
    "large_weights_move_every_other_step",
    "what_starts_at_zero_stays_there",
)
"""Strangers' faults whose part an explanation once named wrongly, or not at all."""
MISNAMED = [
    in_its_worker(f.backend, f, dtype=f.dtype, name=f.mode, seldom=f.backend != "numpy")
    for f in STRANGERS
    if f.mode in ONCE_MISNAMED
]


def test_every_fault_once_misnamed_is_planted():
    assert len(MISNAMED) == len(ONCE_MISNAMED)


@pytest.mark.parametrize(("backend", "fault", "dtype"), MISNAMED)
def test_a_stranger_s_fault_is_named(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    rows = faulty.check(backend, fault.mode, fault.case, dtype, fault.steps, fault.timed_rows)
    explanation = faulty.explain(backend, fault.case, dtype, rows)
    part = explanation.op if explanation.what == "node" else explanation.name
    assert named_of(fault).is_part(f"{explanation.what} {part}"), explanation.sentence


@pytest.mark.parametrize(("backend", "fault", "dtype"), LAWLESS)
def test_a_faulty_program_breaks_its_law(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    arm_under_test = ArmUnderTest(Arm(f"faulty_{backend}", fault.mode, dtype=dtype))
    try:
        verdict = law_verdict(arm_under_test, fault.law)
    finally:
        arm_under_test.close()
    assert verdict.status == "broken", verdict


@pytest.mark.parametrize(("backend", "fault", "dtype"), TRAINED)
def test_a_faulty_epoch_is_caught(faulty, backend, fault, dtype, record_property):
    record_property("planted fault", f"{backend}:{fault.mode}")
    comparison = faulty.first_epoch(backend, fault.mode, fault.case)
    assert comparison.status == "differs", comparison


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_an_honest_epoch_agrees(faulty, backend):
    comparison = faulty.first_epoch(backend, "honest", "dense")
    assert comparison.status == "agrees", comparison


def test_every_gap_is_tried_in_three_backends():
    every = (*PROGRAM_FAULTS, *UNCHECKED_FAULTS)
    gaps = {fault.gap for fault in every}
    backends = {gap: {f.backend for f in every if f.gap == gap} for gap in gaps}
    assert {gap for gap in gaps if len(backends[gap]) < 3} == set()


@pytest.mark.parametrize(("backend", "case", "dtype"), HONEST)
def test_the_same_backend_without_its_fault_passes(faulty, backend, case, dtype, record_property):
    """After faults were planted and taken out again in the same process."""
    record_property("honest check", f"{backend}:{case}:{dtype}")
    rows = faulty.check(backend, "honest", case, dtype)
    worst = max(rows, key=lambda row: row.ratio)
    assert all(row.ok for row in rows), worst
    record_property(f"worst honest {dtype}", (worst.ratio, f"{backend} {worst.tensor}"))


def test_no_faulty_worker_reads_an_honest_cache():
    own = cache_folder()
    shared = kept_folder().parent
    folders = (own / "references", *cache_folders(own).values())
    assert [folder for folder in folders if folder.resolve().is_relative_to(shared)] == []


def test_the_table_is_large_and_varied():
    planted = Counter((fault.backend, fault.target, fault.mechanism) for fault in FAULTS)
    assert max(planted.values()) == 1
    assert len({(fault.target, fault.mechanism) for fault in FAULTS}) >= 60
    assert all(sum(fault.backend == backend for fault in FAULTS) >= 10 for backend in BACKENDS)
    assert len({fault.target for fault in FAULTS}) >= 40
    assert sum(bool(fault.known) for fault in FAULTS) >= 0.9 * len(FAULTS)


@pytest.mark.parametrize("mechanism", NAMED_IN_THE_CLAIM)
def test_every_mechanism_that_is_claimed_is_often_planted(mechanism):
    assert any(fault.mechanism == mechanism for fault in FAULTS if is_often(fault))


def command(place, *arguments):
    """What a user types; PYTHONPATH stands for an installed third party's package."""
    return dnnbench(place, "check", *arguments, limit_s=PATIENCE_S, PYTHONPATH=str(HERE))


def file_of(case, place):
    """The case as a workload file, on data that fit any network."""
    workload = BUILDERS[case]()
    task = workload.task.model_copy(update={"data": Synthetic(examples=40)})
    path = place / f"{case}.json"
    path.write_text(write_workload(workload.model_copy(update={"task": task})))
    return str(path)


@pytest.mark.exhaustive  # the faults themselves are caught often, by the function it calls
@pytest.mark.xdist_group("faulty_torch")
def test_the_command_line_catches_and_names_them(tmp_path):
    modes = {
        "faulty_numpy:layer_norm_epsilon_outside_the_root": "epsilon outside the root",
        "faulty_torch:layer_norm_unbiased_variance": "unbiased variance",
    }
    arms = ",".join((*modes, "numpy"))
    arguments = (
        file_of("layer_norm", tmp_path),
        "--backend",
        arms,
        "--threads",
        "1",
        "--explain",
        "--json",
    )
    done = command(tmp_path, *arguments)
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert {row["arm"] for row in document["agreement"] if not row["ok"]} == set(modes)
    explanations = {(e["arm"], e["dtype"]): e for e in document["explanations"]}
    assert set(explanations) == {(arm, dtype) for arm in modes for dtype in DTYPES}
    for (arm, _), explanation in explanations.items():
        assert (explanation["name"], explanation["op"]) == ("layer_norm1", "layer_norm")
        assert explanation["confirmed"]
        assert explanation["convention"] == modes[arm]


@pytest.mark.slow
def test_the_terminal_shows_the_matrix_and_the_sentence(tmp_path):
    arms = "faulty_numpy:sgd_weights_not_updated,faulty_numpy:honest"
    options = ("--threads", "1", "--dtype", "float64", "--explain", "--details")
    done = command(tmp_path, file_of("sgd", tmp_path), "--backend", arms, *options)
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    matrix = "workload arm type outputs loss gradients state weights slots"
    assert matrix.split() in [line.split() for line in lines]
    assert any(
        line.startswith(f"{arms.split(',')[0]} sgd float64: optimizer 'sgd'") for line in lines
    )
    assert "known fault: weights not updated" in done.stdout


@pytest.mark.slow
def test_nothing_is_explained_where_all_agree(tmp_path):
    arguments = (
        "--backend",
        "faulty_numpy:honest",
        "--threads",
        "1",
        "--dtype",
        "float64",
        "--explain",
        "--json",
    )
    done = command(tmp_path, file_of("sgd", tmp_path), *arguments)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["explanations"] == []
