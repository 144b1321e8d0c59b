"""Faults of whole programs: what a step returns, pieces, memory, restore.

They are written on the protocol, so that one serves every framework: a program is changed in what
its methods do, and computes each network right wherever an older check looked.
"""

from .program_faults import planted

RETURNED = "what a step returns"


@planted(RETURNED, torch="dense", jax="adam")
def returned_loss_is_summed(program):
    """Over the batch, where the mean is meant."""
    honest = program.train_step

    def train_step(batch):
        result = honest(batch)
        rows = len(program.get(result)["outputs/logits"])
        return {**result, "loss": result["loss"] * rows}

    program.train_step = train_step


@planted(RETURNED, tensorflow="dense", numpy="momentum")
def returned_results_are_a_step_late(program):
    """As a loop does that reads the loss while the next step runs."""
    honest, late = program.train_step, []

    def train_step(batch):
        late.append(honest(batch))
        return late[-2] if len(late) > 1 else late[-1]

    program.train_step = train_step


@planted(RETURNED, numpy="dense", tensorflow="adam")
def returned_loss_is_that_after_the_step(program):
    honest = program.train_step

    def train_step(batch):
        result = honest(batch)
        return {**result, "loss": program.loss(batch)["loss"]}

    program.train_step = train_step


@planted(RETURNED, torch="dropout", jax="batch_norm")
def returned_outputs_are_inferred(program):
    """Those of inference, which thins nothing and reads running statistics."""
    honest = program.train_step

    def train_step(batch):
        inferred = program.infer(batch)
        return {**honest(batch), "outputs": inferred["outputs"]}

    program.train_step = train_step


PIECES = "pieces"


@planted(PIECES, jax="dense", torch="adam", numpy="sgd")
def update_alone_does_nothing(program):
    honest = program.pieces

    def pieces(batch):
        return {**honest(batch), "update_alone": lambda: {}}

    program.pieces = pieces


@planted(PIECES, tensorflow="dense", numpy="adam")
def update_alone_happens_once(program):
    """As if the gradients were spent by it."""
    honest = program.pieces

    def pieces(batch):
        parts, spent = honest(batch), []

        def update_alone():
            if spent:
                return spent[0]
            spent.append(parts["update_alone"]() or {})
            return spent[0]

        return {**parts, "update_alone": update_alone}

    program.pieces = pieces


@planted(PIECES, torch="mse", tensorflow="cross_entropy_smoothed")
def loss_alone_is_summed(program):
    honest = program.pieces

    def pieces(batch):
        parts, rows = honest(batch), 4
        return {**parts, "loss_alone": lambda: {"loss": parts["loss_alone"]()["loss"] * rows}}

    program.pieces = pieces


@planted(PIECES, numpy="dense", jax="momentum")
def pieces_are_those_of_the_first_batch(program):
    honest, kept = program.pieces, []

    def pieces(batch):
        kept.append(honest(batch))
        return kept[0]

    program.pieces = pieces


MEMORY = "waiting and memory"


@planted(MEMORY, numpy="dense", torch="conv2d_same", tensorflow="adam", jax="dense")
def answers_are_kept_by_placed_batch(program):
    """By the identity of what `put` gave: a timed call costs nothing after the first."""
    honest, kept = program.infer, {}

    def infer(batch):
        if id(batch) not in kept:
            kept[id(batch)] = honest(batch)
        return kept[id(batch)]

    program.infer = infer


@planted(MEMORY, torch="dense", jax="tanh", numpy="batch_norm")
def gradients_are_kept_by_placed_batch(program):
    """But a step computes its own."""
    step, honest, kept = program.train_step, program.gradients, {}

    def keeping(batch):
        if id(batch) not in kept:
            kept[id(batch)] = honest(batch)
        return kept[id(batch)]

    def train_step(batch):
        program.gradients = honest
        result = step(batch)
        program.gradients = keeping
        return result

    program.train_step, program.gradients = train_step, keeping


@planted(MEMORY, tensorflow="dense", numpy="embedding", torch="mse")
def batches_are_placed_when_they_are_used(program):
    """`put` keeps the caller's arrays, and each phase copies them: a buffer that is refilled
    reaches the device.
    """
    put, lent = program.put, []

    def keep(batch):
        lent.append(batch)
        return batch

    def placing(honest):
        return lambda batch: honest(put(batch) if any(batch is one for one in lent) else batch)

    program.put = keep
    for phase in ("infer", "forward", "loss", "gradients", "train_step", "pieces"):
        setattr(program, phase, placing(getattr(program, phase)))


@planted(MEMORY, numpy="momentum", jax="dense", tensorflow="mse")
def batches_are_kept_by_their_last_row(program):
    """Of inputs; two batches that end alike are taken for one."""
    honest, kept = program.put, {}

    def put(batch):
        ends = (array[-1:].tobytes() for array in batch.inputs.values())
        return kept.setdefault((batch.size, *ends, *batch.masks), honest(batch))

    program.put = put


@planted(MEMORY, torch="conv2d_same", numpy="embedding", jax="adam")
def batches_are_kept_by_half_of_their_numbers(program):
    """As a digest of the first bytes does."""
    honest, kept = program.put, {}

    def put(batch):
        halves = (a.tobytes()[: a.nbytes // 2] for a in batch.inputs.values())
        return kept.setdefault((batch.size, *halves, *batch.masks), honest(batch))

    program.put = put


@planted(MEMORY, jax="dropout", numpy="dropout")
def masks_are_the_caller_s(program):
    honest = program.put

    def put(batch):
        placed = honest(batch)
        if isinstance(placed, tuple):
            return (*placed[:2], dict(batch.masks))
        return type(placed)(placed.inputs, placed.targets, dict(batch.masks))

    program.put = put


RESTORE = "restore"


@planted(RESTORE, torch="adamw_clipped_on_a_schedule", numpy="adam", tensorflow="adam")
def restore_leaves_the_count_of_steps(program):
    honest = program.restore
    name = "_step" if not hasattr(program, "_steps") else "_steps"

    def restore(snapshot):
        steps = getattr(program, name)
        count = steps.numpy() if hasattr(steps, "numpy") else steps
        honest(snapshot)
        if hasattr(steps, "assign"):
            steps.assign(count)
        else:
            setattr(program, name, count)

    program.restore = restore


@planted(RESTORE, jax="adam", numpy="momentum")
def restore_leaves_the_slots(program):
    honest = program.restore

    def restore(snapshot):
        slots = program._slots
        honest(snapshot)
        program._slots = slots

    program.restore = restore


@planted(RESTORE, jax="batch_norm", numpy="batch_norm")
def restore_leaves_running_statistics(program):
    honest = program.restore

    def restore(snapshot):
        state = program._state
        honest(snapshot)
        program._state = state

    program.restore = restore


@planted(RESTORE, numpy="dense", torch="adam")
def restore_goes_back_once(program):
    """The first snapshot's arrays become the program's own, which the next step writes to."""
    honest, gone = program.restore, []

    def restore(snapshot):
        if not gone:
            honest(snapshot)
        gone.append(snapshot)

    program.restore = restore
