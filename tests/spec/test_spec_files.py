"""Workload files: everything wrong with one is told at once, each fault in its place and once."""

import json
from pathlib import Path

import pytest
from dnnbench.errors import SpecError
from dnnbench.spec.builder import Builder
from dnnbench.spec.files import parse_workload, read_workload, write_workload
from dnnbench.spec.losses import CrossEntropy
from dnnbench.spec.optimizers import Adam
from dnnbench.spec.workload import Task, Workload
from helpers.spec_files import FC1, GOOD, edited

UNREADABLE = {
    "not TOML": ("w.toml", b"name = ", "not TOML: Invalid value"),
    "not JSON": ("w.json", b'{"name": ', "not JSON: Expecting value"),
    "TOML in .json": ("w.json", b'name = "x"', "not JSON"),
    "binary": ("w.toml", bytes(range(256)), "cannot be read: it is not UTF-8 text"),
    "empty JSON": ("w.json", b"", "not JSON"),
    "empty TOML": ("w.toml", b"", "name: missing"),
    "deep JSON": ("w.json", b"[" * 100_000, "nested too deeply"),
    "deep TOML": ("w.toml", b"x = " + b"[" * 100_000, "w.toml: "),
    "JSON of 5000 digits": ("w.json", b'{"name": ' + b"9" * 5000 + b"}", "not JSON"),
}


@pytest.mark.parametrize("name, content, expected", UNREADABLE.values(), ids=UNREADABLE)
def test_files_that_are_not_workloads(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SpecError) as caught:
        read_workload(path)
    assert expected in str(caught.value)
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("depth", [100, 400, 900, 990])
def test_values_nested_deeply_where_a_number_belongs(tmp_path, depth):
    path = tmp_path / "w.json"
    path.write_text(json.dumps(GOOD).replace("10", "[" * depth + "]" * depth))
    with pytest.raises(SpecError):
        read_workload(path)


def test_missing_file_and_folder(tmp_path):
    for path, reason in ((tmp_path / "none.toml", "No such file"), (tmp_path, "it is a folder")):
        with pytest.raises(SpecError, match=reason):
            read_workload(path)


TOML = """
name = "net"
batch_size = 32
[model]
name = "net"
inputs = [{ name = "image", shape = [8, 8, 1] }]
constants = [{ name = "shift", shape = [8, 8, 4], initializer = { kind = "uniform", bound = 0.5 } }]
outputs = ["logits"]
[[model.nodes]]
name = "conv2d1"
inputs = ["image"]
op = { kind = "conv2d", filters = 4, kernel = [3, 3], padding = [[1, 1], [1, 1]] }
[[model.nodes]]
name = "add1"
inputs = ["conv2d1", "shift"]
op = { kind = "add" }
[[model.nodes]]
name = "flatten1"
inputs = ["add1"]
op = { kind = "flatten" }
[[model.nodes]]
name = "logits"
inputs = ["flatten1"]
op = { kind = "dense", units = 10 }
parameters = { bias = "shared.bias" }
[task]
target = 0.9
loss = { kind = "cross_entropy" }
optimizer = { kind = "adam", learning_rate = 0.01 }
"""


def built():
    from dnnbench.spec.tensor import Initializer

    net = Builder("net")
    image = net.input("image", (8, 8, 1))
    shift = net.constant("shift", (8, 8, 4), Initializer(kind="uniform", bound=0.5))
    x = net.add(net.conv2d(image, filters=4, kernel=(3, 3), padding=((1, 1), (1, 1))), shift)
    model = net.build(
        net.dense(net.flatten(x), units=10, name="logits", share={"bias": "shared.bias"})
    )
    task = Task(target=0.9, loss=CrossEntropy(), optimizer=Adam(learning_rate=0.01))
    return Workload(name="net", model=model, task=task, batch_size=32)


def test_toml_json_and_builder_give_the_same_object(tmp_path):
    (tmp_path / "w.toml").write_text(TOML)
    (tmp_path / "w.json").write_text(write_workload(built()))
    for name in ("w.toml", "w.json"):
        read = read_workload(tmp_path / name)
        assert read == built()
        assert read.spec_hash == built().spec_hash
    assert list(read.model.parameters) == [
        "shift",
        "conv2d1.weight",
        "conv2d1.bias",
        "logits.weight",
        "shared.bias",
    ]


CHANGES_OF_MEANING = {
    "units": {f"{FC1}.op.units": 11},
    "bias": {f"{FC1}.op.bias": False},
    "input": {"model.inputs[0].shape": [64, 1, 1]},
    "loss": {"task": {"loss": {"kind": "mse"}, "metric": "loss"}},
    "learning rate": {"task": {"optimizer": {"kind": "momentum", "learning_rate": 0.06}}},
}


@pytest.mark.parametrize("edits", CHANGES_OF_MEANING.values(), ids=CHANGES_OF_MEANING)
def test_the_hash_changes_with_the_meaning(edits):
    assert parse_workload(edited(edits), "w").spec_hash != parse_workload(GOOD, "w").spec_hash


@pytest.mark.parametrize(
    "edits", [{"name": "other"}, {"model.name": "other"}, {"batch_size": 7}, {"description": "x"}]
)
def test_the_hash_does_not_change_with_names_or_batch_size(edits):
    assert parse_workload(edited(edits), "w").spec_hash == parse_workload(GOOD, "w").spec_hash


def test_a_layer_of_ten_gigabytes_is_a_workload():
    read = parse_workload(
        edited({"model.inputs[0].shape": [50_000], f"{FC1}.op.units": 50_000}), "w"
    )
    assert read.model.parameters["fc1.weight"].size * 4 == 10**10


@pytest.mark.parametrize(
    "path", sorted(Path(__file__).parents[2].glob("examples/*.toml")), ids=lambda path: path.name
)
def test_examples_load(path):
    read = read_workload(path)
    assert read.model.types[read.model.outputs[0]].shape == (10,)
