"""Sections as plain data: what `--json` prints of them."""

from collections.abc import Iterable
from typing import Any

from .section import Section


def document(sections: Iterable[Section]) -> dict[str, Any]:
    """The figures of every section under their own keys, and under `sections` what each says in
    words.
    """
    figures: dict[str, Any] = {}
    spoken = []
    for section in sections:
        figures |= section.data
        spoken.append(_spoken(section))
    return {**figures, "sections": spoken}


def _spoken(section: Section) -> dict[str, Any]:
    return {
        "id": section.id,
        "title": section.title,
        "alarm": section.alarm or None,
        "sentences": [*section.conclusions, *section.sentences],
        "doubts": list(section.doubts),
    }
