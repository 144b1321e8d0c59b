"""A search for a divergence in this process, on the NumPy backend."""

import pytest
from dnnbench.agreement.check import check
from dnnbench.agreement.nodes import compare_nodes
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.repeats import find_repeats
from dnnbench.agreement.replay import Replay
from dnnbench.agreement.starting import start_weights
from dnnbench.agreement.traces import find_traces
from dnnbench.diagnosis.explain import explain
from dnnbench.diagnosis.replayer import ReplayResult
from dnnbench.spec.phases import PHASES
from dnnbench.testing.cases.batches import batches_of
from helpers.faulty import BUILDERS
from helpers.replaying import STEPS, builder, reference_of, values_of


class InProcess:
    """A replayer in this process: the fault stands only while the contender computes."""

    def __init__(self, plant, dtype="float64"):
        self._plant, self.dtype, self.replayed = plant, dtype, []

    def compare(self, replay):
        self.replayed.append(replay)
        reference = reference_of(replay, self.dtype)
        with pytest.MonkeyPatch.context() as patch:
            self._plant(patch)
            seen = values_of(replay, self.dtype)
        comparisons = compare_nodes(reference, seen, replay.workload, self.dtype)
        wrong = {c.key: seen[c.key] for c in comparisons if not c.ok}
        return ReplayResult(comparisons, wrong, reference)

    def compare_network(self, replay):
        result = self.compare(replay)
        return result.comparisons, result.reference.tensors

    def reference_values(self, replay):
        return values_of(replay)

    def reference_in(self, replay, dtype):
        return reference_of(replay, dtype)

    def find_traces(self):
        return self._asked(find_traces)

    def find_repeats(self):
        return self._asked(find_repeats)

    def _asked(self, search):
        start = start_weights(self._workload.model, 0)
        replay = Replay(self._workload, tuple(self._batches), (), start)
        with pytest.MonkeyPatch.context() as patch:
            self._plant(patch)
            return search(builder(replay, self.dtype), self._workload, self._batches, PHASES)

    def rows(self, workload, batches):
        """What the check says of the contender."""
        self._workload, self._batches = workload, batches
        plain = Replay(workload, tuple(batches))
        reference = make_reference(
            lambda m, kind: builder(plain, kind, m), workload, batches, STEPS, self.dtype
        )
        with pytest.MonkeyPatch.context() as patch:
            self._plant(patch)
            return check(
                builder(plain, self.dtype), workload, self.dtype, reference, batches, STEPS
            )


def explained(case, plant, dtype="float64"):
    workload, replayer = BUILDERS[case](), InProcess(plant, dtype)
    batches = batches_of(workload)
    return explain(workload, batches, replayer.rows(workload, batches), 0, replayer), replayer
