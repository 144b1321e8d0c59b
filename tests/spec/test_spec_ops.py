"""Shape rules, parameters and counts of every op, against figures worked out by hand
or published.
"""

import csv
import itertools
from pathlib import Path

import pytest
from dnnbench.spec.builder import Builder
from dnnbench.spec.costs import node_costs, parameter_count
from dnnbench.spec.ops import OPS
from dnnbench.spec.ops.windows import resolve_padding, windows_along
from dnnbench.spec.tensor import TensorType

IMAGE = TensorType((8, 6, 3))
FLAT = TensorType((5,))
TOKENS = TensorType((4, 5))

# kind, attributes, inputs, output shape, parameter shapes, MACs, other FLOPs
OPS_BY_HAND = [
    ("dense", {"units": 7}, [FLAT], (7,), {"weight": (5, 7), "bias": (7,)}, 35, 0),
    ("dense", {"units": 7, "bias": False}, [FLAT], (7,), {"weight": (5, 7)}, 35, 0),
    ("dense", {"units": 7}, [TOKENS], (4, 7), {"weight": (5, 7), "bias": (7,)}, 140, 0),
    (
        "conv2d",
        {"filters": 4, "kernel": (3, 3)},
        [IMAGE],
        (8, 6, 4),
        {"weight": (3, 3, 3, 4), "bias": (4,)},
        8 * 6 * 4 * 27,
        0,
    ),
    (
        "conv2d",
        {"filters": 2, "kernel": (3, 2), "strides": (2, 3), "padding": "valid", "bias": False},
        [IMAGE],
        (3, 2, 2),
        {"weight": (3, 2, 3, 2)},
        3 * 2 * 2 * 18,
        0,
    ),
    (
        "conv2d",
        {
            "filters": 1,
            "kernel": (3, 3),
            "dilation": (2, 2),
            "padding": ((1, 0), (0, 2)),
            "bias": False,
        },
        [IMAGE],
        (5, 4, 1),
        {"weight": (3, 3, 3, 1)},
        5 * 4 * 27,
        0,
    ),
    ("max_pool2d", {"window": (2, 2)}, [IMAGE], (4, 3, 3), {}, 0, 4 * 3 * 3 * 4),
    (
        "max_pool2d",
        {"window": (3, 3), "strides": (2, 2), "padding": "same"},
        [IMAGE],
        (4, 3, 3),
        {},
        0,
        36 * 9,
    ),
    ("avg_pool2d", {"window": (3, 2), "strides": (1, 2)}, [IMAGE], (6, 3, 3), {}, 0, 54 * 6),
    (
        "avg_pool2d",
        {"window": (2, 2), "padding": ((1, 1), (0, 0))},
        [IMAGE],
        (5, 3, 3),
        {},
        0,
        45 * 4,
    ),
    ("global_avg_pool", {}, [IMAGE], (3,), {}, 0, 144),
    ("flatten", {}, [IMAGE], (144,), {}, 0, 0),
    ("flatten", {}, [FLAT], (5,), {}, 0, 0),
    ("relu", {}, [IMAGE], (8, 6, 3), {}, 0, 144),
    ("sigmoid", {}, [FLAT], (5,), {}, 0, 15),
    ("tanh", {}, [FLAT], (5,), {}, 0, 15),
    ("softmax", {}, [TOKENS], (4, 5), {}, 0, 80),
    ("add", {}, [FLAT, FLAT, FLAT], (5,), {}, 0, 10),
    ("add", {}, [FLAT, TensorType((5,), batched=False)], (5,), {}, 0, 5),
    ("dropout", {"rate": 0.3}, [TOKENS], (4, 5), {}, 0, 40),
    ("batch_norm", {}, [IMAGE], (8, 6, 3), {"scale": (3,), "bias": (3,)}, 0, 144 * 8),
    (
        "dense",
        {"units": 7, "transposed": True, "bias": False},
        [TOKENS],
        (4, 7),
        {"weight": (7, 5)},
        140,
        0,
    ),
    ("matmul", {}, [TOKENS, TensorType((5, 3))], (4, 3), {}, 60, 0),
    (
        "matmul",
        {"transpose_b": True},
        [TensorType((2, 4, 5)), TensorType((2, 3, 5))],
        (2, 4, 3),
        {},
        120,
        0,
    ),
    (
        "conv1d",
        {"filters": 6, "kernel": 3},
        [TOKENS],
        (4, 6),
        {"weight": (3, 5, 6), "bias": (6,)},
        4 * 6 * 15,
        0,
    ),
    (
        "conv1d",
        {
            "filters": 10,
            "kernel": 2,
            "strides": 2,
            "dilation": 2,
            "groups": 5,
            "padding": (1, 0),
            "bias": False,
        },
        [TOKENS],
        (2, 10),
        {"weight": (2, 1, 10)},
        2 * 10 * 2,
        0,
    ),
    (
        "conv2d",
        {"filters": 6, "kernel": (3, 3), "groups": 3, "bias": False},
        [IMAGE],
        (8, 6, 6),
        {"weight": (3, 3, 1, 6)},
        8 * 6 * 6 * 9,
        0,
    ),
    (
        "conv_transpose2d",
        {
            "filters": 2,
            "kernel": (3, 2),
            "strides": (2, 1),
            "padding": ((1, 0), (0, 1)),
            "output_padding": (1, 0),
        },
        [IMAGE],
        (7 * 2 - 1 + 3 + 1, 5 - 1 + 2, 2),
        {"weight": (3, 2, 2, 3), "bias": (2,)},
        144 * 6 * 2,
        0,
    ),
    ("global_max_pool", {}, [IMAGE], (3,), {}, 0, 144),
    ("adaptive_avg_pool2d", {"size": (3, 6)}, [IMAGE], (3, 6, 3), {}, 0, (3 + 4 + 3) * 6 * 3),
    ("reshape", {"shape": (6, 24)}, [IMAGE], (6, 24), {}, 0, 0),
    ("transpose", {"axes": (2, 0, 1)}, [IMAGE], (3, 8, 6), {}, 0, 0),
    ("slice", {"axis": -1, "start": 1}, [TOKENS], (4, 4), {}, 0, 0),
    ("concat", {"axis": 0}, [TOKENS, TensorType((1, 5), batched=False)], (5, 5), {}, 0, 0),
    ("mean", {"axes": (0, -1)}, [IMAGE], (6,), {}, 0, 144),
    ("relu6", {}, [FLAT], (5,), {}, 0, 10),
    ("leaky_relu", {}, [FLAT], (5,), {}, 0, 10),
    ("elu", {}, [FLAT], (5,), {}, 0, 20),
    ("gelu", {}, [FLAT], (5,), {}, 0, 40),
    ("silu", {}, [FLAT], (5,), {}, 0, 20),
    ("hardswish", {}, [FLAT], (5,), {}, 0, 25),
    ("mul", {}, [IMAGE, TensorType((1, 1, 3))], (8, 6, 3), {}, 0, 144),
    ("stochastic_depth", {"rate": 0.1}, [IMAGE], (8, 6, 3), {}, 0, 288),
    ("layer_norm", {}, [TOKENS], (4, 5), {"scale": (5,), "bias": (5,)}, 0, 160),
    ("rms_norm", {}, [TOKENS], (4, 5), {"scale": (5,)}, 0, 80),
    ("group_norm", {"groups": 3}, [IMAGE], (8, 6, 3), {"scale": (3,), "bias": (3,)}, 0, 144 * 8),
    (
        "embedding",
        {"vocabulary": 9, "features": 2},
        [TensorType((4,), "int32")],
        (4, 2),
        {"weight": (9, 2)},
        0,
        0,
    ),
    (
        "position_embedding",
        {"positions": 7, "offset": 3},
        [TOKENS],
        (4, 5),
        {"weight": (7, 5)},
        0,
        20,
    ),
    (
        "lstm",
        {"units": 3},
        [TOKENS],
        (4, 3),
        {"weight": (5, 12), "recurrent": (3, 12), "bias": (12,)},
        4 * (5 + 3) * 12,
        4 * 3 * 22,
    ),
    (
        "gru",
        {"units": 3, "sequences": False},
        [TOKENS, TensorType((3,))],
        (3,),
        {"weight": (5, 9), "recurrent": (3, 9), "bias": (9,), "hidden_bias": (3,)},
        4 * (5 + 3) * 9,
        4 * 3 * 18,
    ),
    (
        "attention",
        {"heads": 2},
        [TensorType((3, 6)), TensorType((4, 6)), TensorType((4, 6)), TensorType((4,), "bool")],
        (3, 6),
        {},
        2 * 3 * 4 * 6,
        5 * 2 * 12,
    ),
]

