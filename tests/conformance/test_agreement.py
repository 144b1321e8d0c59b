"""The table op x backend x mode x element type x side:
small networks in every own backend against the NumPy reference.

Every case in the default modes in float64; elsewhere a telling one for each op, loss and optimizer.
`make test` asks what OFTEN holds: compilers take seconds for each network,
and half a minute for one that is trained. The verdicts come from the conformance kit's engine,
which asks many cases in one network; a test reads its own off.
"""

import pytest
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.ops import OPS
from dnnbench.testing.case_checker import CaseCheckers
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.registry import missing_ops
from dnnbench.testing.families import FAMILIES, TRAINING
from dnnbench.testing.verdicts import SIDES
from helpers.backends import OWN

TELLING = (
    "relu_at_zero", "relu6_at_zero", "leaky_relu", "elu", "gelu", "silu", "hardswish", "sigmoid",
    "softmax", "conv1d_uneven_padding", "conv2d_dilated_same", "conv2d_depthwise_multiplied",
    "conv_transpose2d_overlapping", "dense_transposed", "tied_embedding", "position_embedding",
    "matmul", "batch_norm_unbiased", "layer_norm_far_from_zero", "batch_norm_far_from_zero",
    "rms_norm", "group_norm_far_from_zero", "dropout", "stochastic_depth", "max_pool2d_overlapping",
    "avg_pool2d_padded", "global_avg_pool", "global_max_pool_tied", "adaptive_avg_pool2d",
    "lstm_from_state", "gru_last_from_state", "attention_masked", "attention_after_a_cache",
    "reshape_sequence_to_image", "transpose_image", "slices", "class_token", "mean_of_channels",
    "add_along_one_axis", "layer_scale", "two_outputs", "cross_entropy_ignoring", "bce_with_logits",
    "mse", "clipped", "nesterov_with_decay", "rmsprop_with_decay", "adam_with_decay",
    "adamw_clipped_on_a_schedule", "softmax_of_large", "attention_of_large_scores",
    "attention_to_many_keys", "embedding_of_large_ids", "cross_entropy_of_large_logits",
    "bce_of_large_logits",
)  # fmt: skip
A_FEW = ("dropout",)
"""In compiled modes besides the default: masks, where a compiler meets more than mathematics;
trained by plain SGD."""
EACH_OP = (
    "stochastic_depth", "matmul", "batch_norm_unbiased", "attention_after_a_cache", "relu6_at_zero",
    "leaky_relu", "elu", "gelu", "silu", "sigmoid", "softmax", "conv1d_uneven_padding",
    "position_embedding", "rms_norm", "dropout", "embedding_of_large_ids", "hardswish",
    "conv_transpose2d_overlapping", "layer_norm_far_from_zero", "group_norm_far_from_zero",
    "max_pool2d_overlapping", "avg_pool2d_padded", "global_avg_pool", "global_max_pool_tied",
    "adaptive_avg_pool2d", "lstm_from_state", "gru_last_from_state", "transpose_image", "slices",
    "mean_of_channels", "layer_scale",
)  # fmt: skip
"""Telling cases that have every op between them: what compilers of default modes are asked."""
NARROWED = ("softmax", "batch_norm_unbiased", "conv1d_uneven_padding", "lstm_from_state", "mse")
"""Those in which half precision keeps sums and statistics in float32: what bfloat16 is asked."""
TRAINED = tuple(case for case in TELLING if FAMILIES[case] == TRAINING)
MODES = [(backend, mode) for backend in OWN for mode in plugins().backends[backend].modes]
DEFAULT = [(backend, plugins().backends[backend].default_mode) for backend in OWN]
NARROW = ("bfloat16", "float16", "mixed_bfloat16", "mixed_float16")


def every_arm():
    """Each mode in each element type in which it computes on a CPU."""
    for backend, mode in MODES:
        computed = (
            ("float32",) if backend == "numpy" else ("float64", "float32", *NARROW)
        )  # float64 is the reference
        for dtype in computed:
            yield Arm(backend, mode, dtype=dtype)


