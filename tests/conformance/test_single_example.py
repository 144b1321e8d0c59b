"""A batch of one example, as an epoch can end with: statistics over a single element, in every own backend."""

import pytest
from dnnbench.agreement.keys import Group, TensorKey
from dnnbench.execution.checking import CheckRequest, ensure_references
from dnnbench.plugins.discovery import missing, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.builder import Builder
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.arm_under_test import ArmUnderTest
from dnnbench.testing.cases.batches import batches_of

OWN = ("numpy", "torch", "tensorflow", "jax")


def batch_norm_alone():
    """An unbiased norm, whose result for one example is its bias, beside weights that do learn."""
    net = Builder("batch_norm_alone")
    x = net.input("x", (6,))
    norm = net.batch_norm(x, unbiased=True, epsilon=1.0, name="norm")
    model = net.build(net.dense(net.add(net.dense(x, units=6), norm), units=5))
    return Workload(name="batch_norm_alone", model=model, task=Task(optimizer=Sgd(learning_rate=0.02)), batch_size=1)


@pytest.mark.parametrize("backend", OWN)
def test_an_unbiased_variance_of_one_element_is_zero(backend):
    if reason := missing(plugins().backends[backend]):
        pytest.skip(reason)
    workload = batch_norm_alone()
    request = CheckRequest(workload, tuple(batches_of(workload, size=1)), (1, 5), seed=0).in_precision("float64")
    ensure_references([request])
    arm_under_test = ArmUnderTest(Arm(backend, plugins().backends[backend].default_mode, dtype="float64"))
    try:
        found = arm_under_test.ask("findings", dtype="float64", **request.questions())
    finally:
        arm_under_test.close()
    keys = [TensorKey.parse(row["key"]) for row in found]
    variances = [key for key in keys if (key.group, key.name) == (Group.STATE, "norm.variance")]
    assert {key.trajectory for key in variances} >= {("sgd", 1), ("sgd", 5)}
    assert [row for row in found if not row["ratio"] <= 1] == []
