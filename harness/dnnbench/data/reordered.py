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
    """Inputs `source` (n, T) of ids from 1 on, and `target` (n, T): START, then the answer but its last id; labels: the answer.

    What the network reads of the answer is what it should have said before (teacher forcing).
    """
    length = _length(workload)
    highest = min([class_count(workload), *workload.model.vocabularies.values()])
    if highest < 3:
        raise DataError(f"data 'reordered': ids 1 to {highest - 1} make no order; give the tables 3 rows or more")
    sizes = {"train": data.examples, "test": max(data.examples // TEST_SHARE, 1)}
    parts = [_part(data, part, (n, length), highest) for part, n in sizes.items()]
    return RawArrays("reordered", *parts[0], *parts[1])


def _length(workload: Workload) -> int:
    shapes = {source.name: source.shape for source in workload.model.inputs}
    lengths = {shape for shape in shapes.values() if len(shape) == 1}
    if set(shapes) != {"source", "target"} or len(lengths) != 1 or workload.target.shape not in lengths:
        got = ", ".join(f"{name} {list(shape)}" for name, shape in shapes.items())
        raise DataError(
            "data 'reordered' feeds source and target of one length, as long as the labels, but the network reads "
            f"{got} for labels {list(workload.target.shape)}; rename its inputs or use synthetic data"
        )
    return lengths.pop()[0]


def _part(data: Reordered, part: str, shape: tuple[int, int], highest: int) -> tuple[dict[str, np.ndarray], np.ndarray]:
    source = generator(0, f"reordered:{part}").integers(1, highest, shape, np.int32)
    answer = np.sort(source, axis=1) if data.order == "sorted" else source[:, ::-1]
    target = np.concatenate([np.full((shape[0], 1), START, np.int32), answer[:, :-1]], axis=1)
    return {"source": source, "target": target}, answer
