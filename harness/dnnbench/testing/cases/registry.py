"""Where cases are kept: a case is a name and a function that builds its workload."""

from collections.abc import Callable
from itertools import chain

from ...spec.builder import Builder
from ...spec.losses import CrossEntropy
from ...spec.ops import OPS
from ...spec.optimizers import Momentum
from ...spec.workload import Task, Workload

CLASSES = 5
CASES: dict[str, Callable[[], Workload]] = {}


def case(build: Callable[[Builder], str]) -> Callable[[], Workload]:
    """Register a network: `build` adds nodes to a Builder and returns the node that is tested.

    Its value is an output, and goes through a flatten and a dense of CLASSES logits, so that a
    gradient comes back to it. A docstring says what the case shows that a plainer one does not:
    tests/agreement/test_case_claims.py has the fault.
    """

    def workload() -> Workload:
        net = Builder(build.__name__)
        tested = build(net)
        logits = net.dense(net.flatten(tested, name="flat"), units=CLASSES, name="logits")
        task = Task(loss=CrossEntropy(), optimizer=Momentum(learning_rate=0.05))
        return Workload(
            name=build.__name__, model=net.build(logits, tested), task=task, batch_size=4
        )

    workload.__doc__ = build.__doc__
    CASES[build.__name__] = workload
    return workload


def ops_covered() -> set[str]:
    """Kinds of op that the cases use."""
    nodes = chain.from_iterable(build().model.nodes for build in CASES.values())
    return {node.op.kind for node in nodes}


def missing_ops() -> set[str]:
    """Ops of the spec that no case uses."""
    return set(OPS) - ops_covered()
