"""dnnbench: the same network, every framework, one number you can trust.

    >>> import dnnbench
    >>> run = dnnbench.run(["mlp_digits"], backend="torch,jax")  # doctest: +SKIP
    >>> run.cells  # doctest: +SKIP

`docs/python.md` shows every function; each is imported on first use, so that this import costs
nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

if TYPE_CHECKING:
    from .api.check import check
    from .api.compare import compare
    from .api.export_model import export_model
    from .api.gate import gate
    from .api.history import history
    from .api.listing import backends, devices, workloads
    from .api.load import load
    from .api.predict import predict
    from .api.reproduce import reproduce
    from .api.run import run
    from .api.sides import side_by_side
    from .api.train import train
    from .spec.builder import Builder
    from .spec.workload import Workload

_HOMES = {
    "Builder": "spec.builder",
    "Workload": "spec.workload",
    "backends": "api.listing",
    "check": "api.check",
    "compare": "api.compare",
    "devices": "api.listing",
    "export_model": "api.export_model",
    "gate": "api.gate",
    "history": "api.history",
    "load": "api.load",
    "predict": "api.predict",
    "reproduce": "api.reproduce",
    "run": "api.run",
    "side_by_side": "api.sides",
    "train": "api.train",
    "workloads": "api.listing",
}
"""The module of every public name.

No module directly below this one may bear one of these names.
"""

__all__ = [
    "Builder",
    "Workload",
    "__version__",
    "backends",
    "check",
    "compare",
    "devices",
    "export_model",
    "gate",
    "history",
    "load",
    "predict",
    "reproduce",
    "run",
    "side_by_side",
    "train",
    "workloads",
]

if not TYPE_CHECKING:

    def __getattr__(name):
        if name not in _HOMES:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
        globals()[name] = value
        return value

    def __dir__():
        return sorted({*globals(), *_HOMES})
