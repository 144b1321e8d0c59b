"""Two spellings of one network are one network: kept alike, with one hash."""

import json

import pytest
from dnnbench.spec.builder import Builder
from dnnbench.spec.files import read_workload, write_workload
from dnnbench.spec.workload import Workload
from pydantic import ValidationError

SPELLINGS = {
    "conv2d": (
        {"filters": 2, "kernel": 3, "strides": 2, "padding": 1, "dilation": 1},
        {
            "filters": 2,
            "kernel": (3, 3),
            "strides": (2, 2),
            "padding": ((1, 1), (1, 1)),
            "dilation": (1, 1),
        },
    ),
    "conv_transpose2d": (
        {"filters": 2, "kernel": 3, "strides": 2, "padding": 1, "output_padding": 1},
        {
            "filters": 2,
            "kernel": [3, 3],
            "strides": [2, 2],
            "padding": [[1, 1], [1, 1]],
            "output_padding": [1, 1],
        },
    ),
    "max_pool2d": (
        {"window": 2, "strides": 2, "padding": 1},
        {"window": (2, 2), "strides": (2, 2), "padding": ((1, 1), (1, 1))},
    ),
    "avg_pool2d": ({"window": 2, "padding": 0}, {"window": (2, 2), "padding": ((0, 0), (0, 0))}),
    "adaptive_avg_pool2d": ({"size": 2}, {"size": (2, 2)}),
}


def of_image(kind, attributes):
    net = Builder("net")
    return net.build(getattr(net, kind)(net.input("image", (8, 8, 3)), name="x", **attributes))


@pytest.mark.parametrize("kind", SPELLINGS)
def test_one_number_stands_for_both_axes(kind):
    short, long = (of_image(kind, attributes) for attributes in SPELLINGS[kind])
    assert short == long
    assert short.spec_hash == long.spec_hash


@pytest.mark.parametrize("kind", SPELLINGS)
def test_one_number_stands_for_both_axes_in_a_file_too(kind, tmp_path):
    short, long = SPELLINGS[kind]
    written = json.loads(write_workload(Workload(name="net", model=of_image(kind, long))))
    written["model"]["nodes"][0]["op"] = {"kind": kind, **short}
    (tmp_path / "net.json").write_text(json.dumps(written))
    assert read_workload(tmp_path / "net.json").model == of_image(kind, long)


def test_one_padding_of_a_sequence_is_that_of_both_ends():
    def net(padding):
        net = Builder("net")
        return net.build(
            net.conv1d(net.input("x", (8, 3)), filters=2, kernel=3, padding=padding, name="y")
        )

    assert net(1) == net((1, 1))


@pytest.mark.parametrize("kernel", [0, -3, True, 2.5, "3", None, [3], [3, 3, 3]])
def test_what_is_neither_one_size_nor_two_is_refused(kernel):
    with pytest.raises(ValidationError):
        of_image("conv2d", {"filters": 2, "kernel": kernel})


@pytest.mark.parametrize("padding", [-1, True, 1.5, [1, 1]])
def test_what_is_no_padding_is_refused(padding):
    with pytest.raises(ValidationError):
        of_image("conv2d", {"filters": 2, "kernel": 3, "padding": padding})


def test_an_editor_that_follows_the_schema_takes_both_spellings():
    kernel = Workload.model_json_schema()["$defs"]["Conv2d"]["properties"]["kernel"]
    assert [branch["type"] for branch in kernel["anyOf"]] == ["integer", "array"]


def joined(kind, *order):
    """Four tensors of which `x` gives the shape, in an order."""
    net = Builder("net")
    net.input("x", (4, 4, 3))
    net.input("gate", (1, 1, 3))
    net.input("other", (4, 4, 3))
    net.constant("scale", (3,))
    return net.build(getattr(net, kind)(*order, name="y"))


@pytest.mark.parametrize("kind", ["add", "mul"])
@pytest.mark.parametrize(
    "order", [("gate", "x"), ("scale", "x"), ("gate", "x", "scale"), ("scale", "gate", "x")]
)
def test_the_input_that_gives_the_shape_may_stand_anywhere_and_is_kept_first(kind, order):
    others = [name for name in order if name != "x"]
    model = joined(kind, *order)
    assert model.nodes[0].inputs == ("x", *others)
    assert model.spec_hash == joined(kind, "x", *others).spec_hash


def test_the_order_of_equal_shapes_is_kept():
    assert joined("mul", "other", "x").nodes[0].inputs == ("other", "x")


def test_behind_an_op_that_was_put_in_order_the_next_one_is_too():
    net = Builder("net")
    x, gate = net.input("x", (4, 3)), net.input("gate", (1, 3))
    model = net.build(net.add(gate, net.mul(gate, x)))
    assert [node.inputs for node in model.nodes] == [("x", "gate"), ("mul1", "gate")]


@pytest.mark.parametrize("order", [("x", "wide"), ("wide", "x")])
def test_shapes_of_which_none_gives_the_result_are_refused_as_they_were_written(order):
    net = Builder("net")
    net.input("x", (4, 1))
    net.input("wide", (1, 5))
    with pytest.raises(ValidationError) as caught:
        net.build(net.mul(*order))
    shapes = {"x": "(N, 4, 1)", "wide": "(N, 1, 5)"}
    assert f"combines tensors of one shape, got {shapes[order[0]]} and {shapes[order[1]]}" in str(
        caught.value
    )


def test_two_learned_constants_alone_are_refused():
    with pytest.raises(ValidationError, match="cannot read the learned constant"):
        net = Builder("net")
        net.input("x", (3,))
        net.build(net.add(net.constant("a", (3,)), net.constant("b", (3,))))
