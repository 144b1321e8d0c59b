"""The workload that a test's mark names, built by its backend in this process."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ..data.dataset import load
from ..errors import UsageError
from ..execution.arms import select
from ..execution.backend_info import info_of
from ..execution.batch import timing_batch
from ..plugins.catalog import find_workload
from ..plugins.discovery import load_backend
from ..protocol.arm import Arm
from ..protocol.backend import Backend, capabilities_of
from ..protocol.batch import Batch
from ..protocol.capabilities import Capabilities
from ..protocol.device import AUTO, CPU
from ..protocol.program import Program
from ..spec.phases import Phase
from ..spec.weights import initial_weights
from ..spec.workload import Workload

if TYPE_CHECKING:
    import pytest

EXAMPLE = '@pytest.mark.dnnbench("mlp_digits", backend="torch")'
OPTIONS = ("backend", "batch_size")
SEED = 0


@dataclass(frozen=True)
class Marked:
    """What a mark asks for: a workload and the arm that computes it."""

    workload: Workload
    arm: Arm


@dataclass(frozen=True)
class MarkedProgram:
    """The program, the batch that dnnbench times it on, and the phases that the arm offers."""

    workload: Workload
    arm: Arm
    program: Program
    batch: Batch
    capabilities: Capabilities

    def require(self, phase: Phase) -> None:
        """UsageError, with the backend's reason, where the arm does not offer the phase."""
        if reason := self.capabilities.missing.get(phase):
            raise UsageError(f"{self.arm.name} {self.workload.name}: no {phase}: {reason}")


def read_mark(mark: "pytest.Mark") -> Marked:
    """What the mark means; UsageError, PluginError or SpecError where it cannot be meant."""
    if len(mark.args) != 1 or not isinstance(mark.args[0], str):
        raise UsageError(
            f"the mark dnnbench got {len(mark.args)} arguments without a name, expected one, a "
            f"workload's name, as {EXAMPLE}"
        )
    _refuse_strange(mark.kwargs)
    workload = find_workload(mark.args[0])
    if "batch_size" in mark.kwargs:
        workload = replace_batch(workload, mark.kwargs["batch_size"])
    return Marked(workload, _arm(str(mark.kwargs["backend"])))


def _refuse_strange(options: Mapping[str, Any]) -> None:
    if strange := sorted(set(options) - set(OPTIONS)):
        raise UsageError(
            f"the mark dnnbench has no option {', '.join(strange)}; it takes {', '.join(OPTIONS)}, "
            f"as {EXAMPLE}; dtype, threads and device stand in the backend's brackets, "
            "as torch[dtype=bfloat16,threads=2]"
        )
    if not isinstance(options.get("backend"), str):
        raise UsageError(f"the mark dnnbench names no backend; add one, as {EXAMPLE}")


def replace_batch(workload: Workload, size: object) -> Workload:
    """The workload at another batch size; UsageError for what is no size."""
    if isinstance(size, bool) or not isinstance(size, int) or size < 1:
        raise UsageError(f"the mark dnnbench got batch_size={size!r}, expected a number from 1 on")
    return workload.model_copy(update={"batch_size": size})


def _arm(text: str) -> Arm:
    arms = select([text]).arms
    if len(arms) != 1:
        names = ", ".join(arm.name for arm in arms)
        raise UsageError(f"the mark dnnbench takes one arm; backend={text!r} names {names}")
    (arm,) = arms
    if arm.environment:
        raise UsageError(
            f"the mark dnnbench measures in the process of pytest; backend={text!r} names another "
            "interpreter: start pytest with that one"
        )
    return replace(arm, device=CPU if arm.device == AUTO else arm.device)


class Backends:
    """Backends of this process, each configured once for its arm."""

    def __init__(self) -> None:
        self._configured: dict[Arm, Backend] = {}

    def build(self, marked: Marked) -> MarkedProgram:
        """The program with its initial weights.  UsageError where the arm offers no phase."""
        workload, arm = marked.workload, marked.arm
        backend = self._backend(arm)
        capabilities = capabilities_of(backend, workload, arm)
        if reason := capabilities.refusal:
            raise UsageError(f"{arm.name} {workload.name}: {reason}")
        batch = timing_batch(load(workload), workload.batch_size, SEED)
        program = backend.build(workload, initial_weights(workload.model, SEED), arm, SEED)
        return MarkedProgram(workload, arm, program, batch, capabilities)

    def _backend(self, arm: Arm) -> Backend:
        if arm not in self._configured:
            backend = load_backend(info_of(arm).target)
            backend.configure(arm)
            self._configured[arm] = backend
        return self._configured[arm]
