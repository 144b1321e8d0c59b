"""Workers whose backends are made faulty, as `dnnbench check` asks them."""

import sys
from pathlib import Path

from dnnbench.agreement.conditions import meeting
from dnnbench.agreement.losses import LossReference, compare_losses
from dnnbench.execution.checking import reference_path
from dnnbench.execution.explain import explain_check, reference_arm
from dnnbench.execution.first_epoch import ANOTHER_ORDER
from dnnbench.execution.pool import spawn, start_request, started
from dnnbench.protocol.arm import Arm
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.clients.agreement import AgreementClient
from dnnbench.worker.clients.arm import ArmClient
from dnnbench.worker.clients.training import TrainingClient
from dnnbench.worker.services.agreement import CheckRequest
from dnnbench.worker.services.training import FirstEpochRequest, TrainingRequest

HERE = Path(__file__).parents[1] / "faults"
sys.path.insert(0, str(HERE))

from dnnbench_faults import cases, of_strangers_cases  # noqa: E402

BUILDERS = {**CASES, **cases.CASES, **of_strangers_cases.CASES}


def request_of(case, dtype, steps=(1, 5), timed_rows=0):
    """As `dnnbench check` makes one: the second step has an example less."""
    workload = BUILDERS[case]()
    first, second, *others = batches_of(workload)
    batches = (meeting(workload, first), second.rows(slice(1, None)), *others)
    timed = batches_of(workload, 1, timed_rows)[0] if timed_rows else None
    return CheckRequest(
        workload, batches, steps, seed=0, phases=tuple(Phase), timed=timed
    ).in_dtype(dtype)


def epoch_of(case, mode="", turned=False):
    """Batches of eight, the last one of six, and the first one once more."""
    workload = BUILDERS[case]()
    [examples] = batches_of(workload, 1, 190)
    weights = initial_weights(workload.model, 0)
    training = TrainingRequest(workload, weights, examples, 8, seed=0)
    return FirstEpochRequest(training, (*range(24), 0), mode, turned)


class FaultyWorkers:
    """Long-lived workers: the honest reference, and one of each faulty backend,
    which each `start` gives another fault.
    """

    def __init__(self, stack):
        self._stack, self._workers = stack, {}

    def _worker(self, backend, dtype):
        """JAX sets float64 for a whole process."""
        key = backend, dtype if backend == "jax" else ""
        if key not in self._workers:
            arm = Arm(f"faulty_{backend}", "honest", dtype=dtype)
            self._workers[key] = self._stack.enter_context(spawn(arm, f"faulty-{backend}"))
        return self._workers[key]

    def _reference(self):
        if "reference" not in self._workers:
            self._workers["reference"] = self._stack.enter_context(
                started(reference_arm(), "faults-reference")
            )
        return self._workers["reference"]

    def make_reference(self, request, path):
        """Write what a check's results are held against."""
        AgreementClient(self._reference()).make_reference(request, path)

    def check(self, backend, mode, case, dtype, steps=(1, 5), timed_rows=0):
        """Rows of a check, by the requests that `dnnbench check` makes."""
        worker = self._worker(backend, dtype)
        request = request_of(case, dtype, steps, timed_rows)
        path = reference_path(request)
        if not path.exists():
            self.make_reference(request, path)
        self._plant = start_request(Arm(f"faulty_{backend}", mode, dtype=dtype))
        ArmClient(worker).start(self._plant)
        return AgreementClient(worker).check(request, path)

    def first_epoch(self, backend, mode, case):
        """What the losses of a first epoch come to, as `dnnbench train` asks for them."""
        honest = TrainingClient(self._reference())
        plain = honest.first_losses(epoch_of(case))
        turned = honest.first_losses(epoch_of(case, mode=ANOTHER_ORDER, turned=True))
        worker = self._worker(backend, "float64")
        ArmClient(worker).start(start_request(Arm(f"faulty_{backend}", mode, dtype="float64")))
        losses = TrainingClient(worker).first_losses(epoch_of(case))
        return compare_losses(LossReference.of(plain, turned), losses)

    def explain(self, backend, case, dtype, rows):
        """Of the last check, with its fault planted anew: `dnnbench check` asks a fresh process."""
        worker = self._worker(backend, dtype)
        ArmClient(worker).start(self._plant)
        return explain_check(worker, self._reference(), request_of(case, dtype), dtype, rows)
