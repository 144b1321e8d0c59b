"""Strangers' faults in JAX."""

from .strangers import (
    BRANCH,
    BUILT,
    CONDITIONS,
    EXTREMES,
    LATER,
    MEMORY,
    NARROW,
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


@stranger(BRANCH, "two_dropouts", "a batch without masks: two nodes drop the same elements",
          "ops.dropout", named=DROPOUT)  # fmt: skip
def every_node_draws_with_one_key(honest):
    first = []

    def dropout(op, x, mask, generator):
        if mask is None:
            if first:
                generator = first.pop()
            else:
                first.append(generator)
        return honest(op, x, mask, generator)

    return dropout


@stranger(TIMED, "batch_norm", "a batch of one row: its variance counts as 1",
          "ops.batch_norm_training", timed_rows=1,
          named=("node batch_norm", "phase loss", "phase gradients", "phase forward"))  # fmt: skip
def one_row_is_not_standardised(honest):
    def training(op, x, scale, bias, mean, variance):
        if len(x) > 1:
            return honest(op, x, scale, bias, mean, variance)
        return x * scale + bias, {"mean": mean, "variance": variance}

    return training


@stranger(PUBLISHED, "dense_of_many_weights", "weights beyond 100,000: the smallest gradients",
          steps=(1, 2), named=("phase gradients", "node dense", "phase train_step"))  # fmt: skip
def large_gradients_lose_their_smallest(program):
    import jax.numpy as jnp

    network, honest = program._network, program._network.update

    def update(weights, slots, gradients):
        thin = tuple(
            jnp.where(jnp.abs(g) < jnp.quantile(jnp.abs(g), 0.2), 0, g) if g.size > 100_000 else g
            for g in gradients
        )
        return honest(weights, slots, thin)

    network.update = program._update = update


@stranger(RETURNED, "dense", "a step on fewer rows than 4: its loss is of 4",
          named=("phase train_step",))  # fmt: skip
def returned_loss_is_of_four_rows(program):
    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        return result | {"loss": result["loss"] * len(batch[1]) / 4}


@stranger(PIECES, "adam", "a second update_alone: the slots have not moved",
          named=("phase update_alone",))  # fmt: skip
def update_alone_keeps_its_slots(program):
    @instead(program, "pieces")
    def pieces(honest, batch):
        made = honest(batch)

        def update_alone():
            slots = program._slots
            result = made["update_alone"]()
            program._slots = slots
            return result

        return {**made, "update_alone": update_alone}


@stranger(MEMORY, "momentum", "a batch is placed while another of its size is in use",
          named=("phase put",))  # fmt: skip
def targets_are_those_placed_first(program):
    targets = {}

    @instead(program, "put")
    def put(honest, batch):
        inputs, labels, masks = honest(batch)
        return inputs, targets.setdefault(labels.shape, labels), masks


@stranger(RESTORE, "sgd_on_a_schedule", "`load` after a step: the schedule goes on",
          named=("phase load",))  # fmt: skip
def load_keeps_the_count(program):
    @instead(program, "load")
    def load(honest, weights):
        kept = program._slots
        honest(weights)
        program._slots = kept


@stranger(RESTORE, "dropout", "the step after restore, without masks", named=("phase restore",))
def restore_leaves_the_key(program):
    @instead(program, "restore")
    def restore(honest, snapshot):
        key = program._key
        honest(snapshot)
        program._key = key


@stranger(EXTREMES, "attention_to_many_keys", "keys beyond the last whole block of 64",
          "ops.attend", named=("node attention",))  # fmt: skip
def keys_beyond_whole_blocks_are_left_out(honest):
    def attend(op, q, k, v, mask):
        whole = max(k.shape[1] // 64 * 64, min(k.shape[1], 64))
        return honest(
            op, q, k[:, :whole], v[:, :whole], None if mask is None else mask[..., :whole]
        )

    return attend


@stranger(START, "dense", "weights that are exactly 0 at the start are pruned",
          named=("node dense", "phase train_step"))  # fmt: skip
def what_starts_at_zero_stays_there(program):
    import jax.numpy as jnp

    pruned = tuple(p == 0 for p in program._weights)

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        program._weights = tuple(
            jnp.where(zero, 0, p) for zero, p in zip(pruned, program._weights, strict=True)
        )
        return result


@stranger(CONDITIONS, "relu6", "an element above 6: its gradient goes on", "ops.relu6",
          named=("node relu6",))  # fmt: skip
def gradients_pass_6(honest):
    import jax
    import jax.numpy as jnp

    def relu6(op, x):
        rectified = jnp.where(x <= 0, 0, x)
        return rectified + jax.lax.stop_gradient(honest(op, x) - rectified)

    return relu6


@stranger(LATER, "momentum", "the third program that a process builds: the first one's start")
def a_third_program_starts_as_the_first(program):
    BUILT["a_third_program_starts_as_the_first"] += 1
    if BUILT["a_third_program_starts_as_the_first"] >= 3:
        program._weights = tuple(1.01 * p for p in program._weights)


@stranger(TRAIN, "momentum", "a step on fewer rows than the first one: it does nothing",
          named=("phase train_step", "optimizer momentum"))  # fmt: skip
def the_smaller_last_batch_is_dropped(program):
    rows = []

    @instead(program, "train_step")
    def train_step(honest, batch):
        rows.append(len(batch[1]))
        if rows[-1] >= rows[0]:
            return honest(batch)
        result = program.loss(batch)
        return {"outputs": result["outputs"], "loss": result["loss"]}


@stranger(NARROW, "attention", "bfloat16: queries have 3 bits behind the point", "ops.attend",
          dtype="bfloat16", named=("node attention",))  # fmt: skip
def scores_are_in_8_bits(honest):
    def attend(op, q, k, v, mask):
        import jax.numpy as jnp

        coarse = q.astype(jnp.float8_e4m3fn).astype(q.dtype)
        return honest(op, coarse, k, v, mask)

    return attend


@stranger(ORDINARY, "rmsprop", "any step behind the first: it is centred", "optimizers.rmsprop",
          named=("optimizer rmsprop",))  # fmt: skip
def rmsprop_is_centred(honest):
    import optax
    from dnnbench_jax import optimizers

    def rmsprop(optimizer):
        update = optax.rmsprop(
            optimizers._rate(optimizer), optimizer.decay, optimizer.epsilon, centered=True
        )
        return optimizers._prepared(optimizer, update)

    return rmsprop
