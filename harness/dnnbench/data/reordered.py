"""Made-up sequences whose answer can be checked: the same ids backwards, or sorted."""

import numpy as np

from ..errors import DataError
from ..spec.data import Reordered
from ..spec.weights import generator
from ..spec.workload import Workload
from .arrays import RawArrays
from .fit import class_count

START = 0
"""The id before the first of an answer; no sequence holds it."""
TEST_SHARE = 5
"""One test example for so many training examples."""


def reordered(data: Reordered, workload: Workload) -> RawArrays:
    """Inputs `source` (n, T) of ids from 1 on, and `target` (n, T):
    START, then the answer but its last id.

    Labels are the answer: what the network reads of it is what it should have said before
    (teacher forcing).
    """
    length = _length(workload)
    highest = min([class_count(workload), *workload.model.vocabularies.values()])
    if highest < 3:
        raise DataError(
            f"data 'reordered': ids 1 to {highest - 1} make no order; "
            "give the tables 3 rows or more"
        )
    test_count = max(data.examples // TEST_SHARE, 1)
    x_train, y_train = _part(data, "train", (data.examples, length), highest)
    x_test, y_test = _part(data, "test", (test_count, length), highest)
    return RawArrays("reordered", x_train, y_train, x_test, y_test)


def _length(workload: Workload) -> int:
    shapes = {source.name: source.shape for source in workload.model.inputs}
    lengths = {shape for shape in shapes.values() if len(shape) == 1}
    labels = workload.target.shape
    if set(shapes) != {"source", "target"} or lengths != {labels}:
        got = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise DataError(
            "data 'reordered' feeds source and target of one length, as long as the labels, "
            f"but the network reads {got} for labels {list(labels)}; "
            "rename its inputs or use synthetic data"
        )
    return labels[0]


def _part(
    data: Reordered, part: str, shape: tuple[int, int], highest: int
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """(inputs by name, labels), each (n, T)"""
    source = generator(0, f"reordered:{part}").integers(1, highest, shape, np.int32)
    answer = np.sort(source, axis=1) if data.order == "sorted" else source[:, ::-1]
    starts = np.full((shape[0], 1), START, np.int32)
    target = np.concatenate([starts, answer[:, :-1]], axis=1)  # (n, T)
    return {"source": source, "target": target}, answer
