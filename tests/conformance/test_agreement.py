"""The table op x backend x mode x element type x side: small networks in every own backend against the NumPy reference.

Every case in the default modes in float64; elsewhere a telling one for each op, loss and optimizer, because compilers take a
second or more for each. `dnnbench conformance NAME:all --dtype all` asks the rest. The verdicts come from the conformance
kit's engine, which asks many cases in one network; a test reads its own off.
"""

import pytest
from dnnbench.plugins.discovery import missing, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.ops import OPS
from dnnbench.testing.case_checker import CaseCheckers
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.registry import missing_ops
from dnnbench.testing.families import FAMILIES, TRAINING
from dnnbench.testing.verdicts import SIDES

TELLING = (
    "relu_at_zero", "relu6_at_zero", "leaky_relu", "elu", "gelu", "silu", "hardswish", "sigmoid", "softmax",
    "conv1d_uneven_padding", "conv2d_dilated_same", "conv2d_depthwise_multiplied", "conv_transpose2d_overlapping",
    "dense_transposed", "tied_embedding", "position_embedding", "matmul", "batch_norm_unbiased",
    "layer_norm_far_from_zero", "batch_norm_far_from_zero", "rms_norm", "group_norm_far_from_zero", "dropout",
    "stochastic_depth", "max_pool2d_overlapping", "avg_pool2d_padded", "global_avg_pool", "global_max_pool_tied",
    "adaptive_avg_pool2d", "lstm_from_state", "gru_last_from_state", "attention_masked", "attention_after_a_cache",
    "reshape_sequence_to_image", "transpose_image", "slices", "class_token", "mean_of_channels", "add_along_one_axis",
    "layer_scale", "two_outputs", "cross_entropy_ignoring", "bce_with_logits", "mse", "clipped", "nesterov_with_decay",
    "rmsprop_with_decay", "adam_with_decay", "adamw_clipped_on_a_schedule",
)  # fmt: skip
OWN = ("torch", "tensorflow", "jax", "numpy")
MODES = [(backend, mode) for backend in OWN for mode in plugins().backends[backend].modes]
DEFAULT = [(backend, plugins().backends[backend].default_mode) for backend in OWN]
ARMS = {
    **{Arm(*place, dtype=dtype): TELLING for place in MODES for dtype in ("float64", "float32")},
    **{Arm(*place, dtype=dtype): TELLING for place in DEFAULT for dtype in ("bfloat16", "mixed_bfloat16")},
    **{Arm(*place, dtype="float64"): tuple(CASES) for place in DEFAULT},
}
TABLE = [(arm, case, side) for arm, cases in ARMS.items() for case in cases for side in SIDES]
UNSUPPORTED = {("numpy", dtype): TELLING for dtype in ("bfloat16", "mixed_bfloat16")}
"""(backend, element type) -> cases that it truly cannot do, each with a reason that it tells."""


def row(arm, case, side):
    """All of an arm's in one pytest process, which starts its worker once."""
    group = pytest.mark.xdist_group(f"{arm.name}-{arm.dtype}")
    return pytest.param(arm, case, side, marks=group, id=f"{arm.name}-{arm.dtype}-{case}-{side}")


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


def test_the_table_is_whole():
    assert not missing_ops()
    assert set(FAMILIES) == set(CASES)
    assert len(CASES) >= 128
    assert len(MODES) == 8
    assert len(ARMS) == 24
    assert {(a.backend, a.mode, a.dtype) for a in ARMS} >= {(*m, d) for m in MODES for d in ("float64", "float32")}
    assert kinds(TELLING) == kinds(CASES)
    assert kinds(TELLING)[0] == set(OPS)
    assert len(set(TELLING)) == len(TELLING) == 49
    assert len(TABLE) == 2 * (20 * len(TELLING) + 4 * len(CASES)) >= 2984


@pytest.mark.parametrize(("arm", "case", "side"), [row(*key) for key in TABLE])
def test_it_agrees(checkers, arm, case, side):
    if reason := missing(plugins().backends[arm.backend]):
        pytest.skip(reason)
    verdict = checkers.of(arm, ARMS[arm]).verdicts(case)[side]
    if case in UNSUPPORTED.get((arm.backend, arm.dtype), ()):
        assert verdict.status == "unsupported"
        assert verdict.reason
    else:
        assert verdict.status == "agrees", verdict
