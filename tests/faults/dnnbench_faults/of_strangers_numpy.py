"""Strangers' faults in NumPy, by the gaps of the proof: from the timed branch to restoring."""

from copy import deepcopy

import numpy as np

from .strangers import (
    BRANCH,
    BUILT,
    LATER,
    MEMORY,
    PIECES,
    PUBLISHED,
    RESTORE,
    RETURNED,
    TIMED,
    instead,
    stranger,
)

DROPOUT = ("node dropout", "phase forward", "phase loss", "phase gradients", "phase train_step")


@stranger(BRANCH, "dropout", "a batch without masks: rows fall out together", named=DROPOUT)
def every_row_has_the_first_row_s_mask(program):
    @instead(program, "_mask")
    def mask(honest, node, batch):
        drawn = honest(node, batch)
        return drawn if node.name in batch.masks else np.repeat(drawn[:1], len(drawn), axis=0)


@stranger(BRANCH, "dropout", "the third step without masks: it has the first one's", named=DROPOUT)
def masks_come_back_after_two_steps(program):
    bits, taken = program._generator.bit_generator, [0]
    first = bits.state

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        taken[0] += 1
        if taken[0] % 2 == 0:
            bits.state = first
        return result


@stranger(BRANCH, "dropout", "a batch without masks: which elements stay together", named=DROPOUT)
def masks_are_stripes_that_start_anywhere(program):
    @instead(program, "_mask")
    def mask(honest, node, batch):
        if node.name in batch.masks:
            return honest(node, batch)
        shape = honest(node, batch).shape
        places = np.arange(np.prod(shape)).reshape(shape) + program._generator.integers(10)
        return ((places * 7) % 10 >= 10 * node.op.rate).astype(program._dtype)


@stranger(BRANCH, "dropout", "a batch without masks: one more of a hundred is kept", named=DROPOUT)
def one_of_a_hundred_dropped_is_kept(program):
    @instead(program, "_mask")
    def mask(honest, node, batch):
        drawn = honest(node, batch)
        if node.name in batch.masks:
            return drawn
        again = program._generator.random(drawn.shape) < 0.01
        return np.maximum(drawn, again.astype(drawn.dtype))


@stranger(TIMED, "dense", "67 rows: the last three", timed_rows=67, named=("phase infer",))
def rows_behind_the_last_32_repeat_it(program):
    @instead(program, "infer")
    def infer(honest, batch):
        result, whole = honest(batch), batch.size // 32 * 32
        if 0 < whole < batch.size:
            for y in result["outputs"].values():
                y[whole:] = y[whole - 1]
        return result


@stranger(
    TIMED,
    "dense",
    "an odd number of rows above 32",
    "losses.cross_entropy",
    timed_rows=37,
    named=("phase loss", "loss cross_entropy"),
)
def unequal_halves_weigh_the_same(honest):
    def loss(spec, z, labels):
        half = len(z) // 2
        if len(z) < 32:
            return honest(spec, z, labels)
        return (honest(spec, z[:half], labels[:half]) + honest(spec, z[half:], labels[half:])) / 2

    return loss


@stranger(
    TIMED, "dense", "more than 50 rows", timed_rows=64,
    named=("phase put", "phase loss", "phase gradients"),
)  # fmt: skip
def targets_of_the_last_two_rows_change_places(program):
    @instead(program, "put")
    def put(honest, batch):
        placed = honest(batch)
        if batch.size > 50:
            placed.targets[-2:] = placed.targets[-2:][::-1].copy()
        return placed


@stranger(
    PUBLISHED, "dense_of_many_weights", "weights beyond 100,000: from the second step on",
    steps=(1, 2), named=("optimizer momentum", "optimizer adam"),
)  # fmt: skip
def slots_of_large_weights_are_in_float16(program):
    @instead(program, "_update")
    def update(honest, gradients):
        honest(gradients)
        for slot in program._slots.values():
            for v in slot.values():
                if v.size > 100_000:
                    v[...] = v.astype(np.float16)


@stranger(
    PUBLISHED, "batch_norm_of_images", "the second step's running statistics", steps=(1, 2),
    named=("node batch_norm",),
)  # fmt: skip
def running_statistics_slow_down_after_a_step(program):
    taken = [0]

    @instead(program, "train_step")
    def train_step(honest, batch):
        before = program._state
        result = honest(batch)
        taken[0] += 1
        if taken[0] > 1:
            program._state = {n: (before[n] + a) / 2 for n, a in program._state.items()}
        return result


