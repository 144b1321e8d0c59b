"""Trials of the study in tests/benchmarks/study made of simulated visits,
whose true speeds are known.
"""

from itertools import islice

import numpy as np
from dnnbench.execution.rounds import schedule
from study.kinds import KINDS
from study.trial import Trial

CALL_S = 2e-3


def synthetic(
    kind="quick",
    seed=0,
    process=0.002,
    visit=0.01,
    late=0.0,
    flags=0,
    scale=None,
    seconds=10,
    call_s=CALL_S,
):
    """A trial of simulated visits.

    process: sd of each process's own speed.
    late: log cost of each later position.
    scale: arm -> log factor more.
    """
    kind, draw = KINDS[kind], np.random.default_rng(seed)
    arms, rounds = list(kind.arms), round(seconds / kind.generations / (2 * call_s))
    size = kind.generations * rounds
    orders = islice(schedule({"infer": arms}, seed), size)
    position = np.array([list(map(order.index, arms)) for [(_, order)] in orders])
    generation = np.repeat(np.arange(kind.generations), rounds)
    own = draw.normal(0, process, (kind.generations, len(arms)))[generation]
    machine = np.where(draw.random((size, 1)) < 0.3, 0.4, 0.0)
    work = np.log([kind.arms[arm] / 100 for arm in arms]) + np.array(
        [(scale or {}).get(arm, 0.0) for arm in arms]
    )
    logs = work + own + machine + late * position + draw.normal(0, visit, (size, len(arms)))
    facts = {
        "began": f"2026-01-01T00:{seed % 60:02d}:00",
        "seconds_a_cell": seconds,
        "starts_s": [1.0] * kind.generations,
        "machine": "2 cores of a machine",
        "versions": {"numpy": "0"},
    }
    return Trial(
        kind.name, kind.arms, kind.pairs, 1, generation, np.broadcast_to(flags, size),
        np.full(size, 1e-3), call_s * np.exp(logs), position, facts,
    )  # fmt: skip


def nested(processes, builds, seed, visit=0.01):
    """A trial of kind `rebuilt` whose processes and builds have speeds of their own
    with these sds.
    """
    draw, kind, rounds = np.random.default_rng(seed), KINDS["rebuilt"], 60
    count = kind.generations * kind.builds
    generation = np.repeat(np.arange(count), rounds)
    of_process = np.repeat(draw.normal(0, processes, (kind.generations, 6)), kind.builds, axis=0)
    logs = (of_process + draw.normal(0, builds, (count, 6)))[generation] + draw.normal(
        0, visit, (len(generation), 6)
    )
    facts = {
        "began": "2026-01-01",
        "builds": kind.builds,
        "step": "numpy",
        "starts_s": [4.0],
        "rebuilds_s": [0.1],
    }
    nothing = np.zeros(len(generation))
    position = np.broadcast_to(np.arange(6), logs.shape)
    return Trial(
        kind.name,
        kind.arms,
        kind.pairs,
        1,
        generation,
        nothing,
        nothing,
        CALL_S * np.exp(logs),
        position,
        facts,
    )
