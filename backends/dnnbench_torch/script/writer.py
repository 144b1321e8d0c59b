"""A cell of PyTorch as a script."""

from pathlib import Path

from dnnbench.scripts import schedule
from dnnbench.scripts.arrays import arrays_of
from dnnbench.scripts.writer import ScriptParts, ScriptWriter

from . import layouts
from .code import Code

FILES = (Path(__file__).with_name("parts.py"), Path(schedule.__file__))


class TorchScript(ScriptWriter):
    """Functions of torch.nn.functional on weights by name; autograd and torch.optim train them."""

    title = "PyTorch"
    generator = "PyTorch's default generator (torch.manual_seed)"

    def refusal(self, request):
        return layouts.refusal(request.workload.model)

    def parts(self, request):
        laid = layouts.laid_by(request.workload.model)
        arrays = arrays_of(request, label="int64", weight=laid, tensor=layouts.of_images)
        return ScriptParts(Code(request, FILES).text(), FILES, arrays)

    def canonical(self, request, answers):
        return layouts.canonical(request.workload.model, answers)
