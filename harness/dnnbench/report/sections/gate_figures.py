"""Figures of every cell of the gate that a run screened or confirmed."""

from ..builders import Builder
from ..evidence import Evidence
from ..outcomes.gate import gate_sections
from ..section import Section


def figures(evidence: Evidence) -> Section | None:
    """None for a run that is no gate's, and for a gate that counted nothing."""
    if evidence.gate is None:
        return None
    sections = {section.id: section for section in gate_sections(evidence.gate)}
    return sections.get("gate-figures")


BUILDER = Builder(14, figures)
