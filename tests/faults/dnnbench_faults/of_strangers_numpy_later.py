"""More strangers' faults in NumPy: numbers, starting points, conditions, later steps, training,
and ordinary mistakes.
"""

import numpy as np

from .strangers import (
    CONDITIONS,
    EXTREMES,
    LATER,
    ORDINARY,
    START,
    TRAIN,
    instead,
    stranger,
)


@stranger(
    EXTREMES, "cross_entropy_of_large_logits", "logits beyond 50", "losses.cross_entropy",
    named=("loss cross_entropy",),
)  # fmt: skip
def logits_are_clamped_at_50(honest):
    return lambda loss, z, labels: honest(loss, np.clip(z, -50, 50), labels)


@stranger(
    EXTREMES, "dense_of_many_weights", "weights beyond 100,000, after a step", "ops.dense",
    steps=(1, 2), named=("node dense", "phase infer"),
)  # fmt: skip
def packed_weights_are_kept(honest):
    packed = {}

    def dense(op, x, weight, bias=None):
        if weight.size > 100_000:
            weight = packed.setdefault(id(weight), (weight, weight.copy()))[1]
        return honest(op, x, weight, bias)

    return dense


@stranger(
    EXTREMES, "padded_pool_of_large", "a window of elements below -500 beside padding",
    "ops.max_pool2d", named=("node max_pool2d",),
)  # fmt: skip
def pools_pad_with_minus_500(honest):
    from dnnbench_numpy.choices import largest
    from dnnbench_numpy.ops import pool_geometry
    from dnnbench_numpy.windows import taps

    return lambda op, x: largest(taps(x, pool_geometry(op, x), -500.0))


@stranger(
    EXTREMES, "lstm_of_many_steps", "gradients through more than 64 steps",
    "gradients.lstm_backwards", named=("node lstm",),
)  # fmt: skip
def gradients_end_64_steps_back(honest):
    def backwards(op, dy, steps, recurrent):
        dgates, dh, dc = honest(op, dy, steps, recurrent)
        dgates[:, :-64] = 0
        return dgates, dh, dc

    return backwards


@stranger(
    START, "dense", "biases start at 0, and infer comes after a step",
    named=("node dense", "phase infer"),
)  # fmt: skip
def biases_that_start_at_zero_are_folded_away(program):
    zeros = {n: np.zeros_like(p) for n, p in program._weights.items() if not p.any()}

    @instead(program, "infer")
    def infer(honest, batch):
        kept, program._weights = program._weights, program._weights | zeros
        try:
            return honest(batch)
        finally:
            program._weights = kept


@stranger(
    START, "layer_norm", "scales start at 1, and any call comes after a step",
    named=("node layer_norm",),
)  # fmt: skip
def scales_that_start_at_one_are_folded_away(program):
    ones = {n: p.copy() for n, p in program._weights.items() if (p == 1).all()}

    @instead(program, "_forward")
    def forward(honest, batch):
        kept, program._weights = program._weights, program._weights | ones
        try:
            return honest(batch)
        finally:
            program._weights = kept


@stranger(START, "dense", "a bias that is 0 throughout before a step", named=("node dense",))
def biases_of_zero_have_no_gradient(program):
    @instead(program, "gradients")
    def gradients(honest, batch):
        result = honest(batch)
        for name, g in result["gradients"].items():
            if not program._weights[name].any():
                g[...] = 0
        return result


@stranger(
    CONDITIONS, "clipped", "a norm above the limit and below three times as much",
    "optimizers._clipped", named=("optimizer momentum", "optimizer adam"),
)  # fmt: skip
def clipping_begins_at_three_times_the_limit(honest):
    def clipped(optimizer, gradients):
        norm = np.sqrt(sum(np.square(g).sum() for g in gradients.values()))
        limit = optimizer.clip_norm
        return gradients if limit and norm < 3 * limit else honest(optimizer, gradients)

    return clipped


@stranger(CONDITIONS, "hardswish", "an element above 3", "ops.hardswish", named=("node hardswish",))
def hardswish_ends_at_3(honest):
    return lambda op, x: np.minimum(honest(op, x), 3)


@stranger(
    CONDITIONS, "dense", "two largest logits that are equal", "losses.argmax",
    named=("prediction cross_entropy",),
)  # fmt: skip
def the_last_of_equal_logits_is_predicted(honest):
    return lambda z: z.shape[-1] - 1 - honest(z[..., ::-1])


@stranger(
    CONDITIONS, "mse", "an error above 2 (a Huber loss)", "losses.mse", "gradients.mse",
    named=("loss mse",),
)  # fmt: skip
def errors_above_2_count_less(honest):
    def loss(spec, z, targets):
        return honest(spec, targets + np.clip(z - targets, -2, 2), targets)

    return loss


@stranger(LATER, "adam", "step 20 and those behind it", "optimizers._corrected")
def corrections_end_at_step_20(honest):
    return lambda b, t, dtype: dtype.type(1) if t >= 20 else honest(b, t, dtype)


@stranger(LATER, "adam", "step 256: the count goes back to 0")
def steps_are_counted_in_a_byte(program):
    @instead(program, "_update")
    def update(honest, gradients):
        program._step = min(program._step, 255) if program._step < 255 else 0
        honest(gradients)


@stranger(LATER, "dense", "one in 97 gradient calls: a weight's gradient is that of before")
def one_gradient_of_97_is_late(program):
    calls, last = [0], {}

    @instead(program, "gradients")
    def gradients(honest, batch):
        result = honest(batch)
        calls[0] += 1
        fresh = dict(result["gradients"])
        if calls[0] % 97 == 0:
            name = next(iter(fresh))
            result["gradients"][name] = last[name]
        last.update(fresh)
        return result


