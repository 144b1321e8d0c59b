"""A run as one JSON document."""


def run_document(store, run_id: str) -> dict:
    """Run, cells with their statistics, agreement, first calls, what generations found; units are in results/README.md."""
    from ..report.memory import memory_of
    from ..report.summary import summary_of
    from ..run.measured import measured
    from ..run.twins import twins_of
    from ..store.frames import records

    run, generations = measured(store, run_id), records(store.generations(run_id))
    held = generations[0]["facts"].get("memory", {}) if generations else {}
    return {
        "run": records(store.runs(run_id))[0],
        "cells": records(summary_of(run)),
        "memory": [row.to_json() for row in memory_of(run.cells, held)],
        "twins": [twin.to_json() for twin in twins_of(run)],
        "agreement": records(store.agreement(run_id)),
        "first_calls": records(store.first_calls(run_id)),
        "generations": generations,
    }
