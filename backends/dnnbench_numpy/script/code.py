"""The functions of a script of NumPy, from a cell."""

from dnnbench.scripts import text
from dnnbench.scripts.network_code import NetworkCode
from dnnbench.scripts.walk import Dialect
from dnnbench.scripts.wrapping import line

from . import losses, ops

ENDS = '''def start():
    """A call changes nothing."""


def wait(result):
    """NumPy has finished when a call returns."""


def answers(result):
    """Arrays by name."""
    return flat(result)'''


class Code:
    """What is written of one cell: functions of arrays by name."""

    def __init__(self, request):
        self._network = NetworkCode(request, Dialect(ops), losses, frees=True)

    def text(self):
        """Everything but the loop."""
        network = self._network
        function = network.function(network.arguments())
        return "\n\n\n".join([self._top(), function, self._call(), ENDS])

    def _top(self):
        network = self._network
        pairs = [("w", 'group("weights/")')]
        pairs += [("state", 'group("state/")')] if network.model.state else []
        pairs += [(name, f'ARRAYS["inputs/{source}"]') for name, source in network.inputs]
        return text.assignments(pairs)

    def _call(self):
        network = self._network
        rows = [line(f"return {network.name}({', '.join(network.arguments())})")]
        return text.function("call", (), f"One call of {network.phase}.", rows)
