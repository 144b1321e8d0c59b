"""This installation's packages, for the interpreters of other environments."""

import atexit
from contextlib import ExitStack
from functools import cache as once
from pathlib import Path

from ..worker.sharing import lend_packages
from .scratch import scratch_folder


@once
def lent_packages() -> Path:
    """A folder of links to dnnbench's packages, for PYTHONPATH, until this process ends."""
    until_the_end = ExitStack()
    atexit.register(until_the_end.close)
    return lend_packages(until_the_end.enter_context(scratch_folder("lent")))