@stranger(
    PUBLISHED, "dense_of_many_weights", "weights beyond 100,000: one gradient row of 523",
    steps=(1, 2), named=("node dense", "phase gradients"),
)  # fmt: skip
def the_last_odd_row_of_large_gradients_is_left_out(program):
    @instead(program, "gradients")
    def gradients(honest, batch):
        result = honest(batch)
        for g in result["gradients"].values():
            if g.size > 100_000 and len(g) % 2:
                g[-1] = 0
        return result


@stranger(RETURNED, "dense", "the loss that the second step gives", named=("phase train_step",))
def returned_loss_is_smoothed_over_steps(program):
    last = []

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        last.append(0.5 * (result["loss"] + last[-1]) if last else result["loss"])
        return result | {"loss": last[-1]}


@stranger(
    RETURNED, "cross_entropy_smoothed", "the loss that any step gives", named=("phase train_step",)
)
def returned_loss_has_no_label_smoothing(program):
    from dnnbench_numpy import losses

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        spec = program._task.loss.model_copy(update={"smoothing": 0.0})
        z = result["outputs"][program._model.outputs[0]]
        return result | {"loss": losses.cross_entropy(spec, z, batch.targets)}


@stranger(PIECES, "dense", "any call of loss_alone", named=("phase loss_alone",))
def loss_alone_leaves_out_the_last_row(program):
    @instead(program, "pieces")
    def pieces(honest, batch):
        made, rows = honest(batch), batch.rows(slice(None, -1))
        return {**made, "loss_alone": lambda: {"loss": program.loss(rows)["loss"]}}


@stranger(PIECES, "adam", "the second call of update_alone", named=("phase update_alone",))
def update_alone_is_always_the_first_step(program):
    @instead(program, "pieces")
    def pieces(honest, batch):
        made = honest(batch)

        def update_alone():
            program._step = 0
            return made["update_alone"]()

        return {**made, "update_alone": update_alone}


@stranger(PIECES, "clipped", "the third call of update_alone", named=("phase update_alone",))
def update_alone_wears_its_gradients_out(program):
    @instead(program, "pieces")
    def pieces(honest, batch):
        stored = program.gradients(batch)["gradients"]

        def update_alone():
            program._update(stored)
            for g in stored.values():
                g *= 0.05

        return {**honest(batch), "update_alone": update_alone}


@stranger(
    MEMORY, "mse", "the caller writes to its targets after `put`", dtype="float32",
    named=("phase put",),
)  # fmt: skip
def targets_are_the_caller_s(program):
    from dataclasses import replace

    @instead(program, "put")
    def put(honest, batch):
        return replace(honest(batch), targets=batch.targets)


@stranger(MEMORY, "momentum", "what `weights` gave, after another step")
def weights_are_the_program_s_own(program):
    @instead(program, "weights")
    def weights(honest):
        return program._weights


@stranger(
    MEMORY, "momentum", "a placed batch served a second time after a training call",
    named=("phase put", "phase infer", "phase train_step", "phase gradients"),
)  # fmt: skip
def a_step_scales_the_placed_batch(program):
    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        for x in batch.inputs.values():
            x *= 0.999
        return result


@stranger(RESTORE, "adam", "a second restore of one snapshot", named=("phase restore",))
def slots_go_on_in_the_snapshot(program):
    @instead(program, "restore")
    def restore(honest, snapshot):
        honest(snapshot)
        program._slots = snapshot[2]


@stranger(RESTORE, "momentum", "weights after restore", named=("phase restore",))
def snapshots_are_in_float32(program):
    @instead(program, "snapshot")
    def snapshot(honest):
        weights, *others = honest()
        return ({n: p.astype(np.float32).astype(p.dtype) for n, p in weights.items()}, *others)


@stranger(RESTORE, "momentum", "`load` after a step: the next step", named=("phase load",))
def load_keeps_the_slots(program):
    @instead(program, "load")
    def load(honest, weights):
        kept = deepcopy(program._slots)
        honest(weights)
        program._slots = kept


@stranger(LATER, "momentum", "the second program that a process builds")
def a_second_program_has_half_the_rate(program):
    BUILT["a_second_program_has_half_the_rate"] += 1
    if BUILT["a_second_program_has_half_the_rate"] == 2:

        @instead(program, "_update")
        def update(honest, gradients):
            honest({name: g / 2 for name, g in gradients.items()})
