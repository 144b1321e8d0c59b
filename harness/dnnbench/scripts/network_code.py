"""The function of a script that holds the network, alike in all frameworks but for the ops."""

from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

from ..spec.model import Node
from ..spec.phases import Phase
from . import text
from .cutting import defined_in
from .values import Value
from .walk import Dialect, written
from .wrapping import line
from .writer import ScriptRequest

TAKEN = (
    "w", "state", "targets", "key", "now", "loss", "result", "slots", "steps", "rate",
    "optimizer", "update", "generator", "masks", "gradients", "counter", "changing", "tape",
    "value", "values", "backward", "name", "new", "more", "g", "CALLS", "THREADS", "ARRAYS",
    "FIRST", "FIRST_STATE", "inputs", "outputs", "path", "session", "binding", "infer",
    "forward", "loss_of", "gradients_of", "train_step", "start", "call", "wait", "answers",
    "main", "warm_up", "seconds_a_call", "os", "Path", "np",
)  # fmt: skip
"""Names of a script's own, which no value of a network may have."""
SCORING = (Phase.LOSS, Phase.GRADIENTS, Phase.TRAIN_STEP)


class NetworkCode:
    """A cell's network as a function of (w, state, inputs, targets), each where it is read.

    It returns groups by name, as `Program.get` names them: outputs, then prediction, or state and
    loss. In training it works on a copy of `state`, whose new statistics it returns.

    files: whose functions the script may hold, so that no value takes their names.
    """

    def __init__(
        self,
        request: ScriptRequest,
        dialect: Dialect,
        losses: ModuleType,
        files: Sequence[Path],
        *,
        frees: bool = False,
        chains: bool = True,
        generator: Callable[[Node], Any] = lambda node: None,
    ) -> None:
        self.model, self.task = request.workload.model, request.workload.task
        self.phase, self._dialect, self._losses = request.phase, dialect, losses
        self.trains = self.phase != Phase.INFER
        self.scores = self.phase in SCORING
        self.steps = self.phase == Phase.TRAIN_STEP
        self.draws = self.trains and any(node.op.random for node in self.model.nodes)
        self.body = written(
            self.model,
            dialect,
            trains=self.trains,
            frees=frees and not self.trains,
            chains=chains,
            generator=generator,
            taken={*TAKEN, *defined_in(files)},
        )

    @property
    def name(self) -> str:
        """Of the function: gradients and steps begin with the loss."""
        return "loss_of" if self.scores else str(self.phase)

    @property
    def inputs(self) -> list[tuple[str, str]]:
        """(the script's name of an input, the network's)"""
        sources = [source.name for source in self.model.inputs]
        return list(zip(self.body.arguments, sources, strict=True))

    @property
    def first(self) -> Value:
        """The output that loss and prediction read."""
        return self.body.values[self.model.outputs[0]]

    def arguments(self, key: str = "") -> list[str]:
        """Of the function.  key: the name of a generator's, which only networks that draw take."""
        state = ["state"] if self.model.state else []
        drawn = [key] if key and self.draws else []
        targets = ["targets"] if self.scores else []
        return ["w", *state, *drawn, *self.body.arguments, *targets]

    def groups(self) -> list[tuple[str, str]]:
        """What the function returns, by name."""
        groups = [("outputs", text.outputs_of(self.model, self.body))]
        if not self.trains:
            predict = getattr(self._losses, self.task.loss.prediction)
            return [*groups, ("prediction", predict(self.first))]
        groups += [("state", "state")] if self.model.state else []
        return groups + ([("loss", "loss")] if self.scores else [])

    def lines(self) -> list[str]:
        """Everything before it returns."""
        copied = [line("state = dict(state)")] if self.trains and self.model.state else []
        return [*copied, *self.body.lines, *self._loss()]

    def _loss(self) -> list[str]:
        if not self.scores:
            return []
        score = getattr(self._losses, self.task.loss.kind)
        return [line(f"loss = {score(self.task.loss, self.first, 'targets')}")]

    def function(self, arguments: Sequence[str], above: str = "") -> str:
        """The function as text.  above: a decorator."""
        shapes = text.shapes_of(self.model, self.body, self._dialect.shape)
        lines = [*self.lines(), text.returned(self.groups())]
        return text.function(self.name, arguments, shapes, lines, above)
