"""Strangers' faults in PyTorch, by the gaps of the proof: from the timed branch to restoring."""

from .strangers import (
    BRANCH,
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
THINNED = ("node stochastic_depth", *DROPOUT[1:])


@stranger(
    BRANCH, "stochastic_depth", "a batch without masks: its rows fall out together",
    "ops.stochastic_depth", named=THINNED,
)  # fmt: skip
def one_coin_for_the_whole_batch(honest):
    import torch.nn.functional as F

    def stochastic_depth(op, x, mask, generator):
        if mask is not None:
            return honest(op, x, mask, generator)
        return x * F.dropout(x.new_ones((1,) * x.ndim), op.rate)

    return stochastic_depth


@stranger(BRANCH, "dropout", "every third step without masks has those of the second",
          named=DROPOUT)  # fmt: skip
def every_third_mask_is_an_old_one(program):
    taken, before = [0], [None]

    @instead(program, "train_step")
    def train_step(honest, batch):
        taken[0] += 1
        if taken[0] % 3 == 0:
            program._generator_state = before[0]
        before[0] = program._generator_state
        return honest(batch)


@stranger(
    BRANCH, "dropout", "a batch without masks: 3 % fewer are kept than the rate says",
    "ops.dropout", named=DROPOUT,
)  # fmt: skip
def fewer_are_kept_than_the_rate_says(honest):
    import torch.nn.functional as F

    def dropout(op, x, mask, generator):
        if mask is not None:
            return honest(op, x, mask, generator)
        rate = 1 - 0.97 * (1 - op.rate)
        return F.dropout(x, rate) * 0.97

    return dropout


@stranger(
    TIMED, "batch_norm", "more than 16 rows: statistics over each 16 of them", timed_rows=64,
    named=("node batch_norm", "phase loss", "phase gradients", "phase forward"),
)  # fmt: skip
def statistics_are_over_16_rows(program):
    import torch

    def in_parts(honest, batch):
        if batch.size <= 16:
            return honest(batch)
        parts = [batch.rows(slice(i, i + 16)) for i in range(0, batch.size, 16)]
        results = [honest(part) for part in parts]
        whole = dict(results[-1])
        whole["outputs"] = {
            n: torch.cat([r["outputs"][n] for r in results]) for n in whole["outputs"]
        }
        for group in ("gradients", "state"):
            if group in whole:
                whole[group] = {n: sum(r[group][n] for r in results) / len(results)
                                for n in whole[group]}  # fmt: skip
        if "loss" in whole:
            whole["loss"] = sum(r["loss"] for r in results) / len(results)
        return whole

    for phase in ("forward", "loss", "gradients"):
        instead(program, phase)(in_parts)


@stranger(TIMED, "dense", "more than 32 rows: predictions of the others", timed_rows=64,
          named=("phase infer", "prediction cross_entropy"))  # fmt: skip
def predictions_beyond_32_rows_are_0(program):
    @instead(program, "infer")
    def infer(honest, batch):
        result = honest(batch)
        late = result["prediction"].clone()
        late[32:] = 0
        return result | {"prediction": late}


@stranger(TIMED, "conv2d_same", "more than 48 rows: gradients are of the first 48",
          timed_rows=64, named=("phase gradients",))  # fmt: skip
def gradients_are_of_48_rows_at_most(program):
    @instead(program, "gradients")
    def gradients(honest, batch):
        result = honest(batch)
        if batch.size > 48:
            result["gradients"] = honest(batch.rows(slice(48)))["gradients"]
        return result


@stranger(
    PUBLISHED, "dense_of_many_weights", "weights of more than 512 rows, in the second step",
    steps=(1, 2), named=("optimizer momentum", "phase train_step"),
)  # fmt: skip
def rows_beyond_512_learn_once(program):
    steps = [0]

    @instead(program, "_update")
    def update(honest, gradients):
        import torch

        kept = {n: p.detach().clone() for n, p in program._weights.items()}
        honest(gradients)
        steps[0] += 1
        with torch.no_grad():
            for n, p in program._weights.items():
                if steps[0] > 1 and p.ndim == 2:
                    p[:, 512:] = kept[n][:, 512:]


@stranger(RETURNED, "two_outputs", "a second step: its second output", named=("phase train_step",))
def the_second_output_is_the_first_step_s(program):
    first = []

    @instead(program, "train_step")
    def train_step(honest, batch):
        result = honest(batch)
        first.append(result["outputs"])
        name, old = list(first[0].items())[-1]
        fits = old.shape == result["outputs"][name].shape
        return result | {"outputs": result["outputs"] | ({name: old} if fits else {})}


@stranger(RETURNED, "sgd_with_decay", "the loss that any step gives: with the decay's share",
          named=("phase train_step",))  # fmt: skip
def returned_loss_holds_the_weight_decay(program):
    @instead(program, "train_step")
    def train_step(honest, batch):
        decay = program._workload.task.optimizer.weight_decay
        share = 0.5 * decay * sum((p.detach() ** 2).sum() for p in program._weights.values())
        result = honest(batch)
        return result | {"loss": result["loss"].detach() + share}


@stranger(PIECES, "nesterov", "the second call of update_alone: foreach adds to its gradients",
          "optimizers.nesterov", named=("phase update_alone",))  # fmt: skip
def momentum_is_added_into_the_gradients(honest):
    from dnnbench_torch import optimizers

    def nesterov(optimizer, parameters, compiled):
        import torch

        constants = {"momentum": optimizer.momentum, "nesterov": True, "foreach": True}
        return optimizers._made(torch.optim.SGD, optimizer, parameters, compiled, **constants)

    return nesterov


@stranger(PIECES, "dense", "loss_alone after a step: it is of the outputs then",
          named=("phase loss_alone",))  # fmt: skip
def loss_alone_runs_the_network_again(program):
    @instead(program, "pieces")
    def pieces(honest, batch):
        return {**honest(batch), "loss_alone": lambda: {"loss": program.loss(batch)["loss"]}}


@stranger(MEMORY, "momentum", "`load` of other weights, before any step, on a placed batch",
          named=("phase infer", "phase load"))  # fmt: skip
def answers_are_kept_by_batch_and_step(program):
    kept = {}

    @instead(program, "infer")
    def infer(honest, batch):
        key = id(batch), program._steps
        if key not in kept:
            kept[key] = honest(batch), batch
        return kept[key][0]


@stranger(MEMORY, "dense", "two batches whose first rows are equal", named=("phase put",))
def batches_are_kept_by_their_first_row(program):
    kept = {}

    @instead(program, "put")
    def put(honest, batch):
        first = tuple(x[:1].tobytes() for x in batch.inputs.values())
        key = first, batch.size, tuple(batch.masks)
        return kept.setdefault(key, honest(batch))


@stranger(RESTORE, "dropout", "the step after restore, without masks", named=("phase restore",))
def restore_leaves_the_generator(program):
    @instead(program, "restore")
    def restore(honest, snapshot):
        state = program._generator_state
        honest(snapshot)
        program._generator_state = state


@stranger(RESTORE, "adam", "restore of a snapshot behind the first step: Adam's own count",
          named=("phase restore", "optimizer adam"))  # fmt: skip
def restore_makes_adam_count_anew(program):
    @instead(program, "restore")
    def restore(honest, snapshot):
        honest(snapshot)
        for slots in program._optimizer.state.values():
            slots["step"].zero_()


@stranger(RESTORE, "batch_norm", "`load` after a step: the statistics", named=("phase load",))
def load_leaves_the_statistics(program):
    @instead(program, "load")
    def load(honest, weights):
        kept = {n: t.clone() for n, t in program._state.items()}
        honest(weights)
        for n, t in program._state.items():
            t.copy_(kept[n])
