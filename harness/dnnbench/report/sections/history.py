"""History: the run's cells over the earlier runs of its machine, as `track` read them."""

from ..builders import Builder
from ..evidence import Evidence
from ..section import Section


def history(evidence: Evidence) -> Section | None:
    """None where the store has too few runs, or they were not read."""
    return evidence.history


BUILDER = Builder(115, history)
