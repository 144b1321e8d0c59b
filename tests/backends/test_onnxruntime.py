"""ONNX Runtime computes what it says it has, lacks what it says it lacks; its facts are true."""

import ctypes
import subprocess
import sys
import time

import numpy as np
import pytest
from dnnbench.data.dataset import load
from dnnbench.exchange.network import network
from dnnbench.execution.checking import check_request, ensure_references, reference_path
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.device import Device
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.case_checker import CaseChecker
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.families import FAMILIES
from dnnbench.testing.law_checks import law_verdict
from dnnbench.testing.laws import LAWS, NEEDS
from dnnbench.testing.service import SERVICE, KitClient

MODES = plugins().backends["onnxruntime"].modes
REASON = "ONNX Runtime infers what others have trained"
TINY = [workload.name for workload in find_workloads("all[tiny]")]
OFTEN = ("lenet5", "resnet18", "convnext_tiny", "bert_base", "gpt2_small_decode", "gru_seq2seq")
"""Networks of each sort; the others are the matrix's."""


FIRST = """
from dnnbench.plugins.catalog import find_workload
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from dnnbench_onnxruntime.backend import OnnxRuntimeBackend

workload, arm = find_workload("mlp_digits"), Arm("onnxruntime", "full")
weights = initial_weights(workload.model, 0)
print(OnnxRuntimeBackend().build(workload, weights, arm).facts()["denormals"])
"""
DEFAULT_ENVIRONMENT = ctypes.c_void_p(-1)
"""FE_DFL_ENV of glibc's fenv.h: denormals are kept."""


@pytest.fixture(autouse=True)
def denormals():
    """Kept again after each test: a session has the thread that makes it flush them for good."""
    yield
    ctypes.CDLL("libm.so.6").fesetenv(DEFAULT_ENVIRONMENT)


def arm_of(mode="full", dtype="float32", threads=1):
    return Arm("onnxruntime", mode, dtype=dtype, threads=threads)


@pytest.fixture(scope="module")
def checker_of():
    """The kit, in a worker for each mode and type."""
    opened = {}

    def of(mode, dtype):
        if (mode, dtype) not in opened:
            opened[mode, dtype] = CaseChecker(arm_of(mode, dtype))
        return opened[mode, dtype]

    yield of
    for checker in opened.values():
        checker.arm_under_test.close()


def asked(mode, dtype, *values):
    """All of a mode and type in one pytest process, which starts its worker once.

    What is written in float64 is often held against ONNX's own evaluator: tests/exchange.
    """
    marks = [pytest.mark.xdist_group(f"onnxruntime-{mode}-{dtype}"), pytest.mark.slow]
    if (mode, dtype) != ("full", "float32"):
        marks.append(pytest.mark.exhaustive)
    return pytest.param(mode, dtype, *values, marks=marks)


@pytest.mark.parametrize(
    ("mode", "dtype", "case"),
    [asked(m, t, case) for m in MODES for t in ("float32", "float64") for case in FAMILIES],
)
def test_its_inference_agrees(checker_of, mode, dtype, case):
    verdict = checker_of(mode, dtype).verdicts(case)["forward"]
    lacks = verdict.reason.startswith("ONNX Runtime has no kernel in float64")
    assert verdict.status == ("unsupported" if dtype == "float64" and lacks else "agrees"), verdict


@pytest.mark.parametrize("law", LAWS)
@pytest.mark.slow
@pytest.mark.xdist_group("onnxruntime-full-float32")
def test_it_keeps_the_laws_of_inference(checker_of, law):
    verdict = law_verdict(checker_of("full", "float32").arm_under_test, law)
    assert verdict.status == ("unsupported" if law in NEEDS else "kept"), verdict


def of_the_zoo(name):
    marks = [pytest.mark.xdist_group("onnxruntime-zoo"), pytest.mark.slow]
    if name.removesuffix("[tiny]") not in OFTEN:
        marks.append(pytest.mark.exhaustive)
    return pytest.param(name, marks=marks)


@pytest.mark.parametrize("name", [of_the_zoo(name) for name in TINY])
def test_tiny_networks_agree(workers, name):
    workload = find_workload(name)
    request = check_request(workload, load(workload), 0, (Phase.INFER,)).in_dtype("float32")
    ensure_references([request])
    worker = workers.get("onnxruntime", service=SERVICE)
    found = KitClient(worker, 120).comparisons(request, reference_path(request))
    assert {comparison.key.name for comparison in found} >= set(workload.model.outputs)
    assert [str(comparison.key) for comparison in found if not comparison.ratio <= 1] == []


