"""The functions of a script of NumPy, from a cell."""

from dnnbench.scripts import text
from dnnbench.scripts.network_code import NetworkCode
from dnnbench.scripts.walk import Dialect
from dnnbench.scripts.wrapping import line

from . import losses, ops, optimizers
from .backwards import Backwards

WAIT = '''def wait(result):
    """NumPy has finished when a call returns."""'''


class Code:
    """What is written of one cell: functions of arrays by name, with backpropagation by hand."""

    def __init__(self, request, files):
        self._seed = request.seed
        trains = request.phase in ("gradients", "train_step")
        self._network = NetworkCode(
            request,
            Dialect(ops),
            losses,
            files,
            frees=True,
            chains=not trains,
            generator=lambda node: f'"{node.name}"',
        )
        self._backwards = Backwards(self._network).lines() if trains else []
        self._optimizer = request.workload.task.optimizer

    def text(self):
        """Everything but the loop."""
        ends = [self._start(), self._call(), WAIT, self._answers()]
        return "\n\n\n".join([self._top(), self._function(), *ends])

    def _name(self):
        return "gradients_of" if self._backwards else self._network.name

    def _function(self):
        network = self._network
        masks = [line("masks = {}")] if network.draws else []
        groups = network.groups() + ([("gradients", "gradients")] if self._backwards else [])
        if self._backwards:
            tail = [*self._backwards, line("gradients = in_order(gradients, w)")]
        else:
            tail = []
        lines = [*masks, *network.lines(), *tail, text.returned(groups)]
        shapes = text.shapes_of(network.model, network.body, lambda type: type.shape)
        return text.function(self._name(), network.arguments(), shapes, lines)

    def _top(self):
        network = self._network
        pairs = [("w", 'group("weights/")')]
        pairs += [("state", 'group("state/")')] if network.model.state else []
        pairs += [(name, f'ARRAYS["inputs/{source}"]') for name, source in network.inputs]
        pairs += [("targets", 'ARRAYS["targets"]')] if network.scores else []
        pairs += [("generator", self._generator())] if network.draws else []
        return text.assignments([*pairs, *(self._kept() if network.steps else [])])

    def _generator(self):
        return f"np.random.Generator(np.random.Philox({self._seed}))"

    def _kept(self):
        """What a visit starts from, and what a step changes besides weights and statistics."""
        kept = [("FIRST", "copied(w)")]
        kept += [("FIRST_STATE", "copied(state)")] if self._network.model.state else []
        return kept + self._slots()

    def _slots(self):
        named = ", ".join(f'"{slot}": zeros_like(w)' for slot in self._optimizer.slots)
        slots = [("slots", f"{{{named}}}")] if named else []
        return slots + ([("steps", "0")] if self._counts() else [])

    def _counts(self):
        """Whether the step depends on how many there were."""
        return bool(self._optimizer.schedule) or self._optimizer.kind in ("adam", "adamw")

    def _start(self):
        network = self._network
        pairs = [("generator", self._generator())] if network.draws else []
        if network.steps:
            pairs += [("w", "copied(FIRST)")]
            pairs += [("state", "copied(FIRST_STATE)")] if network.model.state else []
            pairs += self._slots()
        if not pairs:
            return text.function("start", (), "A call changes nothing.", [])
        names = ", ".join(name for name, _ in pairs)
        rows = [line(f"global {names}"), *(line(f"{name} = {code}") for name, code in pairs)]
        return text.function("start", (), "Back to the beginning, before every visit.", rows)

    def _call(self):
        network = self._network
        called = f"{self._name()}({', '.join(network.arguments())})"
        summary = f"One call of {network.phase}."
        if not network.steps:
            return text.function("call", (), summary, [line(f"return {called}")])
        changed = ["state"] if network.model.state else []
        changed += ["steps"] if self._counts() else []
        rows = [line(f"global {', '.join(changed)}")] if changed else []
        rows += [line(f"result = {called}")]
        rows += [line('state = result.pop("state")')] if network.model.state else []
        rows += [line('gradients = result.pop("gradients")'), *self._update()]
        return text.function("call", (), summary, [*rows, line("return result")])

    def _update(self):
        spec, rows = self._optimizer, []
        if spec.clip_norm is not None:
            rows += [line(f"gradients = clipped(gradients, {spec.clip_norm})")]
        if spec.weight_decay and spec.kind != "adamw":
            rows += [line(f"gradients = decayed(gradients, w, {spec.weight_decay})")]
        if self._counts():
            rows += [line("steps += 1")]
        if plan := spec.schedule:
            constants = (spec.learning_rate, plan.warmup, plan.steps, plan.floor)
            rows += [line(f"rate = scheduled(steps, {', '.join(map(str, constants))})")]
        return [*rows, line(getattr(optimizers, spec.kind)(spec))]

    def _answers(self):
        network = self._network
        held = ' | {"weights": w, "state": state}' if network.model.state else ' | {"weights": w}'
        rows = [line(f"return flat(result{held if network.steps else ''})")]
        return text.function("answers", ["result"], "Arrays by name.", rows)
