"""dnnbench.gate: may this candidate pass? Fails for nothing but a confirmed slowdown."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Interrupted, StoreError, UsageError
from ..execution import spelling
from ..execution.gate import refuse_pairs_of_bases, run_gate, with_base
from ..execution.gate_cells import Answer, Gate
from ..execution.gate_findings import read_gate
from ..execution.gate_policy import GatePolicy, Inconclusive, default_policy
from ..execution.reporter import Reporter
from ..execution.request import Origin, Request, make_plan
from ..execution.settings import GATE_PHASES, STORE, Settings, gate_settings
from ..host.lock import machine_lock
from ..plugins.catalog import workloads_of
from ..report.gate_words import interrupted
from ..report.outcomes.gate import gate_sections
from ..report.section import Section
from ..spec.phases import Phase
from ..stats.split import FEWEST
from ..store.patience import LIMIT_S, Patience
from ..store.store import open_store
from .call import call_text
from .gate_sides import GateSides, Installing, gate_sides
from .measuring import Keeping
from .options import (
    DEVICES,
    DTYPES,
    Networks,
    Number,
    Texts,
    Threads,
    devices,
    element_types,
    read,
    texts,
    thread_counts,
    whole,
)
from .progress import progress_reporter
from .run import batch_sizes, run_label
from .showing import Shown

if TYPE_CHECKING:
    import pandas as pd


Thresholds = Sequence[tuple[str, Number]]
"""What passes of the cells that each pattern matches: `[("cnn_*", "5%")]`."""


@dataclass(frozen=True, repr=False)
class Gated(Shown):
    """How a gate ended: its word, and a row for every cell."""

    gate: Gate
    store: str | None = None
    """Where its runs are, and perhaps earlier ones; None where no trend is wanted."""

    @property
    def answer(self) -> Answer:
        """PASS, SLOWER, REGRESSED, UNEXPLAINED, INCONCLUSIVE, DIFFERS, COULD NOT RUN,
        NOT COMPARED.
        """
        return self.gate.answer

    @property
    def passed(self) -> bool:
        """Whether every candidate was judged, and nothing speaks against any; with
        `inconclusive="pass"` also where one could not be judged.
        """
        return self.gate.passed

    @property
    def cells(self) -> "pd.DataFrame":
        """A row a cell of a candidate: ratios to the base in each stage, outcome, reason."""
        import pandas as pd

        from ..report.gate_document import document

        return pd.json_normalize(document(self.gate)["cells"], sep="_")

    @property
    def figures(self) -> "pd.DataFrame":
        """A row a figure of a cell: name, unit, base, candidate, change, reason."""
        import pandas as pd

        from ..report.gate_document import figure_documents

        return pd.DataFrame(figure_documents(self.gate))

    def sections(self) -> Sequence[Section]:
        """The answer and its reasons; all stages of every cell."""
        return gate_sections(self.gate)

    def to_markdown(self) -> str:
        """For a pull request: the outcome with its ten worst cells, and folded below it all stages
        of every cell and the trend of the cells over the store's earlier runs, as
        `dnnbench gate --markdown` writes it.
        """
        from ..report.markdown import folded_markdown

        return folded_markdown([*self.sections(), *self._trend()])

    def _trend(self) -> list[Section]:
        """Of its cells over earlier runs; none where they are too few or cannot be read."""
        from ..track.run_history import gate_trend

        if self.store is None:
            return []
        try:
            with open_store(self.store, create=False) as store:
                trend = gate_trend(store, self.gate)
        except StoreError:  # the outcome stands without it
            return []
        return [] if trend is None else [trend]


def gate(
    workloads: Networks = (),
    *,
    backend: Texts = (),
    base: str = "",
    git: str = "",
    requirements: Texts = (),
    constraints: Texts = (),
    build: str = "",
    device: Texts = DEVICES,
    dtype: Texts = DTYPES,
    threads: Threads = None,
    seed: int = Settings.seed,
    data: str | Path = "",
    batch_size: int | str | list[int] | None = None,
    phase: Texts = GATE_PHASES,
    fail_on: Number = Settings.theta,
    thresholds: Thresholds = (),
    must_see: Number | None = None,
    inconclusive: str = Inconclusive.FAIL,
    figure: Texts = (),
    fail_on_unexplained_improvement: bool = False,
    confirm_again: bool = False,
    max_time: Number = Settings.max_time_s,
    generations: int | str | None = None,
    allow_unequal: bool = Settings.allow_unequal,
    check: bool = Settings.check,
    label: str | None = None,
    wait: bool = False,
    store: str | Path = STORE,
    progress: bool = True,
) -> Gated:
    """Screen every cell, confirm what looks slower, and fail for nothing else.

    backend: the base, then one candidate or more.  git: `BASE..HEAD` or `BASE`, two revisions of
    the project in this folder, each in an environment with `requirements` (`--with` of
    the command line), by pip's `constraints`, or as the command `build` installs it.  Networks in
    files of the repository are those of either revision.  The options are those of
    `dnnbench gate --help`.
    A candidate that may not pass raises nothing: see `Gated.passed` and `Gated.answer`.  Raises
    UsageError, NothingMeasured; Interrupted at Ctrl-C, whose `result` is what came until then.
    """
    keeping = Keeping(str(store), Origin((call_text(gate, locals()),), run_label(label)), wait)
    with progress_reporter(progress) as report:
        added = Installing(requirements, constraints, build)
        sides = gate_sides(workloads, backend, base, git, added, report)
        request = gate_request(
            sides,
            base=base,
            device=device,
            dtype=dtype,
            threads=threads,
            seed=seed,
            data=data,
            batch_size=batch_size,
            phase=phase,
            fail_on=fail_on,
            thresholds=thresholds,
            must_see=must_see,
            inconclusive=inconclusive,
            figure=figure,
            fail_on_unexplained_improvement=fail_on_unexplained_improvement,
            confirm_again=confirm_again,
            max_time=max_time,
            generations=generations,
            allow_unequal=allow_unequal,
            check=check,
        )
        gated = Gated(judged(request, keeping, report)[0], keeping.store)
    if gated.gate.interrupted:
        raise Interrupted(interrupted(gated.gate), gated)
    return gated


def gate_request(
    sides: GateSides,
    *,
    base: str,
    device: Texts,
    dtype: Texts,
    threads: Threads,
    seed: int,
    data: str | Path,
    batch_size: int | str | list[int] | None,
    phase: Texts,
    fail_on: Number,
    thresholds: Thresholds,
    must_see: Number | None,
    inconclusive: str,
    figure: Texts,
    fail_on_unexplained_improvement: bool,
    confirm_again: bool,
    max_time: Number,
    generations: int | str | None,
    allow_unequal: bool,
    check: bool,
) -> Request:
    """The request that the options of `gate` make; UsageError if it leaves no candidate."""
    theta = read("fail_on", fail_on, spelling.share)
    if fail_on_unexplained_improvement and not check:
        raise UsageError(
            "--fail-on-unexplained-improvement asks for agreement with the reference; "
            "leave out --no-check"
        )
    policy = replace(
        gate_policy(theta, thresholds, must_see, inconclusive),
        figures=figure_names(figure),
        fail_on_unexplained_improvement=fail_on_unexplained_improvement,
        confirm_again=confirm_again,
    )
    strictest = min([theta, *(share for _, share in policy.thresholds)])
    settings = gate_settings(
        theta,
        precision=strictest / 2,
        phases=read("phase", phase, lambda text: spelling.words(text, tuple(Phase))),
        dtypes=element_types(dtype),
        threads=thread_counts(threads),
        devices=devices(device),
        max_time_s=read("max_time", max_time, spelling.seconds),
        generations=read("generations", generations, lambda t: spelling.generations(t, FEWEST)),
        seed=whole("seed", seed, 0, spelling.LARGEST_SEED),
        allow_unequal=allow_unequal,
        check=check,
    )
    request = Request(
        workloads_of(sides.workloads),
        texts("backend", sides.arms),
        settings,
        batch_sizes(batch_size),
        base,
        data=str(data),
        gate=policy,
        networks=sides.instead,
    )
    return with_base(request)


def figure_names(figure: Texts) -> tuple[str, ...]:
    """The names and patterns of a list with commas, or of several; UsageError for an empty one."""
    several = [part.strip() for text in texts("figure", figure) for part in text.split(",")]
    return texts("figure", several)


def gate_policy(
    theta: float, thresholds: Thresholds, must_see: Number | None, inconclusive: str
) -> GatePolicy:
    """What a gate must be able to see: by default the larger of 10 % and three times `theta`."""
    policy = GatePolicy(
        default_policy(theta).must_see
        if must_see is None
        else read("must_see", must_see, spelling.share),
        read("inconclusive", inconclusive, lambda text: spelling.word(text, tuple(Inconclusive))),
        tuple(
            (pattern, read("thresholds", share, spelling.share)) for pattern, share in thresholds
        ),
    )
    if policy.must_see <= theta:
        raise UsageError(
            f"must_see: got {policy.must_see:.3g}, expected more than the {theta:.3g} that fail_on "
            "lets pass"
        )
    return policy


def judged(request: Request, keeping: Keeping, report: Reporter) -> tuple[Gate, str]:
    """Screen and confirm, into runs of the store, whose place comes second."""
    plan, datasets = make_plan(request, report)
    refuse_pairs_of_bases(plan)
    patience = Patience(LIMIT_S, report.note)
    with (
        machine_lock(wait_s=keeping.wait_s),
        open_store(keeping.store, patience=patience) as store,
    ):
        gate = run_gate(request, plan, datasets, store, keeping.origin, report)
        return read_gate(store, gate.screen_run) or gate, store.place