REFUSED = [
    ("conv2d", {"filters": 4, "kernel": (1, 1), "groups": 2}, [IMAGE], "groups=2 do not divide"),
    (
        "conv_transpose2d",
        {"filters": 1, "kernel": (1, 1), "output_padding": (1, 0)},
        [IMAGE],
        "must be below strides",
    ),
    ("matmul", {}, [TOKENS, TOKENS], "set transpose_b"),
    ("matmul", {}, [TOKENS, TensorType((2, 5, 3))], "stacks of one shape"),
    ("reshape", {"shape": (7,)}, [TOKENS], "cannot put the 20 elements"),
    ("transpose", {"axes": (0, 0)}, [TOKENS], "each axis of"),
    ("slice", {"axis": 2}, [TOKENS], "axis=2 does not exist"),
    ("slice", {"start": 4}, [TOKENS], "is no part of axis 0"),
    ("concat", {"axis": 0}, [TOKENS, TensorType((4, 6))], "differ in axis 0 alone"),
    ("mean", {"axes": (0, -2)}, [TOKENS], "twice"),
    ("mul", {}, [TOKENS, TensorType((5,))], "combines tensors of one shape"),
    ("add", {}, [TensorType((5,), batched=False), FLAT], "cannot read the learned constant"),
    ("group_norm", {"groups": 2}, [IMAGE], "groups=2 do not divide the 3 channels"),
    ("embedding", {"vocabulary": 9, "features": 2}, [FLAT], "wants ids (int32)"),
    ("position_embedding", {"positions": 3}, [TOKENS], "do not fit into positions=3"),
    ("lstm", {"units": 3}, [TOKENS, TensorType((3,))], "both first states"),
    ("gru", {"units": 3}, [TOKENS, TensorType((4,))], "wants a first state (N, 3)"),
    ("attention", {"heads": 4}, [TensorType((3, 6))] * 3, "heads=4 do not divide the width 6"),
    (
        "attention",
        {"heads": 1, "causal": True},
        [TOKENS, TensorType((3, 5)), TensorType((3, 5))],
        "nothing to see",
    ),
    (
        "attention",
        {"heads": 1},
        [TOKENS, TOKENS, TOKENS, TensorType((4,))],
        "wants a mask (N, 4) bool",
    ),
    ("layer_norm", {}, [TensorType(())], "at least one axis"),
]


