"""Stores of two kinds: a file in a folder that is not there yet, and databases of a real
PostgreSQL server.
"""

import itertools

import pytest
from dnnbench.store.store import open_store
from helpers.postgres_server import cluster
from sqlalchemy import create_engine, text

NUMBERS = itertools.count()


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "folder" / "results.sqlite") as opened:
        yield opened


@pytest.fixture(scope="session")
def server():
    """Folder of the socket of a fresh cluster."""
    with cluster() as folder:
        yield folder


@pytest.fixture
def new_database(server):
    """A function that makes an empty database and returns its address, as a user would write it."""
    admin = create_engine(
        f"postgresql+psycopg://tester@/postgres?host={server}", isolation_level="AUTOCOMMIT"
    )

    def make(encoding: str = "UTF8") -> str:
        name = f"bench{next(NUMBERS)}"
        with admin.connect() as connection:
            connection.execute(
                text(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING '{encoding}'")
            )
        return f"postgresql://tester@/{name}?host={server}"

    yield make
    admin.dispose()
