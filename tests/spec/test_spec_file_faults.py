"""Workload files: everything wrong with one is told at once, each fault in its place and once."""

import pytest
from dnnbench.agreement.keys import BY_EXAMPLE
from dnnbench.errors import SpecError
from dnnbench.spec.files import parse_workload
from dnnbench.spec.soundness import RESERVED
from helpers.spec_files import CONV, FC1, GOOD, edited


def problems(raw):
    with pytest.raises(SpecError) as caught:
        parse_workload(raw, "net.toml")
    return caught.value.problems


def conv(**attributes):
    return {"model.nodes[2]": {**CONV, "op": {**CONV["op"], **attributes}}}


FAULTS = {
    "unknown key": (
        {f"{FC1}.op.unitz": 3},
        f"{FC1}.op.unitz: unknown key; did you mean 'units'? (known keys: bias,",
    ),
    "unknown key at the top": (
        {"bach_size": 3},
        "bach_size: unknown key; did you mean 'batch_size'?",
    ),
    "unknown key of a task": ({"task": {"lss": {}}}, "task.lss: unknown key; did you mean 'loss'?"),
    "unknown key of an optimizer": (
        {"task": {"optimizer": {"kind": "adam", "lerning_rate": 1}}},
        "task.optimizer.lerning_rate: unknown key; did you mean 'learning_rate'?",
    ),
    "unknown op": (
        {f"{FC1}.op.kind": "desne"},
        f"{FC1}.op: got kind 'desne', expected one of dense, matmul, conv1d",
    ),
    "unknown optimizer": ({"task": {"optimizer": {"kind": "adm"}}}, "did you mean 'adam'?"),
    "op without a kind": (
        {f"{FC1}.op": {"units": 3}},
        f"{FC1}.op: got {{'units': 3}}, expected a table with a 'kind'",
    ),
    "op as text": ({f"{FC1}.op": "dense"}, f"{FC1}.op: got 'dense', expected a table"),
    "node as text": ({"model.nodes[2]": "relu"}, "model.nodes[2]: got 'relu', expected a table"),
    "missing key": ({f"{FC1}.op.units": None}, f"{FC1}.op.units: missing; this key must be given"),
    "missing model": ({"model": None}, "model: missing; this key must be given"),
    "negative size": (
        {f"{FC1}.op.units": -3},
        f"{FC1}.op.units: got -3, expected a number above 0",
    ),
    "fractional size": (
        {f"{FC1}.op.units": 3.5},
        f"{FC1}.op.units: got 3.5, expected a whole number",
    ),
    "size as text": (
        {f"{FC1}.op.units": "ten"},
        f"{FC1}.op.units: got 'ten', expected a whole number",
    ),
    "zero in a shape": (
        {"model.inputs[0].shape": [8, 0]},
        "model.inputs[0].shape[1]: got 0, expected a number above 0",
    ),
    "absurd layer": (
        {f"{FC1}.op.units": 10**15},
        f"{FC1}: node 'fc1' (dense): its output has more than 2^40 elements",
    ),
    "absurd weight": (
        {f"{FC1}.op.units": 2**36},
        f"{FC1}: node 'fc1' (dense): its weight has more than 2^40 elements",
    ),
    "absurd input": (
        {"model.inputs[0].shape": [10**9, 10**9]},
        "model.inputs[0].shape: 'image' has more than 2^40",
    ),
    "number of 5000 digits": (
        {f"{FC1}.op.units": -(16**5000)},
        f"{FC1}.op.units: got a number of thousands of digits",
    ),
    "unknown element type": (
        {"model.inputs[0].dtype": "flaot"},
        "model.inputs[0].dtype: got 'flaot', expected 'float'",
    ),
    "bad name": ({"name": "3 x"}, "name: got '3 x', expected a name of letters"),
    "name too long": ({"model.name": "x" * 81}, "expected at most 80 characters"),
    "no output": ({"model.outputs": []}, "model.outputs: got [], expected a list of at least 1"),
    "no node": ({"model.nodes": []}, "model.nodes: got [], expected a list of at least 1"),
    "unknown output": (
        {"model.outputs": ["fc"]},
        "model.outputs[0]: no node is called 'fc'; did you mean 'fc1'?",
    ),
    "unknown input": (
        {f"{FC1}.inputs": ["flatt"]},
        f"{FC1}.inputs[0]: node 'fc1' reads 'flatt', which does not exist; did",
    ),
    "cycle": (
        {"model.nodes[0].inputs": ["fc1"]},
        "model.nodes[0].inputs[0]: cycle: flat -> fc1 -> flat;",
    ),
    "loop": ({f"{FC1}.inputs": ["fc1"]}, f"{FC1}.inputs[0]: cycle: fc1 -> fc1;"),
    "wrong order": (
        {
            "model.nodes[0].inputs": ["late"],
            "model.nodes[2]": {"name": "late", "inputs": ["image"], "op": {"kind": "relu"}},
        },
        "model.nodes[0].inputs[0]: node 'flat' reads 'late', which comes later; "
        "move 'late' before 'flat'",
    ),
    "duplicate node": (
        {"model.nodes[2]": {**CONV, "name": "fc1"}},
        "model.nodes[2].name: the name 'fc1' is taken",
    ),
    "node called as an input": (
        {"model.nodes[2]": {**CONV, "name": "image"}},
        "model.nodes[2].name: the name 'image' is",
    ),
    "reserved node": (
        {"model.nodes[2]": {**CONV, "name": "prediction"}},
        "model.nodes[2].name: the name 'prediction' is reserved for a group of tensors "
        "that a check compares; choose",
    ),
    "reserved input": (
        {"model.inputs[1]": {"name": "outputs", "shape": [3]}},
        "model.inputs[1].name: the name 'outputs' is reserved",
    ),
    "reserved parameter": (
        {f"{FC1}.parameters": {"weight": "infer"}},
        f"{FC1}.parameters.weight: the name 'infer' is reserved",
    ),
    "shape clash": (
        {f"{FC1}.inputs": ["image"]},
        f"{FC1}: node 'fc1' (dense): input "
        "(N, 8, 8, 1) has 64 features in 3 axes but units=10 expects (N, n) or (N, T, n); "
        "put a flatten before it, or for 10 units at every pixel use conv2d(filters=10, kernel=1)",
    ),
    "dense on more axes than an image's": (
        {"model.inputs[0].shape": [8, 8, 2, 2], f"{FC1}.inputs": ["image"]},
        "has 256 features in 4 axes but units=10 expects (N, n) or (N, T, n); "
        "put a flatten before it",
    ),
    "shapes that do not add up": (
        {"model.nodes[2]": {"name": "sum", "inputs": ["fc1", "flat"], "op": {"kind": "add"}}},
        "model.nodes[2]: node 'sum' (add): combines tensors of one shape, got (N, 10) and (N, 64)",
    ),
    "too many inputs": (
        {f"{FC1}.inputs": ["flat", "flat"]},
        f"{FC1}.inputs: node 'fc1' (dense) takes 1 input, got 2",
    ),
    "too few inputs": (
        {"model.nodes[2]": {"name": "sum", "inputs": ["fc1"], "op": {"kind": "add"}}},
        "model.nodes[2].inputs: node 'sum' (add) takes 2 or more inputs, got 1",
    ),
    "integers into a float op": (
        {"model.inputs[0].dtype": "int32"},
        "model.nodes[0]: node 'flat' (flatten): wants a float",
    ),
    "constant alone": (
        {"model.constants": [{"name": "c", "shape": [64]}], f"{FC1}.inputs": ["c"]},
        f"{FC1}: node 'fc1' (dense): cannot read the learned constant (64) alone",
    ),
    "image op on a flat input": (
        {"model.nodes[2]": {**CONV, "inputs": ["flat"]}},
        "model.nodes[2]: node 'conv' (conv2d): wants an image (N, H, W, C), got (N, 64)",
    ),
    "window too large": (
        conv(kernel=[30, 3], padding="valid"),
        "a window spanning 30 does not fit into 8 + 0 of padding",
    ),
    "kernel of one size": (
        conv(kernel=[3]),
        "model.nodes[2].op.kernel[1]: missing; this entry must be given",
    ),
    "kernel of nothing": (
        conv(kernel=0),
        "model.nodes[2].op.kernel: got 0, expected a number above 0, or a list of two",
    ),
    "padding misspelt": (
        conv(padding="smae"),
        "model.nodes[2].op.padding: got 'smae', expected 'same', 'valid', a number, or "
        "[[top, bottom], [left, right]]; did you mean 'same'?",
    ),
    "negative padding": (
        conv(padding=[[1, 1], [-1, 1]]),
        "model.nodes[2].op.padding: got [[1, 1], [-1, 1]], expected",
    ),
    "pool of padding alone": (
        {
            "model.nodes[2]": {
                "name": "pool",
                "inputs": ["image"],
                "op": {"kind": "max_pool2d", "window": [2, 2], "padding": [[2, 2], [0, 0]]},
            }
        },
        "as wide as the window (2, 2) makes windows of padding alone; pad less",
    ),
    "share of an unknown role": (
        {f"{FC1}.parameters": {"weigth": "x"}},
        f"{FC1}.parameters.weigth: node 'fc1' has no 'weigth'; did you mean 'weight'? "
        "(it has weight, bias)",
    ),
    "share between unequal shapes": (
        {
            "model.nodes[2]": {
                "name": "fc2",
                "inputs": ["fc1"],
                "op": {"kind": "dense", "units": 3},
                "parameters": {"weight": "fc1.weight"},
            }
        },
        "model.nodes[2].parameters.weight: node 'fc2' wants 'fc1.weight' of shape (10, 3), "
        "but its first user has (64, 10)",
    ),
    "metric of another loss": (
        {"task": {"loss": {"kind": "mse"}}},
        "task.metric: accuracy counts classes, but mse",
    ),
    "batch of nothing": ({"batch_size": 0}, "batch_size: got 0, expected a number above 0"),
    "rate of one": (
        {"task": {"optimizer": {"kind": "momentum", "momentum": 1}}},
        "task.optimizer.momentum: got 1, expected",
    ),
    "key that cannot be printed": ({"a\x1b\n": 1}, r": 'a\x1b\n': unknown key"),
    "key of a thousand letters": ({"k" * 1000: 1}, "kkk...kkk"),
    "axes without number": ({"model.inputs[0].shape": [1] * 32}, "expected a list of at most 31"),
    "data without a path": (
        {"task": {"data": {"kind": "npz"}}},
        "task.data.path: missing; this key must be given",
    ),
}


