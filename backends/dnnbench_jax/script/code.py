"""The functions of a script of JAX, from a cell."""

from dnnbench.scripts import text
from dnnbench.scripts.network_code import NetworkCode
from dnnbench.scripts.walk import Dialect
from dnnbench.scripts.wrapping import broken, line

from . import losses, ops, optimizers, plain

START = '''def start():
    """A call changes nothing."""'''
WAIT = """def wait(result):
    jax.block_until_ready(result)"""


class Code:
    """What is written of one cell: pure functions of dictionaries, which JAX differentiates."""

    def __init__(self, request, files):
        self._request, self._jits = request, request.arm.mode != "eager"
        places = {node.name: i for i, node in enumerate(request.workload.model.nodes)}
        self._network = NetworkCode(
            request,
            Dialect(plain if request.arm.mode == "plain" else ops),
            losses,
            files,
            frees=not self._jits,
            generator=lambda node: f"jax.random.fold_in(key, {places[node.name]})",
        )
        self._optimizer = request.workload.task.optimizer

    def text(self):
        """Everything but the loop."""
        jitted = self._jits and self._network.phase == "infer"
        arguments = self._network.arguments("key")
        function = self._function(arguments, jitted)
        phase = self._phase(arguments)
        return "\n\n\n".join([self._top(), function, *phase, *self._ends(), self._answers()])

    def _function(self, arguments, jitted):
        """The network; what is differentiated gives the value first."""
        network = self._network
        if network.phase == "infer":
            return network.function(arguments, "@jax.jit" if jitted else "")
        shapes = text.shapes_of(network.model, network.body, lambda type: type.shape)
        groups = ", ".join(f'"{name}": {code}' for name, code in network.groups())
        value = "loss" if network.scores else text.outputs_of(network.model, network.body)
        if not network.scores:
            groups = '"state": state' if network.model.state else ""
        lines = [*network.lines(), line(f"return {value}, {{{groups}}}")]
        return text.function(network.name, arguments, shapes, lines)

    def _top(self):
        network, x64 = self._network, self._request.arm.dtype == "float64"
        rows = [f'jax.config.update("jax_enable_x64", {x64})']
        rows += ['jax.config.update("jax_default_matmul_precision", "highest")']
        pairs = [("w", 'group("weights/")')]
        pairs += [("state", 'group("state/")')] if network.model.state else []
        if network.draws:
            pairs += [("key", f"jax.random.key({self._request.seed})")]
        pairs += [
            (name, f'jnp.array(ARRAYS["inputs/{source}"])') for name, source in network.inputs
        ]
        pairs += [("targets", 'jnp.array(ARRAYS["targets"])')] if network.scores else []
        rows += [text.assignments(pairs)]
        if network.steps:
            rows += [
                broken(f"optimizer = {getattr(optimizers, self._optimizer.kind)(self._optimizer)}")
            ]
            rows += ["slots = optimizer.init(w)", f"FIRST = copied({self._carried()})"]
        return "\n".join(rows)

    def _carried(self):
        """What a step hands on to the next."""
        state = ["state"] if self._network.model.state else []
        key = ["key"] if self._network.draws else []
        return f"({', '.join(['w', 'slots', *state, *key])})"

    def _phase(self, arguments):
        """The function that is called."""
        network = self._network
        passed = ", ".join(arguments)
        now = [line("key = jax.random.split(key)[1]")] if network.draws else []
        above = "@jax.jit" if self._jits else ""
        match network.phase:
            case "infer":
                return []
            case "forward" | "loss":
                return [self._recorded(arguments, now, above)]
            case "gradients":
                rows = [
                    *now,
                    line(f"gradients, result = jax.grad(loss_of, has_aux=True)({passed})"),
                    line('return result | {"gradients": gradients}'),
                ]
                return [text.function("gradients", arguments, "", rows, above)]
        return [self._step(arguments)]

    def _recorded(self, arguments, now, above):
        """Forward pass that keeps what backpropagation would read."""
        network = self._network
        rest = ", ".join(arguments[1:])
        rows = [
            *now,
            *([""] if now else []),
            line("def values(w):"),
            line(f"return {network.name}(w, {rest})\n", depth=2),
            line("value, backward, result = jax.vjp(values, w, has_aux=True)"),
        ]
        kept = "record(backward, w, " + ", ".join(network.body.arguments) + ")"
        outputs = "" if network.scores else '"outputs": value, '
        rows += [line(f'return result | {{{outputs}"record": {kept}}}')]
        return text.function(f"{network.phase}_and_record", arguments, "", rows, above)

    def _step(self, arguments):
        network = self._network
        summary = (
            "Forward pass, loss, backpropagation, update; gives what the next step starts from."
        )
        taken = ["w", "slots", *arguments[1:]]
        passed = ", ".join(network.arguments("now"))
        rows = [line("key, now = jax.random.split(key)")] if network.draws else []
        rows += [
            line(f"gradients, result = jax.grad(loss_of, has_aux=True)({passed})"),
            line("changes, slots = optimizer.update(gradients, slots, w)"),
            line("w = optax.apply_updates(w, changes)"),
        ]
        rows += [line('state = result.pop("state")')] if network.model.state else []
        rows += [line(f"return {self._carried()}, result")]
        count = self._carried().count(",") + 1
        donated = "(0, 1)" if count == 2 else str(tuple(range(count)))
        above = f"@partial(jax.jit, donate_argnums={donated})" if self._jits else ""
        return text.function("train_step", taken, summary, rows, above)

    def _ends(self):
        network = self._network
        arguments = ", ".join(network.arguments("key"))
        if not network.steps:
            name = (
                network.phase
                if network.phase in ("infer", "gradients")
                else f"{network.phase}_and_record"
            )
            summary = f"One call of {network.phase}."
            called = text.function("call", (), summary, [line(f"return {name}({arguments})")])
            return [START, called, WAIT]
        return [self._start(), self._call_step(), self._wait_step()]

    def _start(self):
        names = self._carried().strip("()")
        rows = [line(f"global {names}"), line(f"{names} = copied(FIRST)")]
        return text.function("start", (), "Back to the first weights, before every visit.", rows)

    def _call_step(self):
        names = self._carried().strip("()")
        arguments = ", ".join(["w", "slots", *self._network.arguments("key")[1:]])
        rows = [
            line(f"global {names}"),
            line(f"({names}), result = train_step({arguments})"),
            line("return result"),
        ]
        return text.function("call", (), "One call of train_step.", rows)

    def _wait_step(self):
        rows = [line(f"jax.block_until_ready((result, {self._carried()}))")]
        if self._jits:
            rows = [line("jax.block_until_ready(result)")]
        return text.function("wait", ["result"], "", rows)

    def _answers(self):
        network = self._network
        kept = ' | {"weights": w, "state": state}' if network.model.state else ' | {"weights": w}'
        rows = [line(f"return flat(result{kept if network.steps else ''})")]
        if network.phase in ("forward", "loss"):
            rows = [line('result.pop("record")'), *rows]
        return text.function("answers", ["result"], "Arrays by name.", rows)
