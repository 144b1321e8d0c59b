"""Stores of nightly runs whose true times are known: what tests of a history read."""

from collections.abc import Sequence

from dnnbench.store.schema import RUN
from dnnbench.store.store import Store
from sqlalchemy import update

from . import reporting

SHAPE = {
    "workloads": ("mlp_digits",),
    "arms": {"torch:eager": 1.0, "jax:jit": 0.5},
    "seconds": {"infer": 1e-3},
    "generations": 3,
    "rounds": 8,
}
"""Of a run: two cells, small enough to be written sixty times."""
SYSTEM = {"kernel": "Linux 6.1", "governor": "powersave"}


def add_nights(
    store: Store,
    levels: Sequence[float],
    first: int = 0,
    system: dict = SYSTEM,
    revision: str = "",
    **changes,
) -> list[str]:
    """A run a night at 02:00, each `levels` times as slow as the base; their ids.

    first: number of the first night; night 0 is 2026-09-01.
    revision: of all of them; without it, one a night.
    """
    ids = []
    for night, level in enumerate(levels, first):
        run_id = f"night{night:03d}"
        shape = SHAPE | changes
        facts = [{"system": system}] * shape["generations"]
        reporting.add_run(store, run_id, slower=level, seed=night, facts=facts, **shape)
        date_run(store, run_id, night, revision=revision)
        ids.append(run_id)
    return ids


def date_run(store: Store, run_id: str, night: int, hours: int = 1, revision: str = "") -> None:
    """Set the run's times and revision.  hours: how long it took; below 0 as by a clock that went
    backwards.
    """
    day = f"2026-{9 + night // 28:02d}-{1 + night % 28:02d}"
    values = {
        "created": f"{day}T02:00:00.000000+00:00",
        "finished": f"{day}T{2 + hours:02d}:00:00.000000+00:00",
        "revision": revision or f"{night:04d}" + "abcd" * 9,
    }
    with store.writing() as connection:
        connection.execute(update(RUN).where(RUN.c.run_id == run_id).values(**values))