@pytest.mark.parametrize("edits, expected", FAULTS.values(), ids=FAULTS)
def test_one_fault_gives_one_line_with_file_and_key_path(edits, expected):
    [problem] = problems(edited(edits))
    assert problem.startswith("net.toml: ")
    assert expected in problem


def test_the_words_of_tensors_with_a_row_for_each_example_are_reserved():
    assert BY_EXAMPLE | {"infer"} == RESERVED


@pytest.mark.parametrize("raw", [None, [], 3, "text", [GOOD]])
def test_a_file_that_holds_no_table(raw):
    [problem] = problems(raw)
    assert problem.startswith("net.toml: (top level): got ")
    assert problem.endswith("expected a table")


def test_several_faults_give_a_line_each():
    lines = problems(
        edited(
            {
                "batch_size": 0,
                "bach": 3,
                "model.inputs[0].shape": [0],
                "model.nodes[0].op.kind": "flaten",
                f"{FC1}.op": {"kind": "dense", "unitz": 3},
                "model.nodes[2]": {
                    **CONV,
                    "op": {"kind": "conv2d", "kernel": [3], "filters": 0, "padding": -7},
                },
                "model.outputs": [],
                "task": {"epochs": -1, "loss": {"kind": "cros_entropy"}},
            }
        )
    )
    assert sorted(line.split(": ")[1] for line in lines) == sorted(
        [
            "bach",
            "batch_size",
            "model.inputs[0].shape[0]",
            "model.nodes[0].op",
            "model.nodes[1].op.units",
            "model.nodes[1].op.unitz",
            "model.nodes[2].op.filters",
            "model.nodes[2].op.kernel[1]",
            "model.nodes[2].op.padding",
            "model.outputs",
            "task.epochs",
            "task.loss",
        ]
    )


def test_several_faults_of_a_graph_give_a_line_each():
    lines = problems(
        edited(
            {
                "model.nodes[0].inputs": ["imag"],
                "model.nodes[2]": {**CONV, "inputs": ["image", "image"]},
                "model.nodes[3]": {
                    "name": "fc1",
                    "inputs": ["image"],
                    "op": {"kind": "dense", "units": 2},
                },
                "model.outputs": ["fc3"],
            }
        )
    )
    assert [line.split(": ")[1] for line in lines] == [
        "model.nodes[3].name",
        "model.nodes[0].inputs[0]",
        "model.outputs[0]",
        "model.nodes[2].inputs",
        "model.nodes[3]",
    ]
