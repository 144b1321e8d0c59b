"""Through how many blocks of memory the temporaries of `torch_fresh` go, and what that costs:
`python -m study.blocks`.

The step computes `relu(x @ w)` a hundred times and keeps every result.
Each product lives until its relu is done; whether the allocator then hands out
the same block for the next product, or another, hangs on which blocks lay free before.
So the workers, which import this module, import what the study's own do and no more.
"""

from collections.abc import Callable

from .forced import asked, ratios
from .kinds import REPEATS
from .service import Study
from .step import operands_in_torch

FORCED = (1, 2, 10, 50, 100)
"""Blocks that products are written into by turns; the first is the base."""
PROCESSES, BUILDS = 6, 4
STEPS_ASKED = ("torch_fresh", "torch_fresh_in_a_run")


class Blocks(Study):
    """The service of the study's workers, and what this module asks of them."""

    def forced(self) -> list[float]:
        """Time of the step with so many blocks for its products over one, for each of FORCED."""
        return ratios([_with_blocks(count) for count in FORCED])

    def found(self, step: str) -> list[int]:
        """Blocks that the products go through after each of some builds."""
        return [self._built(step) for _ in range(BUILDS)]

    def _built(self, step: str) -> int:
        self.build(step, REPEATS)
        self.warm_up()
        return _counted(*operands_in_torch())


def _with_blocks(count: int) -> Callable[[], None]:
    torch, x, w = operands_in_torch()
    products = [torch.empty_like(x) for _ in range(count)]
    results = [torch.empty_like(x) for _ in range(REPEATS)]

    def step():
        for place, result in enumerate(results):
            torch.clamp_min(torch.mm(x, w, out=products[place % count]), 0.0, out=result)

    return step


def _counted(torch, x, w) -> int:
    """The step's loop with an eye on where each product lies.

    The second time, as every later one is.
    """
    for _ in range(2):
        places, kept = set(), []
        for _ in range(REPEATS):
            product = x @ w
            places.add(product.data_ptr())
            kept.append(torch.relu(product))
            del product
    return len(places)


def main() -> None:
    """Both tables, as Markdown."""
    from table import markdown

    found = asked("blocks:Blocks", "forced")
    print(
        markdown(
            ["blocks for the products", *map(str, FORCED)],
            [["time of a step", *(f"{r:.3f}" for r in found)]],
        )
    )
    rows = [[step, *(_told(step) for _ in range(PROCESSES))] for step in STEPS_ASKED]
    print(markdown(["blocks found", *(f"process {n + 1}" for n in range(PROCESSES))], rows))


def _told(step: str) -> str:
    return ", ".join(map(str, asked("blocks:Blocks", "found", step=step)))


if __name__ == "__main__":
    main()
