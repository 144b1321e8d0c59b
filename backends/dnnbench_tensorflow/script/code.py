"""The functions of a script of TensorFlow, from a cell."""

from dnnbench.scripts import text
from dnnbench.scripts.network_code import NetworkCode
from dnnbench.scripts.walk import Dialect
from dnnbench.scripts.wrapping import line

from . import losses, ops, optimizers

DECORATORS = {
    "eager": "",
    "graph": "@tf.function(autograph=False)",
    "xla": "@tf.function(autograph=False, jit_compile=True)",
}
XLA_GROUPS = """
depthwise_conv = depthwise  # in place of XLA's own, which are plain loops on a CPU
grouped_conv = split_conv


def learns():
    return {trains}"""
START = '''def start():
    """A call changes nothing."""'''
WAIT = '''def wait(result):
    """On the CPU TensorFlow has finished when a call returns."""'''


class Code:
    """What is written of one cell: functions that read variables by name, under a GradientTape."""

    def __init__(self, request, files):
        self._seed, self._above = request.seed, DECORATORS[request.arm.mode]
        self._network = NetworkCode(
            request,
            Dialect(ops),
            losses,
            files,
            frees=request.arm.mode == "eager",
            generator=lambda node: "generator",
        )
        self._optimizer = request.workload.task.optimizer

    def text(self):
        """Everything but the loop."""
        network = self._network
        if network.phase == "infer":
            function = [network.function(network.body.arguments, self._above)]
        else:
            function = [network.function(network.arguments()), self._phase()]
        ends = [self._start(), self._call(), WAIT, self._answers()]
        return "\n\n\n".join([self._top(), *function, *ends])

    def _top(self):
        network = self._network
        rows = [
            "tf.config.threading.set_intra_op_parallelism_threads(THREADS)",
            "tf.config.threading.set_inter_op_parallelism_threads(1)",
        ]
        pairs = [("w", 'group("weights/")')]
        pairs += [("state", 'group("state/")')] if network.model.state else []
        pairs += [
            (name, f'tf.constant(ARRAYS["inputs/{source}"])') for name, source in network.inputs
        ]
        pairs += [("targets", 'tf.constant(ARRAYS["targets"])')] if network.scores else []
        if network.draws:
            pairs += [("generator", f'tf.random.Generator.from_seed({self._seed}, alg="philox")')]
        pairs += self._slots() if network.steps else []
        return "\n".join([*rows, text.assignments(pairs), *self._by_xla()])

    def _by_xla(self):
        """On a CPU XLA makes plain loops of convolutions in groups: sums of taps are faster."""
        if not self._above.endswith("jit_compile=True)"):
            return []
        apart = any(getattr(node.op, "groups", 1) > 1 for node in self._network.model.nodes)
        return XLA_GROUPS.format(trains=self._network.trains).splitlines() if apart else []

    def _slots(self):
        """What a step changes besides weights and statistics, and copies of everything."""
        slots = self._optimizer.slots
        named = ", ".join(f'"{slot}": zeros_like(w)' for slot in slots)
        pairs = [("slots", f"{{{named}}}")] if slots else []
        pairs += [("counter", "tf.Variable(0, dtype=tf.int64)")] if self._counts() else []
        held = ["*w.values()", *(["*state.values()"] if self._network.model.state else [])]
        held += [f'*slots["{slot}"].values()' for slot in slots]
        held += ["counter"] if self._counts() else []
        held += ["generator.state"] if self._network.draws else []
        return [*pairs, ("changing", f"[{', '.join(held)}]"), ("FIRST", "kept(changing)")]

    def _counts(self):
        """Whether the step depends on how many there were."""
        return bool(self._optimizer.schedule) or self._optimizer.kind in ("adam", "adamw")

    def _phase(self):
        """The function that is called: the network under a tape, and what follows."""
        network = self._network
        taken = [*network.body.arguments, *(["targets"] if network.scores else [])]
        called = f"{network.name}({', '.join(network.arguments())})"
        tape = "tape" if network.phase in ("gradients", "train_step") else ""
        rows = [
            line(f"with tf.GradientTape(){' as tape' if tape else ''}:"),
            line(f"result = {called}", depth=2),
        ]
        if tape:
            rows += [line('gradients = gradients_of(tape, result["loss"], w)')]
        if network.phase == "gradients":
            rows += [line('return result | {"gradients": gradients}')]
        else:
            rows += [*(self._update() if network.steps else []), line("return result")]
        return text.function(self._name(), taken, "", rows, self._above)

    def _name(self):
        phase = self._network.phase
        return f"{phase}_under_tape" if phase in ("forward", "loss") else str(phase)

    def _update(self):
        spec, rows = self._optimizer, []
        if self._network.model.state:
            rows += [
                line('for name, new in result.pop("state").items():'),
                line("state[name].assign(new, read_value=False)", depth=2),
            ]
        if spec.clip_norm is not None:
            rows += [line(f"gradients = clipped(gradients, {spec.clip_norm})")]
        if spec.weight_decay and spec.kind != "adamw":
            rows += [line(f"gradients = decayed(gradients, w, {spec.weight_decay})")]
        if self._counts():
            rows += [line("steps = tf.cast(counter.assign_add(1), tf.float64)")]
        if plan := spec.schedule:
            constants = (spec.learning_rate, plan.warmup, plan.steps, plan.floor)
            rows += [line(f"rate = scheduled(steps, {', '.join(map(str, constants))})")]
        return [*rows, line(getattr(optimizers, spec.kind)(spec))]

    def _start(self):
        network = self._network
        if network.steps:
            summary = "Back to the first weights, before every visit."
            return text.function("start", (), summary, [line("restore(changing, FIRST)")])
        if not network.draws:
            return START
        rows = [line(f"generator.reset_from_seed({self._seed})")]
        return text.function("start", (), "A call changes nothing but the generator.", rows)

    def _call(self):
        network = self._network
        passed = [*network.body.arguments, *(["targets"] if network.scores else [])]
        rows = [line(f"return {self._name()}({', '.join(passed)})")]
        return text.function("call", (), f"One call of {network.phase}.", rows)

    def _answers(self):
        network = self._network
        held = ' | {"weights": w, "state": state}' if network.model.state else ' | {"weights": w}'
        rows = [line(f"return flat(result{held if network.steps else ''})")]
        return text.function("answers", ["result"], "Arrays by name.", rows)
