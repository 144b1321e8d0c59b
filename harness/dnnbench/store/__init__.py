"""Where measurements are kept: SQLite or PostgreSQL through one code path,
read back as pandas DataFrames.

`store.open_store` opens a store; `columns` names every column that comes out of it, with its unit;
`merge` and `export` carry results between machines and tools. Only `columns` and `samples` import
without SQLAlchemy and pandas, so commands import the rest when they need it.
"""