@pytest.mark.parametrize("kind, attributes, inputs, words", REFUSED)
def test_inputs_that_do_not_fit_are_refused_in_words(kind, attributes, inputs, words):
    with pytest.raises(ValueError) as error:
        OPS[kind](**attributes).output(inputs)
    assert words in str(error.value)


@pytest.mark.parametrize("kind, attributes, inputs, shape, parameters, macs, flops", OPS_BY_HAND)
def test_shape_parameters_and_counts(kind, attributes, inputs, shape, parameters, macs, flops):
    op = OPS[kind](**attributes)
    assert op.output(inputs) == TensorType(shape)
    assert {
        role: parameter.shape for role, parameter in op.parameters(inputs).items()
    } == parameters
    assert (op.macs(inputs), op.elementwise_flops(inputs)) == (macs, flops)


def test_every_op_is_in_the_table_and_tells_its_formula():
    assert {row[0] for row in OPS_BY_HAND} == set(OPS)
    for kind, op in OPS.items():
        assert op.formula.startswith("y = "), kind
        assert op.__doc__, kind


def test_batch_norm_keeps_running_statistics():
    state = OPS["batch_norm"]().state([IMAGE])
    assert {role: (s.shape, s.initializer.kind) for role, s in state.items()} == {
        "mean": ((3,), "zeros"),
        "variance": ((3,), "ones"),
    }


