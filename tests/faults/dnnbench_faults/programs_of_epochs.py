"""Faults that show in a whole epoch: more rows than a check's, and more batches."""

from .program_faults import planted

TRAINING = "what train does"
FEW = 4
"""Rows of a check's batch."""
SLOTS = 20


def _remembering_rows(program):
    """By placed batch, how many rows it has; and the batch itself, which must not go."""
    put, sizes = program.put, {}

    def remembering(batch):
        placed = put(batch)
        sizes[id(placed)] = placed, batch
        return placed

    program.put = remembering
    return sizes, put


@planted(TRAINING, trained=True, numpy="dense", torch="momentum", tensorflow="dense")
def a_last_batch_is_padded(program):
    """To as many rows as the largest before it, with its last example."""
    sizes, put = _remembering_rows(program)
    honest, largest = program.train_step, [0]

    def train_step(placed):
        _, batch = sizes[id(placed)]
        largest[0] = max(largest[0], batch.size)
        if FEW < batch.size < largest[0]:
            rows = [min(i, batch.size - 1) for i in range(largest[0])]
            placed = put(batch.rows(rows))
        return honest(placed)

    program.train_step = train_step


@planted(TRAINING, trained=True, jax="dense", numpy="adam")
def a_last_batch_changes_no_weight(program):
    """Its loss is right."""
    sizes, _ = _remembering_rows(program)
    honest, largest = program.train_step, [0]

    def train_step(placed):
        rows = sizes[id(placed)][1].size
        largest[0] = max(largest[0], rows)
        snapshot = program.snapshot() if FEW < rows < largest[0] else None
        result = honest(placed)
        if snapshot is not None:
            program.wait(result)
            program.restore(snapshot)
        return result

    program.train_step = train_step


@planted(TRAINING, trained=True, torch="dense", numpy="momentum")
def a_ring_of_batches_is_not_refilled(program):
    honest, ring = program.put, []

    def put(batch):
        full = len(ring) >= SLOTS and batch.size > FEW
        placed = ring[len(ring) % SLOTS] if full else honest(batch)
        ring.append(placed)
        return placed

    program.put = put
