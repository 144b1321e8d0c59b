"""Random networks that hypothesis builds: backends agree on each, and a failing one is shrunk
and printed as TOML.
"""

import pytest
import tomli_w
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.keys import Group, TensorKey, gradient_of, keyed
from dnnbench.agreement.reference import make_reference
from dnnbench.protocol.arm import Arm
from dnnbench.spec.ops import OPS
from dnnbench.spec.phases import Phase as Timed
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases.batches import batches_of
from dnnbench.testing.service import SERVICE, KitClient
from dnnbench_numpy.backend import NumpyBackend
from helpers.backends import CONTENDERS
from helpers.random_graphs import GROW, workloads
from hypothesis import HealthCheck, Phase, given, note, settings

FEW, MORE = 2, 6
"""Graphs for each kind of op."""


def reference_of(workload, batches):
    weights = initial_weights(workload.model, 0)

    def build_in(mode, dtype):
        return lambda variant: NumpyBackend().build(
            variant, weights, Arm("numpy", mode, dtype=dtype)
        )

    return make_reference(build_in, workload, batches, (1,), "float64")


def disagreements(worker, workload, batches, reference):
    """Tensors of one gradient pass that lie beyond their allowance."""
    result = KitClient(worker).gradients(workload, batches[0], "float64")
    observed = keyed(result, Timed.GRADIENTS)
    compared = [c for c in compare(reference, observed, workload, "float64") if c.key in observed]
    telling = {
        TensorKey(Group.LOSS),
        TensorKey(Group.OUTPUTS, "logits"),
        gradient_of("logits.weight"),
    }
    assert telling <= {comparison.key for comparison in compared}
    return [comparison for comparison in compared if not comparison.ok]


def as_toml(workload):
    return tomli_w.dumps(workload.model_dump(mode="json", exclude_none=True, exclude_defaults=True))


def agree_on_graphs(workers, kind, count, backends):
    """Let each backend compute so many networks that have an op of this kind."""
    phases = (Phase.explicit, Phase.generate, Phase.shrink)
    checked = {}

    @settings(max_examples=count, derandomize=True, deadline=None, database=None, phases=phases,
              suppress_health_check=list(HealthCheck))  # fmt: skip
    @given(workloads(kind))
    def agree(workload):
        batches = batches_of(workload, count=1)
        reference = reference_of(workload, batches)
        checked[workload.spec_hash] = {node.op.kind for node in workload.model.nodes}
        for backend in backends:
            worker = workers.get(backend, "eager", "float64", service=SERVICE)
            if wrong := disagreements(worker, workload, batches, reference):
                note(as_toml(workload))
                pytest.fail(f"{backend}: {[str(finding) for finding in wrong[:3]]}")

    agree()
    assert len(checked) == count
    assert [kinds for kinds in checked.values() if kind not in kinds] == []


@pytest.mark.slow
@pytest.mark.xdist_group("random graphs")
@pytest.mark.parametrize("kind", OPS)
def test_pytorch_agrees_on_random_graphs(workers, kind):
    agree_on_graphs(workers, kind, FEW, ("torch",))


@pytest.mark.exhaustive
@pytest.mark.xdist_group("random graphs")
@pytest.mark.parametrize("kind", OPS)
def test_every_backend_agrees_on_more_random_graphs(workers, kind):
    agree_on_graphs(workers, kind, MORE, CONTENDERS)


def test_every_op_can_be_part_of_a_random_graph():
    assert set(GROW) == set(OPS)
