"""A batch of one example, as an epoch can end with: statistics over a single element,
in every own backend.
"""

import numpy as np
import pytest
from dnnbench.agreement.keys import Group
from dnnbench.execution.checking import ensure_references, reference_path
from dnnbench.protocol.arm import Arm
from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.service import SERVICE, KitClient
from dnnbench.worker.services.agreement import CheckRequest
from dnnbench_numpy.backend import NumpyBackend


def batch_norm_alone():
    """An unbiased norm, whose result for one example is its bias, beside weights that do learn."""
    net = Builder("batch_norm_alone")
    x = net.input("x", (6,))
    norm = net.batch_norm(x, unbiased=True, epsilon=1.0, name="norm")
    model = net.build(net.dense(net.add(net.dense(x, units=6), norm), units=5))
    return Workload(
        name="batch_norm_alone",
        model=model,
        task=Task(optimizer=Sgd(learning_rate=0.02)),
        batch_size=1,
    )


@pytest.mark.parametrize(
    "backend",
    [
        pytest.param("torch", marks=pytest.mark.xdist_group("torch-float64-zoo")),
        *(pytest.param(name, marks=pytest.mark.exhaustive) for name in ("tensorflow", "jax")),
    ],
)
@pytest.mark.slow
def test_a_backend_has_the_reference_s_variance_of_one_element(workers, backend):
    workload = batch_norm_alone()
    request = CheckRequest(workload, tuple(batches_of(workload, size=1)), (1, 5), seed=0).in_dtype(
        "float64"
    )
    ensure_references([request])
    worker = workers.get(backend, dtype="float64", service=SERVICE)
    compared = KitClient(worker).comparisons(request, reference_path(request))
    keys = [comparison.key for comparison in compared]
    variances = [key for key in keys if (key.group, key.name) == (Group.STATE, "norm.variance")]
    assert {key.trajectory for key in variances} >= {("sgd", 1), ("sgd", 5)}
    assert [comparison for comparison in compared if not comparison.ratio <= 1] == []


def test_the_reference_s_unbiased_variance_of_one_element_is_zero():
    workload = batch_norm_alone()
    program = NumpyBackend().build(
        workload, initial_weights(workload.model, 0), Arm("numpy", "eager", dtype="float64")
    )
    program.train_step(program.put(batches_of(workload, size=1)[0]))
    momentum = workload.model.node("norm").op.momentum
    np.testing.assert_allclose(
        program.model_state()["norm.variance"], momentum
    )  # of 1, and nothing of the batch
