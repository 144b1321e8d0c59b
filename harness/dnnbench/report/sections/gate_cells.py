"""All stages of every cell of the gate that a run screened or confirmed."""

from ..builders import Builder
from ..evidence import Evidence
from ..outcomes.gate import gate_sections
from ..section import Section


def both_stages(evidence: Evidence) -> Section | None:
    """None for a run that is no gate's, and for a gate without a candidate's cell."""
    if evidence.gate is None or not evidence.gate.cells:
        return None
    return gate_sections(evidence.gate)[1]


BUILDER = Builder(12, both_stages)
