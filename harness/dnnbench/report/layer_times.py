"""Time by node of a network, as frameworks' own profilers saw it (`dnnbench run --profile`)."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..execution.facts import ProfileFacts
from ..execution.measured import Measured
from ..execution.profiling import PROFILES
from ..protocol.keys import CaseKey
from ..spec.phases import PURPOSES, Phase


@dataclass(frozen=True)
class Looked:
    """One cell that was looked into."""

    case: CaseKey
    phase: Phase
    arm: str
    backend: str
    run_id: str
    facts: ProfileFacts

    @property
    def nodes_s(self) -> dict[str, float]:
        """Seconds a call of each node, its gradients included; the longest first."""
        sums = dict(self.facts.forward_s)
        for node, seconds in self.facts.backward_s.items():
            sums[node] = sums.get(node, 0.0) + seconds
        return dict(sorted(sums.items(), key=lambda item: -item[1]))

    def share(self, node: str) -> float | None:
        """Of the time that all nodes take together; None where there is none."""
        whole = sum(self.nodes_s.values())
        return self.nodes_s.get(node, 0.0) / whole if whole else None

    @property
    def outside(self) -> float | None:
        """Share of a call that no node has: the loss, the update, and the framework itself."""
        if not self.facts.call_s or not self.nodes_s:
            return None
        return max(1 - sum(self.nodes_s.values()) / self.facts.call_s, 0.0)

    @property
    def file(self) -> str:
        """Of the trace, from the folder of the store; empty where there is none."""
        return f"{PROFILES}/{self.run_id}/{self.facts.trace}" if self.facts.trace else ""


def looked_into(run: Measured) -> list[Looked]:
    """Training before inference; empty for a run without `--profile`."""
    cells = [(cell, run.first_facts.cell(cell.key).profile) for cell in run.cells]
    looked = [
        Looked(cell.case, cell.phase, cell.arm, cell.backend, run.run.run_id, facts)
        for cell, facts in cells
        if facts is not None
    ]
    order = list(PURPOSES)
    return sorted(looked, key=lambda one: order.index(one.phase))


def of_case(looked: Sequence[Looked], case: CaseKey, phase: Phase) -> list[Looked]:
    """Those of one case and phase that have a time by node."""
    return [one for one in looked if (one.case, one.phase) == (case, phase) and one.nodes_s]