def capabilities(workload, dtype):
    from dnnbench_onnxruntime.backend import OnnxRuntimeBackend

    return OnnxRuntimeBackend().capabilities(workload, arm_of(dtype=dtype))


def run(workload, arm, batch):
    """What a session computes, whatever the backend says of the network."""
    from dnnbench_onnxruntime.session import make_session

    weights = initial_weights(workload.model, 0)
    session = make_session(network(workload, weights, arm.dtype), arm).session
    fed = {i.name: batch.inputs[i.name] for i in workload.model.inputs}
    floats = {n: x.astype(arm.dtype) if x.dtype.kind == "f" else x for n, x in fed.items()}
    return session.run(None, floats)


LACKED = [case for case in CASES if capabilities(CASES[case](), "float64").refusal]


@pytest.mark.parametrize("case", LACKED)
def test_what_it_says_it_lacks_in_float64_it_lacks(case):
    workload = CASES[case]()
    [batch] = batches_of(workload, count=1)
    with pytest.raises(Exception, match=r"NOT_IMPLEMENTED|does not support double"):
        run(workload, arm_of(dtype="float64"), batch)


@pytest.mark.parametrize(
    ("dtype", "words"),
    [("bfloat16", "not in bfloat16"), ("mixed_float16", "not in mixed_float16")],
)
def test_narrow_types_are_refused_by_name(dtype, words):
    assert words in capabilities(find_workload("mlp_digits"), dtype).refusal


def test_it_only_infers():
    offered = capabilities(find_workload("mlp_digits"), "float32")
    assert offered.offered == (Phase.INFER,)
    assert set(offered.missing.values()) == {REASON}


@pytest.fixture
def program_of():
    """Programs of the digits' convolutions, closed at the end."""
    from dnnbench_onnxruntime.backend import OnnxRuntimeBackend

    built = []

    def build(**arm):
        workload = find_workload("cnn_digits")
        backend, weights = OnnxRuntimeBackend(), initial_weights(workload.model, 0)
        backend.configure(arm_of(**arm))
        built.append(backend.build(workload, weights, arm_of(**arm)))
        return built[-1]

    yield build
    for program in built:
        program.close()


def images(count=4):
    draw = np.random.default_rng(0)
    return Batch(
        {"image": draw.uniform(size=(count, 8, 8, 1)).astype(np.float32)}, np.zeros(count, np.int32)
    )


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_threads_are_counted(program_of, threads):
    assert program_of(threads=threads).facts()["threads"] == threads


def test_threads_sleep_while_it_is_idle(program_of):
    """Spinning, they take half of a processor and more."""
    program = program_of(threads=2)
    placed = program.put(images(64))
    taken = idle = 0.0
    for _ in range(20):
        program.infer(placed)
        cpu, clock = time.process_time(), time.perf_counter()
        time.sleep(0.01)
        taken += time.process_time() - cpu
        idle += time.perf_counter() - clock
    assert taken < idle / 4


def test_denormals_are_tried():
    """In a process of its own: only the first session of a process says what becomes of them."""
    done = subprocess.run([sys.executable, "-c", FIRST], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["flushed", "to", "zero"]


@pytest.mark.parametrize("mode", MODES)
def test_a_mode_is_a_level_of_optimisation(mode):
    from dnnbench_onnxruntime.session import LEVELS, make_session

    workload = find_workload("mlp_digits")
    exported = network(workload, initial_weights(workload.model, 0), "float32")
    options = make_session(exported, arm_of(mode)).session.get_session_options()
    assert options.graph_optimization_level == LEVELS[mode]


def test_a_placed_batch_outlives_the_weights_that_it_met(program_of):
    program = program_of()
    placed = program.put(images())
    before = program.get(program.infer(placed))["outputs/logits"]
    workload = find_workload("cnn_digits")
    program.load(initial_weights(workload.model, 1))
    after = program.get(program.infer(placed))["outputs/logits"]
    assert abs(after - before).max() > 0.01


def test_another_device_is_refused_with_its_remedy():
    from dnnbench.errors import PluginError
    from dnnbench_onnxruntime import device

    with pytest.raises(PluginError, match="it computes on cpu"):
        device.resolve(Device("gpu"))
