"""Faults of whole programs: later steps, other batches, conditions that are seldom met."""

from .program_faults import CONDITIONS, planted

PUBLISHED = "published sizes"
FEW = (1, 2)


@planted(PUBLISHED, FEW, numpy="momentum", torch="momentum", tensorflow="momentum", jax="momentum")
def momentum_is_forgotten(program):
    """Each step begins without what the one before it left."""
    honest, taken = program.train_step, []

    def train_step(batch):
        if taken:
            _forget(program)
        taken.append(True)
        return honest(batch)

    program.train_step = train_step


def _forget(program):
    if hasattr(program, "_network"):
        program._slots = program._network.optimizer.init(program._weights)
    elif hasattr(program, "_slot_variables"):
        for variable in program._slot_variables():
            variable.assign(variable * 0)
    elif callable(program._slots):
        for slot in program._slots():
            slot.zero_()
    else:
        for arrays in program._slots.values():
            for array in arrays.values():
                array.fill(0)


@planted(PUBLISHED, FEW, numpy="adam", torch="adamw_clipped_on_a_schedule", tensorflow="adam")
def steps_are_counted_once(program):
    """Every step is the first one of a schedule, or of a correction for it."""
    honest = program.train_step
    name = "_step" if not hasattr(program, "_steps") else "_steps"

    def train_step(batch):
        steps = getattr(program, name)
        if hasattr(steps, "assign"):
            steps.assign(0)
        else:
            setattr(program, name, 0)
        return honest(batch)

    program.train_step = train_step


@planted(PUBLISHED, FEW, jax="batch_norm", numpy="batch_norm", torch="batch_norm")
def running_statistics_stop_after_a_step(program):
    honest, taken = program.train_step, []

    def train_step(batch):
        kept = program._state
        result = honest(batch)
        if taken:
            program._state = kept
        taken.append(True)
        return result

    program.train_step = train_step


BATCH = "the timed batch"


@planted(BATCH, timed_rows=33, numpy="dense", torch="conv2d_same", tensorflow="dense")
def rows_beyond_16_are_zero(program):
    honest = program.get

    def get(result):
        arrays = honest(result)
        for name, array in arrays.items():
            if name.startswith("outputs/"):
                array[16:] = 0
        return arrays

    program.get = get


@planted(BATCH, numpy="mse", jax="dense", torch="batch_norm")
def batches_are_padded_to_fours(program):
    """With the last example again; losses are means over the padding too."""
    put, get, sizes, last = program.put, program.get, {}, []

    def padded_put(batch):
        wanted = -(-batch.size // 4) * 4
        placed = put(batch.rows([min(i, batch.size - 1) for i in range(wanted)]))
        sizes[id(placed)] = placed, batch.size
        return placed

    def remembering(honest):
        def phase(placed):
            last.append(sizes[id(placed)][1] if id(placed) in sizes else last[-1])
            return honest(placed)

        return phase

    def cut_get(result):
        arrays = get(result)
        cut = {n: a[: last[-1]] for n, a in arrays.items() if n.startswith(("outputs/", "pred"))}
        return arrays | cut

    program.put, program.get = padded_put, cut_get
    for name in ("infer", "forward", "loss", "gradients", "train_step"):
        setattr(program, name, remembering(getattr(program, name)))


@planted(BATCH, timed_rows=7, jax="dense", tensorflow="conv1d_same_strided", numpy="attention")
def the_last_of_an_odd_number_is_the_first(program):
    honest = program.put

    def put(batch):
        odd = batch.size % 2 and batch.size > 1
        order = [*range(batch.size - odd), *([0] * odd)]
        return honest(batch.rows(order))

    program.put = put


@planted(BATCH, timed_rows=16, torch="dense", jax="adam", numpy="cross_entropy_smoothed")
def means_are_over_the_first_batch_s_rows(program):
    """A second shape reuses what was made for the first one that was called."""
    put, get, sizes, called = program.put, program.get, {}, []

    def remembering_put(batch):
        placed = put(batch)
        sizes[id(placed)] = placed, batch.size
        return placed

    def calling(honest):
        def phase(placed):
            called.append(sizes[id(placed)][1] if id(placed) in sizes else called[-1])
            return honest(placed)

        return phase

    def scaled_get(result):
        arrays = get(result)
        means = [name for name in arrays if name.startswith(("loss", "gradients/"))]
        share = called[-1] / called[0] if means else 1.0
        return arrays | {name: arrays[name] * share for name in means}

    program.put, program.get = remembering_put, scaled_get
    for name in ("infer", "forward", "loss", "gradients", "train_step"):
        setattr(program, name, calling(getattr(program, name)))


LATER = "later steps"


@planted(LATER, (1, 5, 12), numpy="momentum", torch="adam", jax="sgd", tensorflow="momentum")
def the_sixth_step_is_not_taken(program):
    """As a buffer of five results does that is not emptied."""
    honest, taken = program.train_step, []

    def train_step(batch):
        snapshot = program.snapshot() if len(taken) == 5 else None
        taken.append(True)
        result = honest(batch)
        if snapshot is not None:
            program.restore(snapshot)
        return result

    program.train_step = train_step


@planted(LATER, (1, 5, 12), numpy="dense", torch="momentum", tensorflow="adam")
def every_other_step_is_skipped_from_the_ninth_on(program):
    honest, taken = program.train_step, []

    def train_step(batch):
        taken.append(True)
        return honest(batch) if len(taken) <= 8 or len(taken) % 2 else program.loss(batch)

    program.train_step = train_step


@planted(CONDITIONS, numpy="slowly_scheduled", torch="slowly_scheduled")
def rates_never_fall(program):
    """A schedule that knows its warm-up alone."""
    task = program._task if hasattr(program, "_task") else program._workload.task
    optimizer = task.optimizer
    if optimizer.schedule is None:
        return
    rising = optimizer.model_copy(update={"schedule": Rising(optimizer.schedule)})
    changed = task.model_copy(update={"optimizer": rising})
    if hasattr(program, "_task"):
        program._task = changed
    else:
        program._workload = program._workload.model_copy(update={"task": changed})


class Rising:
    """A schedule's rise, and its highest rate from then on."""

    def __init__(self, schedule):
        self._schedule = schedule

    def factor(self, t):
        return self._schedule.factor(min(t, max(self._schedule.warmup, 1)))
