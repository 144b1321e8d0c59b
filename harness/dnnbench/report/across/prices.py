"""What an hour of a side costs, as the user says it."""

from collections.abc import Sequence
from dataclasses import dataclass

from ...errors import UsageError
from .sides import Side


@dataclass(frozen=True)
class Price:
    """Of an hour, in the one currency of all prices; name: of a side, as the user wrote it."""

    name: str
    an_hour: float


def prices_of(prices: Sequence[Price], sides: Sequence[Side]) -> dict[str, Price]:
    """By the name of the side.

    UsageError for a name that no side has, or several, and for a second price of one side.
    """
    by_side: dict[str, Price] = {}
    for price in prices:
        side = _side(price, sides)
        if side.name in by_side:
            raise UsageError(f"--price {price.name}: {side.name} has a price already; name it once")
        by_side[side.name] = price
    return by_side


def _side(price: Price, sides: Sequence[Side]) -> Side:
    meant = [side for side in sides if side.name == price.name]
    meant = meant or [side for side in sides if price.name in side.aliases]
    if len(meant) == 1:
        return meant[0]
    names = ", ".join(f"'{side.name}'" for side in sides)
    raise UsageError(
        f"--price {price.name}: {len(meant)} sides are called so; there are {names} (a label, the "
        "name of the store's file without its ending, or the machine's id does as well)"
    )
