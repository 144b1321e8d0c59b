"""Where a command keeps what it measures, and that it was this command line."""

import sys

from ..api.measuring import Keeping
from ..execution.request import Origin


def keeping(store: str, label: str | None, wait: bool = False) -> Keeping:
    """The store that is named, and this command line as what asked for the run."""
    return Keeping(store, Origin(("dnnbench", *sys.argv[1:]), label), wait)
