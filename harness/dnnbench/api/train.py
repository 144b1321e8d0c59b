"""dnnbench.train: train to the target on every backend, and see that they learn alike."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..data.dataset import Dataset
from ..errors import Interrupted, StoreError, UsageError
from ..execution import spelling
from ..execution.plan import Plan
from ..execution.reporter import Noting, Reporter
from ..execution.request import Origin, Request, make_plan, open_run
from ..execution.settings import STORE, Settings
from ..execution.training import TrainingResult
from ..execution.training import train as train_arms
from ..execution.weights_file import save_weights
from ..plugins.catalog import workloads_of
from ..report.outcomes.train import training_sections
from ..report.section import Section
from ..spec.workload import Workload
from ..store.patience import LIMIT_S, Patience
from ..store.store import open_store
from .call import call_text
from .measuring import Keeping
from .options import (
    DEVICES,
    DTYPES,
    Networks,
    Texts,
    Threads,
    devices,
    element_types,
    networks,
    texts,
    thread_counts,
    whole,
)
from .progress import progress_reporter
from .run import run_label
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd


@dataclass(repr=False)
class Training(Shown):
    """How each arm learned each workload, in the order in which they did."""

    results: list[tuple[Workload, list[TrainingResult]]] = field(default_factory=list)
    run_id: str | None = None
    """By which the store knows it; None where nothing was learned."""

    @property
    def epochs(self) -> "pd.DataFrame":
        """A row an epoch: mean loss, seconds of its steps alone, figures on the test set."""
        import pandas as pd

        rows = [
            {"workload": result.workload, "arm": result.arm, "dtype": result.dtype} | row
            for result in self.every_result
            for row in result_epochs(result)
        ]
        return pd.DataFrame(rows)

    @property
    def arms(self) -> "pd.DataFrame":
        """A row an arm and workload: whether it reached the target, seconds of training steps, why
        it failed, why it does not train.
        """
        import pandas as pd

        return pd.DataFrame([_summary(result) for result in self.every_result])

    @property
    def weights(self) -> dict[tuple[str, str], Mapping[str, np.ndarray]]:
        """Trained weights by (workload, arm) and name."""
        return {(one.workload, one.arm): one.weights for one in self.every_result if one.weights}

    @property
    def missed(self) -> list[TrainingResult]:
        """Results that failed, took other steps than the reference, or did not reach the target
        of their workload.

        An arm that does not train is among them only where no arm of the workload does.
        """
        return [
            result
            for workload, results in self.results
            for result in _supported(results) or results
            if result.failure
            or result.unsupported
            or result.differs
            or (workload.task.target is not None and not result.reached)
        ]

    @property
    def every_result(self) -> list[TrainingResult]:
        """Of each workload and arm."""
        return [result for _, results in self.results for result in results]

    def sections(self) -> Sequence[Section]:
        """Who reached the target; curves of each workload."""
        return training_sections(self.results)


def _supported(results: Sequence[TrainingResult]) -> list[TrainingResult]:
    """Of the arms that offer to train."""
    return [result for result in results if not result.unsupported]


def result_epochs(result: TrainingResult) -> list[dict[str, object]]:
    """Its epochs as plain data."""
    return [epoch.to_json() for epoch in result.epochs]


def _summary(result: TrainingResult) -> dict[str, object]:
    return {
        "workload": result.workload,
        "arm": result.arm,
        "dtype": result.dtype,
        "epochs": len(result.epochs),
        "reached": result.reached,
        "seconds": result.seconds,
        "build_s": result.build_s,
        "first_call_s": result.first_call_s,
        "failure": result.failure,
        "unsupported": result.unsupported,
        "first_epoch": result.first_epoch.status if result.first_epoch else None,
    }


def train(
    workloads: Networks = (),
    *,
    backend: Texts = "all",
    device: Texts = DEVICES,
    dtype: Texts = DTYPES,
    threads: Threads = None,
    seed: int = Settings.seed,
    data: str | Path = "",
    epochs: int | None = None,
    save: str | Path | None = None,
    label: str | None = None,
    store: str | Path = STORE,
    progress: bool = True,
) -> Training:
    """Train until each workload's target on the test set, or its limit of epochs.

    Every arm starts from the same weights and sees the same examples in the same order.  The
    options are those of `dnnbench train --help`.  An arm that fails or misses the target raises
    nothing: see `Training.missed`.  Raises UsageError; Interrupted at Ctrl-C, whose `result` is the
    Training of the workloads that were finished, which the store has, too.  A StoreError at the end
    has the Training as its `result`: a store that refuses takes nothing with it.
    """
    keeping = Keeping(str(store), Origin((call_text(train, locals()),), run_label(label)))
    request = train_request(
        workloads,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        seed=seed,
        data=data,
        epochs=epochs,
        save=save,
    )
    training = Training()
    with progress_reporter(progress) as report:
        try:
            plan, datasets = make_plan(request, report)
            with recording_what_fails(training, request, plan, keeping, report):
                learn(training, request, plan, datasets, report, save)
            record(training, request, plan, keeping, report)
        except KeyboardInterrupt as error:
            raise Interrupted("what was learned is kept", training) from error
        except StoreError as error:
            error.result = training
            raise
    return training


def train_request(
    workloads: Networks,
    *,
    backend: Texts,
    device: Texts,
    dtype: Texts,
    threads: Threads,
    seed: int,
    data: str | Path,
    epochs: int | None,
    save: str | Path | None,
) -> Request:
    """The request that the options of `train` make; UsageError for a network that nobody trains."""
    chosen = workloads_of(networks(workloads))
    for workload in chosen:
        if workload.inference_only:
            raise UsageError(
                f"'{workload.name}' is a form for inference, which nobody trains; leave it out"
            )
    if epochs is not None:
        most = whole("epochs", epochs, 1, spelling.MOST_EPOCHS)
        chosen = tuple(_limited_to(workload, most) for workload in chosen)
    if save and len(chosen) != 1:
        raise UsageError("--save keeps the weights of one workload; name that one")
    settings = Settings(
        phases=(),
        dtypes=element_types(dtype),
        threads=thread_counts(threads),
        devices=devices(device),
        seed=whole("seed", seed, 0, spelling.LARGEST_SEED),
    )
    return Request(chosen, texts("backend", backend), settings, data=str(data))


def _limited_to(workload: Workload, epochs: int) -> Workload:
    task = workload.task.model_copy(update={"epochs": epochs})
    return workload.model_copy(update={"task": task})


def learn(
    training: Training,
    request: Request,
    plan: Plan,
    datasets: Mapping[str, Dataset],
    report: Reporter,
    save: str | Path | None = None,
) -> None:
    """Train every workload into `training`, and save the weights of the one workload where `save`
    says so.
    """
    for workload in request.workloads:
        dataset = datasets[workload.name]
        results = train_arms(workload, dataset, plan.arms, request.settings.seed, report)
        training.results.append((workload, results))
        if save:
            _save(save, workload, results, report)


@contextmanager
def recording_what_fails(
    training: Training, request: Request, plan: Plan, keeping: Keeping, report: Reporter
) -> Iterator[None]:
    """Put what was learned into the store where the work ends early, by Ctrl-C too."""
    try:
        yield
    except BaseException:
        record(training, request, plan, keeping, report)
        raise


def _save(
    path: str | Path, workload: Workload, results: Sequence[TrainingResult], report: Reporter
) -> None:
    """Keep the weights of the first arm that learned."""
    learned = [result for result in results if result.weights]
    if not learned:
        return
    first, last = learned[0], learned[0].epochs[-1]
    facts = {
        "arm": first.arm,
        "dtype": first.dtype,
        "epochs": str(last.number),
        "test_loss": f"{last.test.test_loss:.6f}",
    }
    if last.test.accuracy is not None:
        facts["accuracy"] = f"{last.test.accuracy:.6f}"
    save_weights(Path(path), workload, first.weights, facts)
    report.note(f"the weights of {first.arm} are in {path}")


def record(
    training: Training, request: Request, plan: Plan, keeping: Keeping, report: Noting
) -> None:
    """Put whatever was learned into the store, as a run of its own."""
    results = training.every_result
    if not any(result.epochs for result in results):
        return
    patience = Patience(LIMIT_S, report.note)
    with patience.outlast(lambda: open_store(keeping.store, patience=patience)) as store:
        run_id = open_run(store, request, plan, keeping.origin)
        named = [(result, result_epochs(result)) for result in results]
        store.add_epochs(run_id, [_row(result, epoch) for result, es in named for epoch in es])
        complete = len(training.results) == len(request.workloads)
        store.finish_run(run_id, "complete" if complete else "interrupted")
    training.run_id = run_id


def _row(result: TrainingResult, epoch: Mapping[str, object]) -> dict[str, object]:
    return {"workload": result.workload, "arm": result.arm, "dtype": result.dtype, **epoch}
