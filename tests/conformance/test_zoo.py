"""The zoo computes the same in every backend: outputs, loss, gradients, statistics and trained
weights of each tiny network.
"""

from pathlib import Path

import pytest
from dnnbench.data.dataset import load
from dnnbench.execution.checking import check_request, ensure_references, reference_path
from dnnbench.host.memory import read_memory
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.plugins.discovery import plugins
from dnnbench.testing.service import SERVICE, KitClient
from helpers.backends import CONTENDERS

TINY = [workload.name for workload in find_workloads("all[tiny]")]
PATIENCE_S = 600
MOST_BYTES = 2 * 2**30
"""That a worker may ever have held for the tiny networks it has checked."""


OFTEN = ("mlp", "lenet5", "gpt2_small", "gru_seq2seq", "dlrm")
"""Networks of each sort, which backends that compile nothing are asked often: others, and what
compilers take, are the matrix's.
"""


def together(backend, dtype, *values, name):
    """All of a backend and type in one pytest process, which starts its worker once."""
    marks = [pytest.mark.xdist_group(f"{backend}-{dtype}-zoo"), pytest.mark.slow]
    compiles = plugins().backends[backend].default_mode != "eager"
    if compiles or name.removesuffix("[tiny]") not in OFTEN:
        marks.append(pytest.mark.exhaustive)
    return pytest.param(backend, dtype, *values, marks=marks, id=f"{backend}-{dtype}-{name}")


def disagreements(worker, dtype, workload):
    """Tensors in the backend's default mode, trained by the workload's own optimizer,
    that are beyond their allowance.
    """
    request = check_request(workload, load(workload), 0).in_dtype(dtype)
    ensure_references([request])
    found = KitClient(worker, PATIENCE_S).comparisons(request, reference_path(request))
    assert found
    return [tensor for tensor in found if not tensor.ratio <= 1]


def worker_of(workers, backend, dtype):
    return workers.get(backend, dtype=dtype, service=SERVICE)


@pytest.mark.parametrize(
    ("backend", "dtype", "name"),
    [together(backend, "float64", name, name=name) for backend in CONTENDERS for name in TINY],
)
def test_tiny_networks_agree(workers, backend, dtype, name):
    worker = worker_of(workers, backend, dtype)
    assert not disagreements(worker, dtype, find_workload(name))
    held = read_memory(Path(f"/proc/{worker.pid}")).peak_rss_bytes
    assert held is None or held < MOST_BYTES


def test_the_zoo_is_whole():
    assert len(TINY) >= 23
    assert [name for name in OFTEN if f"{name}[tiny]" not in TINY] == []
    assert {name.partition("[")[0] for name in TINY} >= {"resnet50", "gpt2_small", "dlrm"}


@pytest.mark.parametrize(
    ("backend", "dtype"),
    [
        together(backend, dtype, name="resnet50")
        for backend in CONTENDERS
        for dtype in ("float64", "float32")
    ],
)
def test_resnet50_infers_the_same_in_full_size(workers, backend, dtype):
    """4.1e9 multiply-adds an image of 224 x 224, 25,557,032 weights; forward only."""
    full = find_workload("resnet50[batch=1]")
    assert full.batch_size == 1
    assert full.model.inputs[0].shape == (224, 224, 3)
    assert not disagreements(
        worker_of(workers, backend, dtype), dtype, full.model_copy(update={"inference_only": True})
    )
