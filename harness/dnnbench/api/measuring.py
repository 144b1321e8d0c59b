"""From a request to a recorded run: what the command line and a call from Python both do."""

from dataclasses import dataclass, field

from ..execution.execute import Execution, Outcome
from ..execution.keeping import aside_folders
from ..execution.reporter import Reporter
from ..execution.request import Origin, Request, make_plan, open_run
from ..execution.run_cells import measured_anything, refuse_nothing
from ..execution.settings import STORE
from ..execution.stored_settings import run_settings
from ..host.lock import machine_lock
from ..store.aside import take_in
from ..store.patience import LIMIT_S, Patience
from ..store.store import Store, open_store
from .recorded import Run, read_run


@dataclass(frozen=True)
class Keeping:
    """Where a run is kept, where it comes from, and whether another dnnbench is waited for."""

    store: str = STORE
    origin: Origin = field(default_factory=Origin)
    wait: bool = False

    @property
    def wait_s(self) -> float:
        """As the machine's lock takes it."""
        return -1.0 if self.wait else 0.0


@dataclass(frozen=True)
class Measurement:
    """A run and how this sitting of it ended.

    `run` is None where it was interrupted before any time was taken.
    """

    outcome: Outcome
    run: Run | None

    @property
    def failed(self) -> bool:
        """Whether a cell failed, or an arm is not known to compute what the reference does."""
        return bool(self.outcome.failed or self.outcome.unproven)


def measure(request: Request, keeping: Keeping, report: Reporter) -> Measurement:
    """Plan, check and time, into a run of its own.  NothingMeasured if not one cell got a time."""
    plan, datasets = make_plan(request, report)
    patience = Patience(LIMIT_S, report.note)
    with (
        machine_lock(wait_s=keeping.wait_s),
        open_store(keeping.store, patience=patience) as store,
    ):
        run_id = open_run(store, request, plan, keeping.origin)
        outcome = Execution(plan, datasets, store, run_id, report).run()
    return _concluded(outcome, keeping.store, patience)


def go_on(name: str, keeping: Keeping, report: Reporter) -> Measurement:
    """Go on with an interrupted run, by its id, its label or `latest`.

    What its store did not take is taken in.
    """
    patience = Patience(LIMIT_S, report.note)
    # The lock comes first: a run that it refuses leaves no store behind.
    with (
        machine_lock(wait_s=keeping.wait_s),
        open_store(keeping.store, create=False, patience=patience) as store,
    ):
        run_id = store.find_run(name)
        _take_in(store, run_id, report)
        request = Request.from_json(store.runs(run_id)["settings"].iloc[0])
        plan, datasets = make_plan(request, report)
        store.resume_run(run_id)
        outcome = Execution(plan, datasets, store, run_id, report).run()
    return _concluded(outcome, keeping.store, patience)


def _take_in(store: Store, run_id: str, report: Reporter) -> None:
    """What the store did not take when it was measured."""
    for number in take_in(store, run_id, aside_folders(store)):
        report.note(f"generation {number + 1}, which had been put aside, is in the store now")


def _concluded(outcome: Outcome, target: str, patience: Patience) -> Measurement:
    """The run as its store has it now."""

    def anything() -> bool:
        with open_store(target, create=False, patience=patience) as store:
            if outcome.interrupted:
                return measured_anything(store, outcome.run_id)
            settings = run_settings(store.runs(outcome.run_id)["settings"].iloc[0])
            refuse_nothing(outcome.run_id, store, list(settings.skipped.values()))
            return True

    run = read_run(target, outcome.run_id, patience) if patience.outlast(anything) else None
    return Measurement(outcome, run)
