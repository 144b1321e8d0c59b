"""A run taken out of a store, with everything that was recorded of it."""

from sqlalchemy import Connection, delete, select

from . import schema

OF_A_RUN = (
    schema.FINDING,
    schema.FIGURE,
    schema.CELL,
    schema.GENERATION,
    schema.FIRST_CALL,
    schema.AGREEMENT,
    schema.EPOCH,
    schema.RUN,
)
"""Tables whose rows name their run, the run itself last."""


def delete_rows(connection: Connection, run_id: str) -> None:
    """The machine stays: other runs may be of it."""
    cells = select(schema.CELL.c.cell_id).where(schema.CELL.c.run_id == run_id)
    blocks = schema.SAMPLE_BLOCK
    connection.execute(delete(blocks).where(blocks.c.cell_id.in_(cells)))
    for table in OF_A_RUN:
        connection.execute(delete(table).where(table.c.run_id == run_id))
