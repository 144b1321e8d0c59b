"""What a planted fault is, and the backends that it is planted in."""

from typing import NamedTuple

BACKENDS = {"numpy": "eager", "torch": "eager", "tensorflow": "eager", "jax": "eager"}
"""The mode in which each is made faulty: the quick one."""


class Fault(NamedTuple):
    """A wrong `mechanism` in `target`, a kind of op, a loss, an optimizer or a phase,
    of one backend.

    case: of `dnnbench.testing.cases`, or of `dnnbench_faults.cases`
    float32: whether the fault exceeds noise there
    known: words of the convention that must be named, empty where none is known
    what: as `Explanation.what`
    part: the op, loss or optimizer that must be named, where it is not the target The fault itself
    is the function called `mode` in `in_<backend>.py`, or the mechanism's in `anywhere.py`.
    """

    backend: str
    target: str
    mechanism: str
    case: str
    known: str
    float32: bool = True
    what: str = "node"
    part: str = ""

    @property
    def named(self) -> str:
        return self.part or self.target

    @property
    def mechanism_name(self) -> str:
        return "".join(c if c.isalnum() else "_" for c in self.mechanism.lower())

    @property
    def mode(self) -> str:
        """Its name on the command line."""
        return f"{self.target}_{self.mechanism_name}"


LOSS, OPTIMIZER, PHASE = {"what": "loss"}, {"what": "optimizer"}, {"what": "phase"}
