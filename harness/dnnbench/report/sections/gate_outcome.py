"""The outcome of the gate that a run screened or confirmed, as it was stored with the run."""

from ..builders import Builder
from ..evidence import Evidence
from ..outcomes.gate import gate_sections
from ..section import Section


def outcome(evidence: Evidence) -> Section | None:
    """What the gate said first; None for a run that is no gate's."""
    return None if evidence.gate is None else gate_sections(evidence.gate)[0]


BUILDER = Builder(5, outcome)
