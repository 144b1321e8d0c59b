"""Every other file that a user names: weights, stores, constraints, and files of other tools
in the place of a network.
"""

import os
import sqlite3
import struct

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.errors import DataError, UsageError
from dnnbench.execution.environments import create_environment
from dnnbench.execution.weights_file import load_weights, save_weights
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.files import write_workload
from dnnbench.spec.weights import initial_weights
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

MLP = find_workload("mlp_digits")


@pytest.fixture
def fifo(tmp_path):
    path = tmp_path / "pipe"
    os.mkfifo(path)
    return path


def weights_refusal(path, workload=MLP):
    with pytest.raises(DataError) as caught:
        load_weights(path, workload)
    return str(caught.value)


def test_weights_that_are_a_pipe_are_refused(fifo):
    assert (
        "pipe: cannot be read: it is a named pipe, expected a regular file; give a safetensors file"
        in weights_refusal(fifo)
    )


def test_weights_that_are_not_there(tmp_path):
    told = weights_refusal(tmp_path / "none")
    assert "none: no such weights file; `dnnbench train mlp_digits --save FILE` writes one" in told


def safetensors(header, data=b""):
    text = header.encode()
    return struct.pack("<Q", len(text)) + text + data


def test_weights_of_another_network_are_refused_by_their_header(tmp_path):
    path = tmp_path / "w"
    rows = ",".join(
        f'"t{i:03}":{{"dtype":"F32","shape":[1],"data_offsets":[{4 * i},{4 * i + 4}]}}'
        for i in range(500)
    )
    path.write_bytes(safetensors(f"{{{rows}}}", bytes(2000)))
    told = weights_refusal(path)
    assert "fc1.bias: file has none, mlp_digits wants (128,)" in told
    assert "and 494 more; train this network" in told
    assert len(told) < 2000


@pytest.mark.parametrize(("kind", "size_bytes"), [("BF16", 2), ("I64", 8), ("F8_E4M3", 1)])
def test_weights_that_are_no_floats_of_numpy_s_own_are_refused(tmp_path, kind, size_bytes):
    """Where JAX or TensorFlow was imported before, NumPy has bfloat16,
    and the file would be read.
    """
    path, rows, end = tmp_path / "w", [], 0
    for name, parameter in MLP.model.parameters.items():
        places = f"[{end},{end + size_bytes * parameter.size}]"
        rows.append(
            f'"{name}":{{"dtype":"{kind}","shape":{list(parameter.shape)},"data_offsets":{places}}}'
        )
        end += size_bytes * parameter.size
    path.write_bytes(safetensors(f"{{{','.join(rows)}}}", bytes(end)))
    told = weights_refusal(path)
    assert "w: cannot be read: " in told
    assert f"is {kind}" in told


@settings(
    deadline=None,
    derandomize=True,
    database=None,
    max_examples=60,
    suppress_health_check=list(HealthCheck),
)
@given(
    st.lists(
        st.tuples(st.integers(0, 700), st.integers(0, 3), st.binary(max_size=4)),
        min_size=1,
        max_size=3,
    )
)
@example([])
def test_no_damage_to_weights_gives_anything_but_a_data_error(tmp_path_factory, edits):
    path = tmp_path_factory.getbasetemp() / "fuzz.safetensors"
    save_weights(path, MLP, initial_weights(MLP.model, 0), {})
    content = path.read_bytes()
    for at, cut, piece in edits:
        content = content[:at] + piece + content[at + cut :]
    path.write_bytes(content)
    try:
        arrays = load_weights(path, MLP)
    except DataError as error:
        assert len(str(error)) < 5000
    else:
        assert arrays["fc1.weight"].shape == (64, 128)


STORE_COMMANDS = {
    "merge into it": ["merge", "{pipe}", "{store}"],
    "merge from it": ["merge", "{store}", "{pipe}"],
    "report": ["report", "{pipe}"],
    "compare": ["compare", "a", "b", "--store", "{pipe}"],
    "export": ["export", "latest", "--store", "{pipe}"],
    "run": ["run", "--resume", "latest", "--wait", "--store", "{pipe}"],
}


@pytest.mark.parametrize("arguments", STORE_COMMANDS.values(), ids=STORE_COMMANDS)
@pytest.mark.parametrize("kind", ["a named pipe", "a device"])
def test_a_store_that_is_no_regular_file_is_refused(
    tmp_path, monkeypatch, capsys, fifo, kind, arguments
):
    monkeypatch.chdir(tmp_path)
    sqlite3.connect(tmp_path / "empty.sqlite").close()
    place = {"pipe": fifo if kind == "a named pipe" else "/dev/zero", "store": "empty.sqlite"}
    assert main([argument.format(**place) for argument in arguments]) == 2
    assert f"it is {kind}, expected a regular file" in capsys.readouterr().err


def test_constraints_that_are_a_pipe_are_refused_before_anything_is_made(
    tmp_path, monkeypatch, fifo
):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    with pytest.raises(
        UsageError, match=r"--constraint .*pipe: cannot be read: it is a named pipe"
    ):
        create_environment("new", ["numpy"], [str(fifo)])
    assert not (tmp_path / "envs").exists()


def test_constraints_that_are_not_there_are_told(tmp_path, monkeypatch):
    monkeypatch.setenv("DNNBENCH_ENVS", str(tmp_path / "envs"))
    with pytest.raises(UsageError, match="--constraint none: cannot be read: No such file"):
        create_environment("new", ["numpy"], ["none"])


OTHERS = {
    "net.onnx": "models of other tools are not read: write the network as TOML or JSON",
    "net.pt": "models of other tools are not read",
    "mlp.safetensors": "name the network, and give its weights with --weights",
    "mine.npz": "name the network, and give its data with --data",
    "net.yaml": "YAML files are not read: write the network as TOML or JSON",
    "net": "name it so, by what it holds",
    "net.toml.bak": "name it so, by what it holds",
}


@pytest.mark.parametrize("name, advice", OTHERS.items())
def test_a_file_of_another_tool_is_told_what_helps(tmp_path, name, advice):
    (tmp_path / name).write_bytes(b"anything")
    with pytest.raises(UsageError) as caught:
        find_workload(str(tmp_path / name))
    assert str(caught.value).endswith(advice) or f"; {advice}" in str(caught.value)
    assert "a workload file ends in .toml or .json; " in str(caught.value)


@pytest.mark.parametrize("name", ["net.JSON", "Net.Json"])
def test_a_suffix_in_capitals_is_one(tmp_path, name):
    (tmp_path / name).write_text(write_workload(MLP))
    assert find_workload(str(tmp_path / name)).spec_hash == MLP.spec_hash


def test_weights_come_back_as_they_were_saved(tmp_path):
    weights = initial_weights(MLP.model, 3)
    save_weights(tmp_path / "w", MLP, weights, {})
    loaded = load_weights(tmp_path / "w", MLP)
    assert all(np.array_equal(loaded[name], array) for name, array in weights.items())
