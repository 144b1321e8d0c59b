"""Many cases as branches of one network, for compilers that are slow to be asked one by one."""

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import TypeVar

from ...spec.model import Model, Node
from ...spec.ops import OPS
from ...spec.workload import Task, Workload
from .registry import CASES

T = TypeVar("T")


def combined(name: str, cases: Sequence[str]) -> Workload:
    """One workload that computes every case side by side: `<case>.<name>` for all names,
    logits added up.

    The tested value of every case stays an output.
    """
    models = {case: CASES[case]().model for case in cases}
    parts = [_renamed(case, model) for case, model in models.items()]
    total = Node(name="total", op=OPS["add"](), inputs=tuple(part.outputs[0] for part in parts))
    return Workload(
        name=name,
        model=Model(
            name=name,
            inputs=tuple(_all(part.inputs for part in parts)),
            constants=tuple(_all(part.constants for part in parts)),
            nodes=(*_all(part.nodes for part in parts), total),
            outputs=("total", *_all(part.outputs[1:] for part in parts)),
        ),
        task=Task(optimizer=CASES[cases[0]]().task.optimizer),
        batch_size=4,
    )


def _all(groups: Iterable[Sequence[T]]) -> list[T]:
    return list(chain.from_iterable(groups))


def _renamed(prefix: str, model: Model) -> Model:
    def long(name: str) -> str:
        return f"{prefix}.{name}"

    def node(old: Node) -> Node:
        shared = {role: long(name) for role, name in old.parameters.items()}
        return Node(
            name=long(old.name), op=old.op, inputs=tuple(map(long, old.inputs)), parameters=shared
        )

    return Model(
        name=prefix,
        inputs=tuple(i.model_copy(update={"name": long(i.name)}) for i in model.inputs),
        constants=tuple(c.model_copy(update={"name": long(c.name)}) for c in model.constants),
        nodes=tuple(map(node, model.nodes)),
        outputs=tuple(map(long, model.outputs)),
    )
