"""The page that describes a store, made from the schema and the registry of columns so that it
cannot drift.

`python -m dnnbench.store.readme > results/README.md` writes it anew.
"""

from dnnbench.store.columns import render_frames
from dnnbench.store.schema import SCHEMA_VERSION, render_tables

PAGE = """# Results

`dnnbench run` keeps what it measures here, in `dnnbench.sqlite` (not in git), unless
`--store PATH|URL` names another SQLite file or a PostgreSQL database. This page is generated:
`python -m dnnbench.store.readme > results/README.md`.

## Tables

Schema version {version}. Ids are texts that mean the same on every machine, so that any store
merges into any other, and merging twice changes nothing. Times of day are UTC, ISO 8601. `arm_key`,
`facts`, `command`, `settings` and `versions` are JSON; `run_id`, `cell_id` and `machine_id`
name rows of those tables; `?` marks what may be NULL. Passwords are stored as `***`,
whatever text they stand in; opening a store from before schema version 3 masks what it holds,
and rewrites an SQLite file so that none of its bytes is older than that. A PostgreSQL server keeps
old row versions, logs and backups as it is set up to: change such a password.

{tables}

A `sample_block` holds all visits of one cell in one generation: little-endian float64 of shape
(n, 5), row by row, with the columns of the `samples` frame after `generation`.
It is committed when its generation ends.

A generation that the store did not take in two minutes is in `dnnbench-aside-RUN-GENERATION.json`,
beside a SQLite file, else with the user's data (`~/.local/share/dnnbench/aside`),
until `dnnbench run --resume RUN` takes it in. A SQLite file that is removed or replaced while a run
writes to it is there again after the next write, with what it held.

## Frames

What `dnnbench.store.store.Store` reads is a pandas DataFrame with exactly these columns.
Texts are of dtype object and None where missing; `Int64` may be missing (NA), `float64` too (NaN).
`summary` is what `export` takes.

{frames}
"""


def render() -> str:
    """The text of results/README.md."""
    return PAGE.format(version=SCHEMA_VERSION, tables=render_tables(), frames=render_frames())


if __name__ == "__main__":
    print(render(), end="")
