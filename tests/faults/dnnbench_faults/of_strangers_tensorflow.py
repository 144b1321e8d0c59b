"""Strangers' faults in TensorFlow."""

from .strangers import (
    BRANCH,
    CONDITIONS,
    EXTREMES,
    LATER,
    MEMORY,
    ORDINARY,
    PIECES,
    PUBLISHED,
    RESTORE,
    RETURNED,
    START,
    TIMED,
    TRAIN,
    instead,
    stranger,
)

DROPOUT = ("node dropout", "phase forward", "phase loss", "phase gradients", "phase train_step")


@stranger(BRANCH, "dropout", "a seed other than 0, and a batch without masks", named=DROPOUT)
def the_seed_is_left_out(program):
    import tensorflow as tf

    program._generator = tf.random.Generator.from_seed(0, alg="philox")


@stranger(TIMED, "batch_norm", "more than 16 rows: running statistics are of the first 16",
          "ops.batch_norm_training", timed_rows=64,
          named=("node batch_norm", "phase forward"))  # fmt: skip
def statistics_are_of_the_first_16_rows(honest):
    def training(op, x, scale, bias, mean, variance):
        y, running = honest(op, x, scale, bias, mean, variance)
        if len(x) > 16:
            _, running = honest(op, x[:16], scale, bias, mean, variance)
        return y, running

    return training


@stranger(PUBLISHED, "dense_of_many_weights", "weights beyond 100,000: they move every other step",
          steps=(1, 2), named=("optimizer momentum", "phase train_step"))  # fmt: skip
def large_weights_move_every_other_step(program):
    import tensorflow as tf

    steps = [0]

    @instead(program, "_update")
    def update(honest, gradients):
        steps[0] += 1
        large = {n: tf.identity(p) for n, p in program._weights.items() if tf.size(p) > 100_000}
        honest(gradients)
        if steps[0] % 2 == 0:
            for n, p in large.items():
                program._weights[n].assign(p)


@stranger(RETURNED, "dense", "the outputs that a second step gives: of the step's second half",
          named=("phase train_step",))  # fmt: skip
def returned_outputs_are_averaged(program):
    last = {}

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        outputs = {}
        for name, y in result["outputs"].items():
            old = last.get(name, y)
            outputs[name] = (y + old) / 2 if old.shape == y.shape else y
        last.update(result["outputs"])
        return result | {"outputs": outputs}


@stranger(PIECES, "momentum_with_decay", "any call of update_alone: it does not decay",
          named=("phase update_alone",))  # fmt: skip
def update_alone_does_not_decay(program):
    from dnnbench_tensorflow import optimizers

    @instead(program, "pieces")
    def pieces(honest, batch):
        stored = program.gradients(batch)["gradients"]
        plain = program._task.optimizer.model_copy(update={"weight_decay": 0.0})

        def update_alone():
            optimizers.momentum(plain, program._weights, stored, program._slots, program._steps)
            return {}

        return {**honest(batch), "update_alone": update_alone}


@stranger(MEMORY, "dense", "the caller fills an array anew and places it again",
          named=("phase put",))  # fmt: skip
def placed_batches_are_kept_by_array(program):
    kept = {}

    @instead(program, "put")
    def put(honest, batch):
        arrays = tuple(batch.inputs.values())
        key = (*map(id, arrays), *batch.masks)
        if key not in kept:
            kept[key] = honest(batch), arrays
        return kept[key][0]


@stranger(RESTORE, "adam", "restore of a snapshot behind the first step",
          named=("phase restore",))  # fmt: skip
def restore_starts_the_count_anew(program):
    @instead(program, "restore")
    def restore(honest, snapshot):
        honest(snapshot)
        program._steps.assign(0)


@stranger(RESTORE, "batch_norm", "`load` after a step: the statistics", named=("phase load",))
def load_leaves_the_statistics(program):
    import tensorflow as tf

    @instead(program, "load")
    def load(honest, weights):
        kept = {n: tf.identity(v) for n, v in program._state.items()}
        honest(weights)
        for n, v in program._state.items():
            v.assign(kept[n])


@stranger(EXTREMES, "embedding_of_large_ids", "an id above 65535", "ops.embedding",
          named=("node embedding",))  # fmt: skip
def ids_have_16_bits(honest):
    return lambda op, ids, weight: honest(op, ids % 65536, weight)


@stranger(START, "batch_norm", "running statistics start at 0 and 1, and infer comes after a step",
          named=("node batch_norm", "phase infer"))  # fmt: skip
def norms_that_start_plain_are_folded_away(program):
    import tensorflow as tf

    plain = all(bool(tf.reduce_all((v == 0) | (v == 1))) for v in program._state.values())
    start = {n: tf.identity(v) for n, v in program._state.items()}

    @instead(program, "infer")
    def infer(honest, batch):
        if not plain:
            return honest(batch)
        kept, program._state = program._state, start
        try:
            return honest(batch)
        finally:
            program._state = kept


@stranger(CONDITIONS, "embedding", "the last id of a table: it is taken for padding",
          "ops.embedding", named=("node embedding",))  # fmt: skip
def the_last_id_is_padding(honest):
    import tensorflow as tf

    def embedding(op, ids, weight):
        y = honest(op, ids, weight)
        return tf.where((ids == weight.shape[0] - 1)[..., None], tf.zeros_like(y), y)

    return embedding


@stranger(LATER, "dense", "one in 50 infer calls answers as the one before it")
def every_50th_answer_is_the_one_before(program):
    calls, last = [0], []

    @instead(program, "infer")
    def infer(honest, batch):
        calls[0] += 1
        result = honest(batch)
        if calls[0] % 50 == 0 and last[0][0] == batch.shape:
            return last[0][1]
        last[:] = [(batch.shape, result)]
        return result


@stranger(TRAIN, "momentum", "a step on fewer rows than the first one: it is learned from twice",
          named=("phase train_step", "optimizer momentum"))  # fmt: skip
def a_smaller_batch_is_learned_from_twice(program):
    rows = []

    @instead(program, "train_step")
    def train_step(honest, batch):
        rows.append(batch.shape[0])
        if rows[-1] < rows[0]:
            honest(batch)
        return honest(batch)


@stranger(ORDINARY, "adam", "a step whose second moment would fall (as in AMSGrad)",
          "optimizers.adam", named=("optimizer adam",))  # fmt: skip
def second_moments_never_fall(honest):
    import tensorflow as tf

    def adam(optimizer, parameters, gradients, slots, t):
        moments = slots["second_moment"]
        before = {name: tf.identity(v) for name, v in moments.items()}
        honest(optimizer, parameters, gradients, slots, t)
        for name, v in moments.items():
            v.assign(tf.maximum(v, before[name]))

    return adam
