"""`dnnbench reproduce`: how a cell is named, what is written, what is refused."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.execution.weights_file import save_weights
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm, telling_apart
from dnnbench.protocol.device import Device
from dnnbench.protocol.dtypes import DType
from dnnbench.protocol.timing import Timing
from dnnbench.spec.builder import Builder
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from helpers.reproducing import record
from helpers.running import dnnbench

pytestmark = pytest.mark.slow

WORKLOADS = [find_workload(name) for name in ("mlp_digits", "cnn_digits")]
NUMPY, TORCH, COMPILED = (Arm("numpy", "eager"), Arm("torch", "eager"), Arm("torch", "compile"))
NEW = Arm("torch", "eager", environment="/envs/new")
ARMS = [NUMPY, TORCH, COMPILED, NEW]


@pytest.fixture(scope="module")
def recorded(tmp_path_factory):
    """(store, ids of its cells)"""
    path = tmp_path_factory.mktemp("recorded") / "runs.sqlite"
    versions = {NEW: {"torch": "9.9.9"}, TORCH: {"torch": "2.0.0"}}
    return path, record(path, WORKLOADS, ARMS, versions=versions)


@pytest.fixture
def reproduce(recorded, tmp_path, capsys):
    """(exit code, what was said, the script's path) of a command line."""

    def call(*words, store=recorded[0], name="made.py"):
        path = tmp_path / name
        code = main(["reproduce", *words, "-o", str(path), "--store", str(store)])
        said = capsys.readouterr()
        return code, said.out + said.err, path

    return call


@pytest.mark.parametrize(
    "words",
    [
        ("latest", "numpy", "mlp_digits", "infer"),
        ("r1", "numpy:eager mlp_digits/64 infer"),
        ("before", "infer", "mlp_digits/64", "numpy:eager"),
    ],
)
def test_a_cell_is_named_by_words_in_any_order(reproduce, words):
    code, said, path = reproduce(*words)
    assert (code, path.is_file()) == (0, True), said
    assert "numpy:eager mlp_digits/64 infer, measured at 2 ms a call" in said


@pytest.fixture
def of_a_sweep(tmp_path, capsys):
    """(exit code, what was said) of a command line about a run in two element types."""
    path = tmp_path / "sweep.sqlite"
    arms = telling_apart(
        [Arm("numpy", "eager", dtype=dtype) for dtype in (DType.FLOAT32, DType.FLOAT64)]
    )
    record(path, WORKLOADS[:1], arms)

    def call(*words):
        to = ["-o", str(tmp_path / "made.py"), "--store", str(path)]
        code = main(["reproduce", "latest", *words, *to])
        said = capsys.readouterr()
        return code, said.out + said.err

    return call


@pytest.mark.parametrize("word", ["float64", "dtype=float64", "numpy:eager[dtype=float64]"])
def test_an_arm_of_a_sweep_is_named_by_what_varies(of_a_sweep, word):
    code, said = of_a_sweep(word, "infer")
    assert code == 0, said
    assert "numpy:eager[dtype=float64] mlp_digits/64 infer, measured at 2 ms a call" in said


def test_what_does_not_vary_names_every_arm(of_a_sweep):
    code, said = of_a_sweep("threads=1", "infer")
    assert code == 2
    assert "names 2 cells" in said


def test_a_cell_is_named_by_its_id(reproduce, recorded):
    code, said, _ = reproduce("r1", recorded[1][0][:10], "--json")
    assert (code, json.loads(said)["cell"]) == (0, recorded[1][0])


def test_json_says_what_was_written(reproduce):
    _, said, path = reproduce("r1", "numpy", "mlp_digits", "infer", "--json")
    described = json.loads(said)
    assert described["files"] == [str(path), str(path.with_suffix(".npz"))]
    assert described["call_s"] == pytest.approx(2e-3)


def test_words_that_name_several_cells_are_refused_with_these(reproduce):
    code, said, _ = reproduce("r1", "mlp_digits", "infer")
    assert code == 2
    assert "names 4 cells" in said
    assert "torch:compile mlp_digits/64 infer" in " ".join(said.split())


def test_an_arms_own_name_is_that_arm(reproduce):
    code, said, path = reproduce("r1", "torch:eager", "mlp_digits", "infer")
    assert code == 0, said
    assert "torch 2.0.0" in " ".join(path.read_text().split())


def test_a_word_that_names_nothing_is_refused_with_a_near_one(reproduce):
    code, said, _ = reproduce("r1", "numpy", "mlp_digits/64", "inferr")
    assert code == 2
    assert "did you mean 'infer'?" in " ".join(said.split())


def test_words_of_which_each_names_a_cell_but_none_all(reproduce):
    code, said, _ = reproduce("r1", "numpy torch mlp_digits infer")
    assert (code, "no cell is" in said) == (2, True)


def test_a_run_that_is_not_there_is_refused(reproduce):
    code, said, _ = reproduce("r7", "numpy", "infer")
    assert code == 2
    assert "no run has id, label, revision, day or machine 'r7'" in " ".join(said.split())


@pytest.mark.parametrize("name", ["made.txt", "made", "1-a.py"])
def test_a_script_has_a_name_that_python_takes(reproduce, name):
    code, said, path = reproduce("r1", "numpy", "mlp_digits", "infer", name=name)
    assert (code, path.exists()) == (2, False)
    assert "no name of a script" in said


def test_the_head_tells_where_the_time_comes_from(reproduce):
    _, _, path = reproduce("r1", "numpy", "mlp_digits", "infer")
    head = path.read_text().split('"""')[1]
    whole = " ".join(head.split())
    assert "Measured: 2 ms a call, the median of 8 visits of 3 calls each." in whole
    assert "numpy 2.0" in whole


def test_an_arm_of_another_environment_tells_its_own_versions(reproduce):
    code, said, path = reproduce("r1", "torch:eager@/envs/new", "mlp_digits", "infer")
    assert code == 0, said
    assert "torch 9.9.9" in " ".join(path.read_text().split())


def test_weights_and_batch_are_those_that_were_timed(reproduce):
    _, _, path = reproduce("r1", "numpy", "mlp_digits", "infer")
    workload = WORKLOADS[0]
    with np.load(path.with_suffix(".npz")) as arrays:
        weight, image = arrays["weights/fc1.weight"], arrays["inputs/image"]
    np.testing.assert_array_equal(weight, initial_weights(workload.model, 0)["fc1.weight"])
    batch = timing_batch(load(workload), 64, 0)
    np.testing.assert_array_equal(image, batch.inputs["image"])


def test_the_script_prints_a_time(reproduce):
    _, _, path = reproduce("r1", "numpy", "cnn_digits", "infer")
    done = subprocess.run(
        [sys.executable, str(path), "--seconds", "0.05"], capture_output=True, text=True, check=True
    )
    number, unit, *_ = done.stdout.split()
    assert (float(number) > 0, unit) == (True, "ms")


def test_its_help_says_what_it_takes(reproduce):
    _, _, path = reproduce("r1", "numpy", "cnn_digits", "infer")
    done = subprocess.run([sys.executable, str(path), "-h"], capture_output=True, text=True)
    assert "--check FILE" in done.stdout


def test_weights_of_a_file_travel(reproduce, tmp_path):
    workload = WORKLOADS[0]
    weights = initial_weights(workload.model, 7)
    save_weights(tmp_path / "seven.safetensors", workload, weights, {})
    store = tmp_path / "own.sqlite"
    record(store, [workload], [NUMPY], weights=str(tmp_path / "seven.safetensors"))
    _, said, path = reproduce("r1", "numpy", "infer", store=store)
    with np.load(path.with_suffix(".npz")) as arrays:
        np.testing.assert_array_equal(arrays["weights/fc1.weight"], weights["fc1.weight"], said)


def test_a_weights_file_that_is_gone_is_named(reproduce, tmp_path):
    store = tmp_path / "own.sqlite"
    record(store, WORKLOADS[:1], [NUMPY], weights=str(tmp_path / "gone.safetensors"))
    code, said, path = reproduce("r1", "numpy", "infer", store=store)
    assert (code, path.exists()) == (2, False)
    assert "gone.safetensors" in "".join(said.split())


def test_a_data_file_that_is_gone_is_named(reproduce, tmp_path):
    store = tmp_path / "own.sqlite"
    record(store, WORKLOADS[:1], [NUMPY], data=str(tmp_path / "gone.npz"))
    code, said, _ = reproduce("r1", "numpy", "infer", store=store)
    assert (code, "gone.npz" in "".join(said.split())) == (2, True)


def test_data_that_are_others_now_are_refused(reproduce, tmp_path):
    """As those of a Python source are, which alone tell their hash."""
    store = tmp_path / "own.sqlite"
    record(store, WORKLOADS[:1], [NUMPY], data_facts={"mlp_digits": {"sha256": "5bec"}})
    code, said, _ = reproduce("r1", "numpy", "infer", store=store)
    assert (code, "are others than were measured" in " ".join(said.split())) == (2, True)


def test_a_run_timed_by_throughput_is_refused(reproduce, tmp_path):
    store = tmp_path / "own.sqlite"
    record(store, WORKLOADS[:1], [NUMPY], timing=Timing.THROUGHPUT)
    code, said, _ = reproduce("r1", "numpy", "infer", store=store)
    assert (code, "a script waits for each" in " ".join(said.split())) == (2, True)


def test_the_head_says_what_random_ops_draw_from(reproduce, tmp_path):
    net = Builder("thinned")
    drawn = net.dropout(net.dense(net.input("image", (64,)), units=8), rate=0.5)
    model = net.build(net.dense(drawn, units=10, name="logits"))
    workload = Workload(name="thinned", model=model)
    store = tmp_path / "own.sqlite"
    record(store, [workload], [NUMPY, TORCH], seed=5)
    code, said, path = reproduce("r1", "torch", "train_step", store=store)
    assert code == 0, said
    whole = " ".join(path.read_text().split())
    assert "draw from PyTorch's default generator (torch.manual_seed), of seed 5" in whole
    assert "torch.manual_seed(5)" in whole


def test_a_network_whose_file_is_gone_is_in_the_store(reproduce, tmp_path):
    own = WORKLOADS[0].model_copy(update={"name": "net_of_a_file"})
    store = tmp_path / "own.sqlite"
    record(store, [own], [NUMPY])
    code, said, _ = reproduce("r1", "net_of_a_file", "infer", store=store)
    assert code == 0, said


@pytest.mark.parametrize(
    ("arm", "phase", "reason"),
    [
        (Arm("torch", "eager", Device("gpu", 0)), "infer", "one for gpu is not written yet"),
        (Arm("torch", "eager", dtype=DType.BFLOAT16), "infer", "casts around ops of bfloat16"),
        (TORCH, "update_alone", "is a piece of a phase"),
        (Arm("onnxruntime", "full"), "train_step", "infers what others have trained"),
    ],
)
def test_what_is_not_written_yet_is_refused(reproduce, tmp_path, arm, phase, reason):
    store = tmp_path / "own.sqlite"
    record(store, WORKLOADS[:1], telling_apart([arm]))
    code, said, path = reproduce("r1", phase, store=store)
    assert (code, path.exists()) == (2, False)
    assert reason in " ".join(said.split())


def test_a_backend_that_names_no_writer_is_refused(tmp_path):
    record(tmp_path / "own.sqlite", WORKLOADS[:1], [Arm("answers", "right")])
    done = dnnbench(tmp_path, "reproduce", "r1", "infer", "-o", "made.py", "--store", "own.sqlite")
    assert (done.returncode, (tmp_path / "made.py").exists()) == (2, False)
    assert "Answers's plugin does not say" in " ".join(done.stderr.split())


def test_a_store_is_not_written_over(reproduce, tmp_path):
    store = tmp_path / "made.py"
    record(store, WORKLOADS[:1], [NUMPY])
    before = store.read_bytes()
    code, said, _ = reproduce("r1", "infer", store=store)
    assert (code, store.read_bytes() == before) == (2, True), said


def test_nothing_of_dnnbench_is_imported(reproduce):
    _, _, path = reproduce("r1", "torch:compile", "cnn_digits", "train_step")
    lines = [text.strip() for text in Path(path).read_text().splitlines()]
    imported = [text for text in lines if text.startswith(("import ", "from "))]
    assert any("torch" in text for text in imported)
    assert not any("dnnbench" in text for text in imported)
