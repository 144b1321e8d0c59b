"""Backpropagation written out: the chain rule, node by node from the last."""

from collections import Counter
from enum import Enum

from dnnbench.scripts.values import Value, parameter
from dnnbench.scripts.wrapping import line

from . import gradients

PASSING = "g"
"""A gradient that the next lines read and no later ones do."""


class Of(Enum):
    """What a gradient is of."""

    TENSOR = "dL/d of a node's value, an input's or a constant's"
    PARAMETER = "dL/dp, which stays"


class Backwards:
    """The lines behind a network's forward pass and its loss; all values are still there."""

    def __init__(self, network):
        self._model, self._loss = network.model, network.task.loss
        self._values = network.body.values
        self._taken = {value.text for value in self._values.values()}
        self._sums, self._lines = {}, []
        self._order = self._reached()
        self._readers = Counter(name for node in self._order for name in node.inputs)

    def lines(self):
        """From dL/dlogits to `gradients`, an array by parameter."""
        logits = self._model.outputs[0]
        self._lines = [line("gradients = {}")]
        first = getattr(gradients, self._loss.kind)(self._loss, self._values[logits], "targets")
        self._add(Of.TENSOR, logits, first, after=logits)
        following = [*(node.name for node in self._order[1:]), ""]
        for node, after in zip(self._order, following, strict=True):
            self._through(node, after)
        for constant in self._model.constants:
            if flowing := self._sums.get((Of.TENSOR, constant.name)):
                self._add(Of.PARAMETER, constant.name, flowing, after="")
        return self._lines

    def _reached(self):
        """Nodes that a gradient flows to, the last first."""
        reached, nodes = {self._model.outputs[0]}, []
        for node in reversed(self._model.nodes):
            if node.name in reached & self._model.learned:
                reached |= set(node.inputs)
                nodes.append(node)
        return nodes

    def _through(self, node, after):
        """Carry dL/d of a node's value to its inputs and parameters."""
        value = self._values[node.name]
        g = Value(self._sums.pop((Of.TENSOR, node.name)), value.type)
        names, _ = self._model.roles(node)
        inputs = [self._values[name] for name in node.inputs]
        own = {role: parameter(self._model, name) for role, name in names.items()}
        own |= {"mask": f'masks["{node.name}"]'} if node.op.random else {}
        backward = getattr(gradients, node.op.kind)(node.op, g, value, *inputs, **own)
        of_inputs = zip(node.inputs, backward.inputs, strict=False)  # ids and masks have none
        shares = [(Of.PARAMETER, names[role], code) for role, code in backward.learned.items()]
        tensors = [(Of.TENSOR, name, code) for name, code in of_inputs]
        if backward.together:
            roles = {role: names[role] for role in backward.learned}
            self._add_together(tensors, roles, backward.together, after)
            return
        tensors = [share for share in tensors if share[1] in self._model.learned]
        # What takes g's own name comes last: the others read g.
        tensors.sort(key=lambda share: self._new_name(*share[:2], after) == PASSING)
        for share in [*shares, *tensors]:
            self._add(*share, after)

    def _add(self, of, name, code, after):
        """A share of a sum, or its first."""
        if held := self._sums.get((of, name)):
            self._lines += _sum(held, code)
            return
        target = self._sums[of, name] = self._new_name(of, name, after)
        if target != code:
            self._lines.append(line(f"{target} = {code}"))

    def _add_together(self, tensors, roles, code, after):
        """All that one function gives; what is kept elsewhere has a name of its own first."""
        targets, later = [], []
        for of, name, _ in tensors:
            if name not in self._model.learned:
                targets.append("_")
            elif (of, name) in self._sums:
                targets.append(f"more_{len(later)}")
                later.append((of, name, targets[-1]))
            else:
                self._sums[of, name] = self._new_name(of, name, after)
                targets.append(self._sums[of, name])
        for role, name in roles.items():
            targets.append(f"of_{role}")
            later.append((Of.PARAMETER, name, targets[-1]))
        self._lines.append(line(f"{', '.join(targets)} = {code}"))
        for share in later:
            self._add(*share, after)

    def _new_name(self, of, name, after):
        """`g` where the node that is next gets its gradient from here alone."""
        if of is Of.PARAMETER:
            return f'gradients["{name}"]'
        if name == after and self._readers[name] <= 1:
            return PASSING
        plain = f"d_{name.replace('.', '_')}"
        return f"{plain}_" if plain in self._taken else plain


def _sum(held, code):
    """Lines that add a share to what is held."""
    whole = f"{held} = {held} + {code}"
    if len(line(whole).splitlines()) == 1:
        return [line(whole)]
    return [line(f"more = {code}"), line(f"{held} = {held} + more")]