@pytest.mark.parametrize(
    "kind, attributes, inputs, fan_in",
    [("dense", {"units": 7}, [FLAT], 5), ("conv2d", {"filters": 4, "kernel": (3, 2)}, [IMAGE], 18)],
)
def test_weights_start_with_variance_two_over_fan_in(kind, attributes, inputs, fan_in):
    start = OPS[kind](**attributes).parameters(inputs)["weight"].initializer
    assert start.bound**2 / 3 == pytest.approx(2 / fan_in)


def positions(size, window, stride, pads, dilation):
    """Starts of windows that lie inside the padded axis, counted one by one."""
    padded = range(-pads[0], size + pads[1])
    starts = padded[::stride]
    return [s for s in starts if all(s + u * dilation in padded for u in range(window))]


GEOMETRY = list(itertools.product(range(1, 10), (1, 2, 3, 5), (1, 2, 3), (1, 2)))


@pytest.mark.parametrize("size, window, stride, dilation", GEOMETRY)
def test_same_padding_is_the_least_that_gives_one_window_a_stride(size, window, stride, dilation):
    [(lo, hi), _] = resolve_padding("same", (size, 1), (window, 1), (stride, 1), (dilation, 1))
    wanted = -(-size // stride)
    assert windows_along(size, window, stride, (lo, hi), dilation) == wanted
    assert len(positions(size, window, stride, (lo, hi), dilation)) == wanted
    assert hi - lo in (0, 1)
    if lo + hi:
        fewer = positions(size, window, stride, (lo, hi - 1), dilation)
        assert len(fewer) < wanted


@pytest.mark.parametrize("pads", [(0, 0), (1, 0), (0, 2), (3, 3)])
@pytest.mark.parametrize("size, window, stride, dilation", GEOMETRY[::3])
def test_window_count_against_counting(size, window, stride, dilation, pads):
    count = len(positions(size, window, stride, pads, dilation))
    if count:
        assert windows_along(size, window, stride, pads, dilation) == count
    else:
        with pytest.raises(ValueError, match="does not fit"):
            windows_along(size, window, stride, pads, dilation)


def lenet5():
    net = Builder("lenet5")
    x = net.input("image", (32, 32, 1))
    for filters in (6, 16):
        x = net.tanh(net.conv2d(x, filters=filters, kernel=(5, 5), padding="valid"))
        x = net.avg_pool2d(x, window=(2, 2))
    x = net.flatten(x)
    for units in (120, 84):
        x = net.tanh(net.dense(x, units=units))
    return net.build(net.dense(x, units=10))


PUBLISHED = {"lenet5": lenet5}


@pytest.mark.parametrize("name, build", PUBLISHED.items(), ids=PUBLISHED)
def test_published_figures(name, build):
    with open(
        Path(__file__).parents[1] / "golden" / "models.csv", newline="", encoding="utf-8"
    ) as file:
        row = {row["model"]: row for row in csv.DictReader(file)}[name]
    model = build()
    assert parameter_count(model) == int(row["params"])
    assert sum(cost.macs for cost in node_costs(model, 1)) == int(row["macs_forward_batch1"])