MATRIX = {
    arm: tuple(CASES) if arm.dtype == "float64" and (arm.backend, arm.mode) in DEFAULT else TELLING
    for arm in every_arm()
}
"""By arm, the cases that `make test-all` asks."""
GROUPED = ("conv2d_depthwise_multiplied",)
"""What JAX's plain mode computes otherwise than jit."""
OFTEN = {
    Arm("torch", "eager", dtype="float64"): TELLING,
    Arm("torch", "eager", dtype="bfloat16"): NARROWED,
    Arm("torch", "compile", dtype="float32"): A_FEW,
    Arm("tensorflow", "graph", dtype="float64"): (*EACH_OP, "clipped"),
    Arm("tensorflow", "eager", dtype="float64"): TRAINED,
    Arm("tensorflow", "xla", dtype="float32"): A_FEW,
    Arm("jax", "jit", dtype="float64"): (*EACH_OP, "clipped"),
    Arm("jax", "eager", dtype="float64"): TRAINED,
    Arm("jax", "plain", dtype="float64"): GROUPED,
    Arm("numpy", "eager", dtype="float32"): TELLING,
}
"""By arm, those that `make test` asks too: what takes seconds."""
FAST = (Arm("torch", "eager", dtype="float64"),)
"""Whose telling cases `make test-fast` asks."""
ROWS = [(arm, case, side) for arm, cases in MATRIX.items() for case in cases for side in SIDES]


def row(arm, case, side):
    """All of an arm's in one pytest process, which starts its worker once."""
    marks = [pytest.mark.xdist_group(f"{arm.name}-{arm.dtype}")]
    if case not in OFTEN.get(arm, ()):
        marks.append(pytest.mark.exhaustive)
    if arm.mode != "eager":
        marks.append(pytest.mark.compiled)
    elif arm not in FAST or case not in TELLING:
        marks.append(pytest.mark.slow)
    return pytest.param(arm, case, side, marks=marks, id=f"{arm.name}-{arm.dtype}-{case}-{side}")


@pytest.fixture(scope="session")
def asked(request):
    """By arm, the cases that this session's tests ask: only those share a network."""
    cases = {}
    for item in request.session.items:
        if item.function is test_it_agrees:
            cases.setdefault(item.callspec.params["arm"], {})[item.callspec.params["case"]] = None
    return {arm: tuple(names) for arm, names in cases.items()}


@pytest.fixture(scope="module")
def checkers():
    opened = CaseCheckers()
    yield opened
    opened.close()


def kinds(cases):
    """What some cases test: ops; losses and optimizers where those are what is tested."""
    workloads = {case: CASES[case]() for case in cases}
    tasks = [w.task for case, w in workloads.items() if FAMILIES[case] == TRAINING]
    ops = {node.op.kind for w in workloads.values() for node in w.model.nodes}
    return ops, {task.loss.kind for task in tasks}, {task.optimizer.kind for task in tasks}


def test_every_op_loss_and_optimizer_has_a_telling_case():
    assert not missing_ops()
    assert set(FAMILIES) == set(CASES)
    assert kinds(TELLING) == kinds(CASES)
    assert kinds(TELLING)[0] == set(OPS)
    assert len(set(TELLING)) == len(TELLING) == 55


def test_the_matrix_is_whole():
    assert len(CASES) >= 128
    assert len(MODES) == 9
    assert len(MATRIX) == 8 * 6 + 1
    assert len(ROWS) >= 2 * (40 * len(TELLING) + 3 * len(CASES))


def test_what_is_asked_often_is_part_of_the_matrix():
    assert [
        (arm, case) for arm, cases in OFTEN.items() for case in cases if case not in MATRIX[arm]
    ] == []


@pytest.mark.parametrize(("backend", "mode"), [place for place in DEFAULT if place[0] != "numpy"])
def test_every_op_is_often_asked_of_every_default_mode_in_float64(backend, mode):
    assert kinds(OFTEN[Arm(backend, mode, dtype="float64")])[0] == set(OPS)


@pytest.mark.parametrize("backend", OWN)
def test_every_loss_and_optimizer_is_often_asked_of_every_backend(backend):
    cases = [case for arm, cases in OFTEN.items() if arm.backend == backend for case in cases]
    assert kinds(cases)[1:] == kinds(CASES)[1:]


@pytest.mark.parametrize(("arm", "case", "side"), [row(*key) for key in ROWS])
def test_it_agrees(checkers, asked, arm, case, side):
    verdict = checkers.of(arm, asked[arm]).verdicts(case)[side]
    assert verdict.status == "agrees", verdict
