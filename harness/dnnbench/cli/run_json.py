"""A run as one JSON document."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..store.store import Store


def run_document(store: "Store", run_id: str) -> dict[str, Any]:
    """Run, cells with their statistics, agreement, first calls, what generations found,
    and what each section says.

    Units are in results/README.md; steps and pieces are in seconds.
    """
    from ..execution.stored_facts import document as facts_document
    from ..report.builders import sections_of
    from ..report.document import document
    from ..report.evidence import gather
    from ..store.frames import records

    evidence = gather(store, run_id)
    generations = records(store.generations(run_id))
    for row, facts in zip(generations, evidence.measured.facts, strict=True):
        row["facts"] = facts_document(facts)
    nothing: dict[str, Any] = {
        name: [] for name in ("memory", "twins", "steps", "pieces", "starts")
    }
    return {
        "run": records(store.runs(run_id))[0],
        "cells": records(evidence.cells),
        "agreement": records(store.agreement(run_id)),
        "findings": records(store.findings(run_id)),
        "figures": records(store.figures(run_id)),
        "first_calls": records(store.first_calls(run_id)),
        "generations": generations,
        **nothing,
        **document(sections_of(evidence)),
    }
