"""The part of a report that sets sides beside each other: its sections, the answer first."""

from ..section import Section
from .answer import answer
from .cells import cells
from .compared import SideBySide
from .costs import costs
from .differences import differences


def sections(compared: SideBySide) -> list[Section]:
    """What every renderer is handed."""
    built = (answer(compared), costs(compared), differences(compared), cells(compared))
    return [section for section in built if section is not None]