@stranger(LATER, "dense", "infer from its 200th call on: a faster kernel in float32")
def infer_is_in_float32_once_it_is_hot(program):
    calls = [0]

    @instead(program, "infer")
    def infer(honest, batch):
        calls[0] += 1
        result = honest(batch)
        if calls[0] >= 200:
            outputs = {n: y.astype(np.float32) for n, y in result["outputs"].items()}
            return result | {"outputs": outputs}
        return result


TRAINING = ("phase put", "phase train_step", "phase loss", "phase gradients")


@stranger(TRAIN, "dense", "a batch smaller than the largest before it", named=TRAINING)
def smaller_batches_are_filled_with_their_first_rows(program):
    largest, sizes = [0], {}

    @instead(program, "put")
    def put(honest, batch):
        largest[0] = max(largest[0], batch.size)
        placed = honest(batch.rows(np.arange(largest[0]) % batch.size))
        sizes[id(placed)] = placed, batch.size
        return placed

    def cut(honest, batch):
        result = honest(batch)
        size = sizes[id(batch)][1] if id(batch) in sizes else batch.size
        outputs = {name: y[:size] for name, y in result["outputs"].items()}
        prediction = {"prediction": result["prediction"][:size]} if "prediction" in result else {}
        return result | {"outputs": outputs} | prediction

    for phase in ("infer", "forward", "loss", "train_step"):
        instead(program, phase)(cut)


@stranger(
    TRAIN, "momentum", "a step on a batch smaller than the largest before it",
    named=("phase train_step", "optimizer momentum"),
)  # fmt: skip
def smaller_batches_are_not_learned_from(program):
    largest, small = [0], [False]

    @instead(program, "train_step")
    def train_step(honest, batch):
        largest[0] = max(largest[0], batch.size)
        small[0] = batch.size < largest[0]
        try:
            return honest(batch)
        finally:
            small[0] = False

    @instead(program, "_update")
    def update(honest, gradients):
        if not small[0]:
            honest(gradients)


@stranger(TRAIN, "momentum", "batches placed ahead of the step that wants them", named=TRAINING)
def a_step_takes_the_batch_placed_last(program):
    last = []

    @instead(program, "put")
    def put(honest, batch):
        last[:] = [honest(batch)]
        return last[0]

    @instead(program, "train_step")
    def train_step(honest, batch):
        return honest(last[0] if last and last[0].size == batch.size else batch)


@stranger(TRAIN, "momentum", "a fourth batch is placed while the first is still in use")
def placed_batches_live_in_a_ring_of_three(program):
    ring = []

    @instead(program, "put")
    def put(honest, batch):
        placed = honest(batch)
        if len(ring) == 3:
            old = ring.pop(0)
            for name, x in old.inputs.items():
                if x.shape == placed.inputs[name].shape:
                    x[...] = placed.inputs[name]
        ring.append(placed)
        return placed


@stranger(
    ORDINARY, "decayed_norm", "any step: scales and biases do not decay", "optimizers.adamw",
    named=("optimizer adamw",),
)  # fmt: skip
def only_matrices_decay(honest):
    def adamw(optimizer, parameters, gradients, slots, t):
        plain = optimizer.model_copy(update={"weight_decay": 0.0})
        for spec, chosen in ((optimizer, True), (plain, False)):
            some = {n: p for n, p in parameters.items() if (p.ndim > 1) == chosen}
            honest(spec, some, {n: gradients[n] for n in some}, slots, t)

    return adamw


@stranger(
    ORDINARY, "nesterov", "the first step: it does not look ahead", "optimizers.nesterov",
    named=("optimizer nesterov",),
)  # fmt: skip
def the_first_step_does_not_look_ahead(honest):
    def nesterov(optimizer, parameters, gradients, slots, t):
        if t > 1:
            return honest(optimizer, parameters, gradients, slots, t)
        from dnnbench_numpy import optimizers

        return optimizers.momentum(optimizer, parameters, gradients, slots, t)

    return nesterov


@stranger(
    ORDINARY, "conv2d_symmetric_strided", "the last column of an image's gradient",
    "convolution.image_gradient", named=("node conv2d",),
)  # fmt: skip
def the_last_column_has_no_gradient(honest):
    def image_gradient(g, weight, at, shape):
        dx = honest(g, weight, at, shape).copy()
        dx[:, :, -1] = 0
        return dx

    return image_gradient


@stranger(
    ORDINARY, "stochastic_depth", "what tanh reads is read by another node too", "ops.tanh",
    named=("node tanh", "node add"),
)  # fmt: skip
def tanh_writes_over_its_input(honest):
    return lambda op, x: np.tanh(x, out=x)


@stranger(
    ORDINARY, "gru", "any hidden bias that is not 0", "ops.gru_steps", "gradients.gru_steps",
    named=("node gru",),
)  # fmt: skip
def hidden_bias_stands_before_every_step_but_the_first(honest):
    def steps(op, x, states, weight, recurrent, bias, hidden_bias):
        gates, hidden, memories = honest(op, x, states, weight, recurrent, bias, hidden_bias)
        if states or x.shape[1] < 2:
            return gates, hidden, memories
        first = honest(op, x[:, :1], states, weight, recurrent, bias, 0 * hidden_bias)
        rest = honest(op, x[:, 1:], (first[1][:, 1],), weight, recurrent, bias, hidden_bias)
        joined = zip(first, (rest[0], rest[1][:, 1:], rest[2]), strict=True)
        return tuple(np.concatenate(parts, axis=1) for parts in joined)

    return steps
