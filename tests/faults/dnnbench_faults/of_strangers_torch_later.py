"""More strangers' faults in PyTorch: numbers, starting points, conditions, later steps, training,
narrow types and ordinary mistakes.
"""

from .strangers import (
    BUILT,
    CONDITIONS,
    EXTREMES,
    LATER,
    NARROW,
    ORDINARY,
    START,
    TRAIN,
    instead,
    stranger,
)


@stranger(EXTREMES, "gelu_of_some_size", "an element above 3 or below -3", "ops.gelu",
          named=("node gelu",))  # fmt: skip
def gelu_is_x_or_0_beyond_3(honest):
    import torch

    def gelu(op, x):
        return torch.where(x > 3, x, torch.where(x < -3, 0 * x, honest(op, x)))

    return gelu


@stranger(EXTREMES, "layer_norm_far_from_zero", "a mean far above the deviation", "ops.layer_norm",
          named=("node layer_norm",))  # fmt: skip
def the_variance_is_of_float32(honest):
    def layer_norm(op, x, scale, bias):
        narrow = x.float()
        variance = (narrow * narrow).mean(-1, True) - narrow.mean(-1, True) ** 2
        inverse = (variance.clamp(min=0).to(x.dtype) + op.epsilon).rsqrt()
        return (x - x.mean(-1, True)) * inverse * scale + bias

    return layer_norm


@stranger(START, "layer_norm", "scales start at 1, and a step comes before",
          named=("node layer_norm", "phase train_step"))  # fmt: skip
def scales_that_start_at_one_never_move(program):
    ones = [n for n, p in program._weights.items() if (p == 1).all()]

    @instead(program, "_update")
    def update(honest, gradients):
        import torch

        for n in ones:
            gradients[n] = torch.zeros_like(gradients[n])
        honest(gradients)


@stranger(CONDITIONS, "sgd_on_a_schedule", "a step behind the schedule's end: the rate rises again",
          named=("optimizer sgd",))  # fmt: skip
def rates_rise_again_behind_the_end(program):
    from math import cos, pi

    from dnnbench.spec.optimizers import WarmupCosine

    class Rising(WarmupCosine):
        def factor(self, t):
            share = (t - self.warmup) / (self.steps - self.warmup)
            falling = self.floor + (1 - self.floor) * (1 + cos(pi * share)) / 2
            return falling if t > self.steps else super().factor(t)

    task = program._workload.task
    plan = Rising(**task.optimizer.schedule.model_dump())
    optimizer = task.optimizer.model_copy(update={"schedule": plan})
    task = task.model_copy(update={"optimizer": optimizer})
    program._workload = program._workload.model_copy(update={"task": task})


@stranger(CONDITIONS, "bce_with_logits", "a logit that is exactly 0", "losses.positive",
          named=("prediction bce_with_logits",))  # fmt: skip
def zero_is_positive(honest):
    return lambda z: (z >= 0).long()


@stranger(CONDITIONS, "lstm", "a cell beyond 0.5", "ops.lstm", named=("node lstm",))
def hidden_states_end_at_a_half(honest):
    def lstm(op, x, *state, **parameters):
        return honest(op, x, *state, **parameters).clamp(-0.5, 0.5)

    return lstm


@stranger(LATER, "momentum", "a second program in the process: it begins with the first's velocity",
          named=("optimizer momentum", "phase build"))  # fmt: skip
def programs_share_their_velocity(program):
    BUILT["programs_share_their_velocity"] += 1
    if BUILT["programs_share_their_velocity"] > 1:
        for slot in program._slots():
            slot.add_(0.01)


@stranger(LATER, "dense", "training calls from the 40th on: one in ten is of the batch before")
def a_tenth_of_late_steps_see_an_old_batch(program):
    steps, last = [0], []

    @instead(program, "gradients")
    def gradients(honest, batch):
        steps[0] += 1
        old = steps[0] > 40 and steps[0] % 10 == 0 and last and last[0].size == batch.size
        result = honest(last[0] if old else batch)
        last[:] = [batch]
        return result


@stranger(TRAIN, "momentum", "a step on fewer rows than the first one: its share of the mean",
          named=("phase train_step", "phase gradients", "optimizer momentum"))  # fmt: skip
def smaller_batches_weigh_less(program):
    largest = [0]

    @instead(program, "gradients")
    def gradients(honest, batch):
        largest[0] = max(largest[0], batch.size)
        result = honest(batch)
        share = batch.size / largest[0]
        result["gradients"] = {n: g * share for n, g in result["gradients"].items()}
        return result


@stranger(TRAIN, "momentum", "a batch that was learned from before is left out, as seen",
          named=("phase train_step", "optimizer momentum"))  # fmt: skip
def a_second_epoch_is_left_out(program):
    seen = set()

    @instead(program, "train_step")
    def train_step(honest, batch):
        key = tuple(x.numpy().tobytes() for x in batch.inputs.values())
        if key in seen:
            result = program.loss(batch)
            return {"outputs": result["outputs"], "loss": result["loss"]}
        seen.add(key)
        return honest(batch)


@stranger(NARROW, "sgd", "mixed_bfloat16: changes below 1 in 256",
          dtype="mixed_bfloat16", named=("optimizer sgd",))  # fmt: skip
def weights_are_kept_in_bfloat16(program):
    @instead(program, "_update")
    def update(honest, gradients):
        import torch

        honest(gradients)
        with torch.no_grad():
            for p in program._weights.values():
                p.copy_(p.bfloat16())


@stranger(NARROW, "dense", "mixed_float16: gradients all below 6e-5", dtype="mixed_float16",
          named=("phase gradients", "node dense"))  # fmt: skip
def small_gradients_of_float16_are_0(program):
    @instead(program, "_backpropagate")
    def backpropagate(honest, loss, leaves):
        return [g * (g.abs() > 6e-5) for g in honest(loss, leaves)]


@stranger(NARROW, "layer_norm", "bfloat16: rows of hundreds (8 in this case)", "ops.layer_norm",
          dtype="bfloat16", named=("node layer_norm",))  # fmt: skip
def statistics_are_in_bfloat16(honest):
    def layer_norm(op, x, scale, bias):
        narrow = x.bfloat16()
        centred = narrow - narrow.mean(-1, True)
        variance = (centred * centred).mean(-1, True)
        return centred * (variance + op.epsilon).rsqrt() * scale + bias

    return layer_norm


@stranger(ORDINARY, "adamw", "any step: the decay is of what Adam has moved",
          named=("optimizer adamw",))  # fmt: skip
def decay_comes_after_the_step(program):
    @instead(program, "_update")
    def update(honest, gradients):
        import torch

        spec = program._workload.task.optimizer
        share = 1 - spec.rate(program._steps + 1) * spec.weight_decay
        kept = {n: p.detach().clone() for n, p in program._weights.items()}
        honest(gradients)
        with torch.no_grad():
            for n, p in program._weights.items():
                change = p - kept[n] * share
                p.copy_((kept[n] + change) * share)


@stranger(ORDINARY, "group_norm", "any image: epsilon is added twice", "ops.group_norm",
          named=("node group_norm",))  # fmt: skip
def epsilon_is_added_twice(honest):
    def group_norm(op, x, scale, bias):
        return honest(op.model_copy(update={"epsilon": 2 * op.epsilon}), x, scale, bias)

    return group_norm
