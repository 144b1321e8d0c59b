"""A workload out of what a user has in Python: a Workload, a Model,
or a function that makes one.
"""

from collections.abc import Callable

from pydantic import ValidationError

from ..errors import SpecError
from ..spec.data import Synthetic
from ..spec.model import GraphError, Model
from ..spec.workload import Task, Workload
from .guard import glimpse

Network = Workload | Model | Callable[[], "Workload | Model"]
WANTED = "a Workload, a Model, or a function without arguments that makes one"


def as_workload(value: object, where: str) -> Workload:
    """The workload that `value` is or makes; a Model gets the default task, on synthetic data.

    where: names the value in errors.  SpecError for another value, and for a Model that has no
    such task; what a function raises passes.
    """
    if not isinstance(value, Workload | Model) and callable(value):
        value = value()
    if isinstance(value, Workload):
        return value
    if isinstance(value, Model):
        return _with_task(value, where)
    raise SpecError(f"{where}: got {glimpse(value)}, expected {WANTED}")


def _with_task(model: Model, where: str) -> Workload:
    try:
        return Workload(name=model.name, model=model, task=Task(data=Synthetic()))
    except ValidationError as error:
        raise SpecError(f"{where}: {why(error)}; give a Workload with a task of its own") from None


def why(error: ValueError) -> str:
    """What a builder, or the network that it makes, says against itself, in one sentence."""
    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors()[0]
    cause = first.get("ctx", {}).get("error")
    if isinstance(cause, GraphError):
        return cause.problems[0][1]
    where = ".".join(map(str, first["loc"]))
    return f"it makes a {error.title.lower()} of {where} {glimpse(first['input'])}: {first['msg']}"
