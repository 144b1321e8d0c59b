"""A run as one JSON document."""


def run_document(store, run_id: str) -> dict:
    """Run, cells with their statistics, agreement, first calls, what generations found; units are in results/README.md."""
    from ..report.summary import summarise
    from ..store.frames import records

    return {
        "run": records(store.runs(run_id))[0],
        "cells": records(summarise(store, run_id)),
        "agreement": records(store.agreement(run_id)),
        "first_calls": records(store.first_calls(run_id)),
        "generations": records(store.generations(run_id)),
    }
