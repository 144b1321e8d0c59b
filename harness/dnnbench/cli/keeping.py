"""Where a command keeps what it measures, and that it was this command line."""

import sys

from ..api.measuring import Keeping
from ..execution.request import Origin
from .configured import current


def keeping(store: str, label: str | None, wait: bool = False) -> Keeping:
    """The store that is named, this command line as what asked for the run, and the machine's name
    where one is set.
    """
    machine = current().value("machine")
    return Keeping(store, Origin(("dnnbench", *sys.argv[1:]), label, machine), wait)
