"""dnnbench.run: check that all arms agree, time them, and give the figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ..errors import Interrupted, UsageError
from ..execution import spelling
from ..execution.request import Origin, Request
from ..execution.settings import MOST_SINGLE_CALLS, STORE, Settings, allocator
from ..plugins.catalog import workloads_of
from ..protocol.timing import Timing
from ..spec.phases import Phase
from ..store.find import LATEST
from ..wording import shortened
from ..worker.environment import MEMORY_SETTINGS
from .call import call_text, changed
from .measuring import Keeping, Measurement, go_on, measure
from .options import (
    DEVICES,
    DTYPES,
    Networks,
    Number,
    Texts,
    Threads,
    devices,
    element_types,
    networks,
    read,
    texts,
    thread_counts,
    whole,
)
from .progress import progress_reporter
from .recorded import Run

ALL = "all"
BESIDE_RESUME = ("resume", "store", "wait", "progress")
"""Arguments that a resumed run heeds."""


def run(
    workloads: Networks = (),
    *,
    backend: Texts = ALL,
    device: Texts = DEVICES,
    dtype: Texts = DTYPES,
    threads: Threads = None,
    seed: int = Settings.seed,
    data: str | Path = "",
    batch_size: int | str | list[int] | None = None,
    phase: Texts = ALL,
    base: str = "",
    precision: Number = Settings.precision,
    max_time: Number = Settings.max_time_s,
    generations: int | str | None = Settings.generations,
    quick: bool = False,
    memory: str | None = None,
    timing: str = Settings.timing,
    cold_start: bool = Settings.cold_start,
    weights: str | Path = "",
    allow_unequal: bool = Settings.allow_unequal,
    check: bool = Settings.check,
    twin: bool = Settings.twin,
    single_calls: int = Settings.single_calls,
    profile: bool = Settings.profile,
    figures: bool = Settings.figures,
    label: str | None = None,
    resume: str | None = None,
    wait: bool = False,
    store: str | Path = STORE,
    progress: bool = True,
) -> Run:
    """Check that all arms compute the same thing, then time training and inference.

    workloads: names, files (`net.toml`, `net.py:make_net`), Workloads, Models, or functions that
    make one; without any, the plugins' small ones.  The options are those of `dnnbench run --help`,
    with its defaults; lists are lists or texts with commas, times seconds or texts as `2m`, shares
    numbers or texts as `5%`.  resume: goes on with an interrupted run instead, and takes no option
    of measuring.  progress: whether a terminal or a notebook shows how far it is.

    Raises UsageError for options that cannot be meant, NothingMeasured if no cell got a time,
    another DnnbenchError as `errors` says; Interrupted at Ctrl-C, whose `result` is the Run as far
    as it came.
    """
    options = locals()
    keeping = Keeping(str(store), Origin((call_text(run, options),), run_label(label)), wait)
    if resume is not None:
        _refuse_beside_resume(options)
        with progress_reporter(progress) as report:
            return finished(go_on(resume, keeping, report))
    request = run_request(
        workloads,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        seed=seed,
        data=data,
        batch_size=batch_size,
        phase=phase,
        base=base,
        precision=precision,
        max_time=max_time,
        generations=generations,
        quick=quick,
        memory=memory,
        timing=timing,
        cold_start=cold_start,
        weights=weights,
        allow_unequal=allow_unequal,
        check=check,
        twin=twin,
        single_calls=single_calls,
        profile=profile,
        figures=figures,
    )
    with progress_reporter(progress) as report:
        return finished(measure(request, keeping, report))


def run_request(
    workloads: Networks,
    *,
    backend: Texts,
    device: Texts,
    dtype: Texts,
    threads: Threads,
    seed: int,
    data: str | Path,
    batch_size: int | str | list[int] | None,
    phase: Texts,
    base: str,
    precision: Number,
    max_time: Number,
    generations: int | str | None,
    quick: bool,
    memory: str | None,
    timing: str,
    cold_start: bool,
    weights: str | Path,
    allow_unequal: bool,
    check: bool,
    twin: bool,
    single_calls: int,
    profile: bool,
    figures: bool,
) -> Request:
    """The request that the options of `run` make."""
    settings = Settings(
        phases=read("phase", phase, lambda text: spelling.words(text, tuple(Phase))),
        dtypes=element_types(dtype),
        threads=thread_counts(threads),
        devices=devices(device),
        precision=read("precision", precision, spelling.share),
        max_time_s=read("max_time", max_time, spelling.seconds),
        generations=read("generations", generations, lambda text: spelling.generations(text, 1)),
        seed=whole("seed", seed, 0, spelling.LARGEST_SEED),
        memory=allocator() if memory is None else read("memory", memory, _allocator),
        timing=read("timing", timing, lambda text: spelling.word(text, tuple(Timing))),
        cold_start=cold_start,
        allow_unequal=allow_unequal,
        check=check,
        twin=twin,
        single_calls=whole("single_calls", single_calls, 0, MOST_SINGLE_CALLS),
        profile=profile,
        figures=figures,
    )
    return Request(
        workloads_of(networks(workloads)),
        texts("backend", backend),
        settings.quick() if quick else settings,
        batch_sizes(batch_size),
        base,
        str(weights),
        str(data),
    )


def _allocator(text: str) -> str:
    if text not in MEMORY_SETTINGS:
        raise ValueError(f"got '{shortened(text)}', expected one of {', '.join(MEMORY_SETTINGS)}")
    return text


def batch_sizes(value: int | str | list[int] | None) -> tuple[int, ...]:
    """Of an option `batch_size`; empty for each workload's own."""
    return () if value in (None, (), []) else read("batch_size", value, spelling.sizes)


def run_label(label: str | None) -> str | None:
    """The name of a run; UsageError for `latest`, and for one that cannot be printed."""
    return None if label is None else read("label", label, lambda t: spelling.label(t, (LATEST,)))


def _refuse_beside_resume(options: Mapping[str, Any]) -> None:
    """A run goes on as it was begun: what else is asked for would be ignored."""
    others = [name for name in changed(run, options) if name not in BESIDE_RESUME]
    if others:
        names = ", ".join(others)
        raise UsageError(f"resume goes on as the run was begun, and takes no {names}; leave it out")


def finished(measurement: Measurement) -> Run:
    """The run; Interrupted, with the run as far as it came, if Ctrl-C ended it."""
    run_id = measurement.outcome.run_id
    if measurement.outcome.interrupted or measurement.run is None:
        kept = "what was measured is kept" if measurement.run else "nothing was measured yet"
        message = f"{kept}; `resume={run_id!r}` goes on"
        raise Interrupted(message, measurement.run)
    return measurement.run
