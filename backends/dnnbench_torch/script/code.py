"""The functions of a script of PyTorch, from a cell."""

from dnnbench.scripts import text
from dnnbench.scripts.network_code import NetworkCode
from dnnbench.scripts.walk import Dialect
from dnnbench.scripts.wrapping import broken, line

from . import layouts, losses, ops, optimizers

WAIT = '''def wait(result):
    """On the CPU PyTorch has finished when a call returns."""'''


class Code:
    """What is written of one cell: functions of tensors by name, whose autograd trains them."""

    def __init__(self, request, files):
        self._seed, self._compiled = request.seed, request.arm.mode == "compile"
        dialect = Dialect(ops, layouts.shape)
        self._network = NetworkCode(request, dialect, losses, files, frees=not self._compiled)
        self._optimizer = request.workload.task.optimizer
        never = self._optimizer.kind in optimizers.NEVER_COMPILED
        self._compiles_step = self._compiled and not never

    def text(self):
        """Everything but the loop."""
        optimizer = [self._making()] if self._network.steps else []
        blocks = [self._top(), self._function(), *optimizer, self._start(), self._call(), WAIT]
        return "\n\n\n".join([*blocks, self._answers()])

    def _top(self):
        """Settings of the process, and what the network reads."""
        network = self._network
        pairs = [("w", 'group("weights/")')]
        pairs += [("state", 'group("state/")')] if network.model.state else []
        pairs += [(name, f'placed(ARRAYS["inputs/{source}"])') for name, source in network.inputs]
        pairs += [("targets", 'placed(ARRAYS["targets"])')] if network.scores else []
        rows = ["torch.set_num_threads(THREADS)", "torch.set_flush_denormal(True)"]
        rows += [text.assignments(pairs)]
        rows += ["for p in w.values():", "    p.requires_grad_()"] if network.trains else []
        return "\n".join(rows)

    def _function(self):
        network = self._network
        function = network.function(network.arguments())
        if not self._compiled:
            return function
        return f"{function}\n\n\n{network.name} = torch.compile({network.name})"

    def _making(self):
        """The optimizer, and what a visit starts from."""
        made = getattr(optimizers, self._optimizer.kind)(self._optimizer, self._compiles_step)
        kept = '{"weights": w, "state": state}' if self._network.model.state else '{"weights": w}'
        rows = [broken(f"optimizer = {made}")]
        rows += ["update = torch.compile(optimizer.step)"] if self._compiles_step else []
        rows += [f"FIRST = copied({kept})"]
        return "\n".join([*rows, *(["steps = 0"] if self._optimizer.schedule else [])])

    def _changing(self):
        """Global names that a step sets anew."""
        state = ["state"] if self._network.model.state else []
        steps = ["steps"] if self._optimizer.schedule else []
        return state + steps if self._network.steps else []

    def _declared(self):
        return [line(f"global {', '.join(self._changing())}")] if self._changing() else []

    def _start(self):
        seed = [line(f"torch.manual_seed({self._seed})")] if self._network.draws else []
        if not self._network.steps:
            return text.function("start", (), "A call changes nothing but the generator.", seed)
        rows = [line("restart(w, optimizer, FIRST)")]
        rows += [line('state = copied(FIRST)["state"]')] if self._network.model.state else []
        rows += [line("steps = 0")] if self._optimizer.schedule else []
        summary = "Back to the first weights, before every visit."
        return text.function("start", (), summary, [*self._declared(), *rows, *seed])

    def _call(self):
        network = self._network
        called = f"{network.name}({', '.join(network.arguments())})"
        if network.phase == "infer":
            rows = [line("with torch.inference_mode():"), line(f"return {called}", depth=2)]
        elif network.phase == "gradients":
            rows = [
                line(f"result = {called}"),
                line('gradients = gradients_of(result["loss"], w)'),
                line('return result | {"gradients": gradients}'),
            ]
        elif network.steps:
            rows = [line(f"result = {called}"), *self._update(), line("return result")]
        else:
            rows = [line(f"return {called}")]
        summary = f"One call of {network.phase}."
        return text.function("call", (), summary, [*self._declared(), *rows])

    def _update(self):
        rows = [line('result["loss"].backward()')]
        rows += [line('state = result.pop("state")')] if self._network.model.state else []
        if plan := self._optimizer.schedule:
            constants = (self._optimizer.learning_rate, plan.warmup, plan.steps, plan.floor)
            rate = f"scheduled(steps, {', '.join(map(str, constants))})"
            rows += [line("steps += 1"), line(f"set_rate(optimizer, {rate})")]
        if self._optimizer.clip_norm:
            rows += [line(f"clip(w, {self._optimizer.clip_norm})")]
        if self._compiles_step:
            return [*rows, line("update()"), line("optimizer.zero_grad()")]
        steps = ("hand_over(w, optimizer)", "optimizer.step()", "optimizer.zero_grad()")
        return [*rows, *map(line, steps)]

    def _answers(self):
        network = self._network
        kept = ' | {"weights": w, "state": state}' if network.model.state else ' | {"weights": w}'
        result = f"flat(result{kept if network.steps else ''})"
        if not (images := self._images()):
            return text.function(
                "answers", ["result"], "Arrays by name.", [line(f"return {result}")]
            )
        names = ", ".join(f'"{name}"' for name in images)
        rows = [
            line(f"arrays = {result}"),
            line(f"for name in [{names}]:"),
            line("arrays[name] = np.moveaxis(arrays[name], 1, -1)", depth=2),
            line("return arrays"),
        ]
        summary = "Arrays by name; outputs that are images as (N, H, W, C)."
        return text.function("answers", ["result"], summary, rows)

    def _images(self):
        """Answers that lie as (N, C, H, W)."""
        network = self._network
        values = network.body.values
        images = [f"outputs/{name}" for name in network.model.outputs if values[name].ndim == 4]
        as_first = not network.trains and network.task.loss.prediction != "argmax"
        return images + (["prediction"] if as_first and network.first.ndim == 4 else [])
