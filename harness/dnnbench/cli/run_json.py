"""A run as one JSON document."""

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ..store.store import Store


def run_document(store: "Store", run_id: str) -> dict[str, Any]:
    """Run, cells with their statistics, memory, agreement, steps of training, starts,
    what generations found.

    Units are in results/README.md; steps and pieces are in seconds.
    """
    from ..execution.measured import measured
    from ..execution.stored_facts import document
    from ..execution.twins import twins_of
    from ..report.memory import memory_of
    from ..report.starts import starts_of
    from ..report.steps import pieces_of, steps_of
    from ..report.summary import summary_of
    from ..store.frames import records

    run, first_calls = measured(store, run_id), store.first_calls(run_id)
    generations = records(store.generations(run_id))
    for row, facts in zip(generations, run.facts, strict=True):
        row["facts"] = document(facts)
    return {
        "run": records(store.runs(run_id))[0],
        "cells": records(summary_of(run)),
        "memory": [row.to_json() for row in memory_of(run.cells, run.first_facts)],
        "twins": [twin.to_json() for twin in twins_of(run)],
        "agreement": records(store.agreement(run_id)),
        "first_calls": records(first_calls),
        "steps": [asdict(steps) | {"fused": steps.fused} for steps in steps_of(run)],
        "pieces": [asdict(piece) for piece in pieces_of(run)],
        "starts": [
            start.to_json() for start in starts_of(run.frame, first_calls, run.compile_caches)
        ],
        "generations": generations,
    }
