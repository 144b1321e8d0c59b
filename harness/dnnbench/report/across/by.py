"""What is set side by side, and how it is called."""

from enum import StrEnum

from ...errors import UsageError


class By(StrEnum):
    """`report --by`."""

    MACHINE = "machine"
    VERSION = "version"
    DTYPE = "dtype"


PLURAL = {By.MACHINE: "machines", By.VERSION: "versions", By.DTYPE: "types"}
"""As titles and sentences name them."""
MOST_SIDES = 20
"""More stand in no table that anybody reads."""


def by_named(text: str) -> By:
    """UsageError for a word that names none."""
    try:
        return By(text)
    except ValueError:
        words = ", ".join(By)
        raise UsageError(f"report: got by={text!r}, expected one of {words}") from None
