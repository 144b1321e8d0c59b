"""A store with a run of known settings, as `dnnbench run` leaves it, whose visits are made up."""

import numpy as np
from dnnbench.execution.facts import GenerationFacts
from dnnbench.execution.plan import Plan, cases_of
from dnnbench.execution.request import Request
from dnnbench.execution.settings import Settings
from dnnbench.execution.stored_facts import stored
from dnnbench.store.store import open_store

CALL_S = 2e-3
CALLS = 3
ROUNDS = 8


def record(
    path,
    workloads,
    arms,
    *,
    run_id="r1",
    weights="",
    data="",
    data_facts=None,
    versions=None,
    **chosen,
):
    """A run of every phase of the workloads on the arms, each visit of 2 ms a call."""
    settings = Settings(threads=(1,), **chosen)
    request = Request(tuple(workloads), (), settings, base=arms[0].name, weights=weights, data=data)
    cases = cases_of(workloads, (), None, "initial", settings.seed)
    plan = Plan(tuple(arms), cases, settings, arms[0].name, {}, data_facts=data_facts or {})
    with open_store(path) as store:
        store.add_machine("m1", facts={"hardware": {}}, host_hash="c0ffee")
        store.add_run(
            run_id,
            machine_id="m1",
            command=["run"],
            settings=request.to_json(plan),
            seed=settings.seed,
            dnnbench_version="0",
            versions={"python": "3.11.0", "numpy": "2.0"},
            label="before",
        )
        ids = store.add_cells(run_id, plan.cells())
        facts = GenerationFacts(versions=versions or {})
        store.add_generation(run_id, 0, stored(facts), {cell: visits() for cell in ids})
        store.update_cells(
            run_id, [{"cell_id": cell, "status": "ok", "calls": CALLS} for cell in ids]
        )
        store.finish_run(run_id, "complete")
    return ids


def visits():
    """Columns as the store has them: round, position, calls, seconds, flags."""
    order = np.arange(ROUNDS, dtype=float)
    same = np.ones(ROUNDS)
    return np.stack([order, 0 * same, CALLS * same, CALLS * CALL_S * same, 0 * same], axis=1)
