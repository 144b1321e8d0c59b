"""`dnnbench export-model`: what it writes, says and refuses."""

import json
import sys

import numpy as np
import onnx
from dnnbench.cli.main import main
from dnnbench.exchange import proto
from dnnbench.execution.weights_file import save_weights
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.weights import initial_weights
from dnnbench.store.store import open_store
from helpers import storing


def export(*arguments):
    return main(["export-model", "mlp_digits", *map(str, arguments)])


def array(path, name):
    """An array of the file by name."""
    model = onnx.load(path)
    [tensor] = [tensor for tensor in model.graph.initializer if tensor.name == name]
    return onnx.numpy_helper.to_array(tensor)


def test_it_says_what_it_wrote(tmp_path, capsys):
    path = tmp_path / "made" / "net.onnx"
    assert export("-o", path, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["files"], said["bytes"]) == ([str(path)], path.stat().st_size)
    assert said["inputs"] == [{"name": "image", "shape": ["N", 64], "dtype": "float32"}]
    assert [port["name"] for port in said["outputs"]] == ["logits", "prediction"]


def test_the_file_tells_where_it_comes_from(tmp_path):
    export("-o", tmp_path / "net.onnx")
    facts = {p.key: p.value for p in onnx.load(tmp_path / "net.onnx").metadata_props}
    assert facts == {
        "workload": "mlp_digits",
        "spec_hash": find_workload("mlp_digits").model.spec_hash,
        "weights": "initial weights of seed 0",
    }


def test_weights_of_a_file_travel(tmp_path):
    workload = find_workload("mlp_digits")
    weights = initial_weights(workload.model, 7)
    save_weights(tmp_path / "seven.safetensors", workload, weights, {})
    weights_file = tmp_path / "seven.safetensors"
    assert export("-o", tmp_path / "net.onnx", "--weights", weights_file) == 0
    np.testing.assert_array_equal(array(tmp_path / "net.onnx", "fc1.weight"), weights["fc1.weight"])


def test_float64_is_written_as_float64(tmp_path):
    assert export("-o", tmp_path / "net.onnx", "--dtype", "float64") == 0
    assert array(tmp_path / "net.onnx", "fc1.weight").dtype == np.float64


def test_more_than_a_file_holds_goes_into_one_beside_it(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(proto, "WHOLE_FILE_BYTES", 1000)
    path = tmp_path / "net.onnx"
    assert export("-o", path, "--json") == 0
    beside = tmp_path / "net.onnx.data"
    assert json.loads(capsys.readouterr().out)["files"] == [str(path), str(beside)]
    assert array(path, "fc1.weight").shape == (64, 128)


def test_without_onnx_it_says_what_to_install(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert export("-o", tmp_path / "net.onnx") == 2
    assert "pip install 'dnnbench[onnx]'" in capsys.readouterr().err


def test_a_folder_is_not_written_over(tmp_path, capsys):
    assert export("-o", tmp_path) == 2
    assert "name another file with -o" in capsys.readouterr().err


def test_a_store_is_not_written_over(tmp_path, capsys):
    store = tmp_path / "s.sqlite"
    with open_store(store) as opened:
        storing.add_everything(opened, "20260101-000000-aaaa")
    assert export("-o", store) == 2
    assert "would be overwritten" in capsys.readouterr().err


def test_weights_of_another_network_are_refused(tmp_path, capsys):
    workload = find_workload("cnn_digits")
    save_weights(tmp_path / "cnn.safetensors", workload, initial_weights(workload.model, 0), {})
    weights_file = tmp_path / "cnn.safetensors"
    assert export("-o", tmp_path / "net.onnx", "--weights", weights_file) == 2
    assert "holds weights of cnn_digits" in capsys.readouterr().err
