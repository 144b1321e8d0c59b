"""What was asked for, in a form that is stored with the run and can be asked again."""

import platform
import secrets
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from itertools import chain
from typing import Any

import numpy as np

from .. import __version__
from ..data.dataset import Dataset, load
from ..errors import StoreError, UsageError
from ..host.machine import host_hash, machine_facts
from ..masking import masked_words
from ..plugins.catalog import parameters_of
from ..protocol.arm import Arm
from ..protocol.keys import CaseKey
from ..spec.phases import Phase
from ..spec.workload import Workload
from ..store.identity import machine_id
from ..store.store import Store
from ..wording import shortened
from .arms import base_arm, select
from .backend_info import info_of
from .best import Measuring, with_best_modes
from .devices import devices_of
from .gate_policy import GatePolicy
from .memory_guard import pairing
from .plan import INITIAL, Plan, case_keys, cases_of, resolved, sized
from .pool import worker_cpus
from .reporter import Reporter
from .settings import Settings
from .stored_settings import VERSION
from .weights_file import load_weights


@dataclass(frozen=True)
class Request:
    """Workloads, backends and settings.

    `weights` and `data` are paths, empty for the workload's own.

    only: what is timed, empty for all of it.  confirms: the run whose findings this one
    confirms, empty for any but a confirmation of a gate.  gate: of any run of a gate.
    networks: by environment, what its arms compute in place of the workload of the same name.
    """

    workloads: tuple[Workload, ...]
    backends: tuple[str, ...]
    settings: Settings
    batch_sizes: tuple[int, ...] = ()
    base: str = ""
    weights: str = ""
    data: str = ""
    only: tuple[tuple[CaseKey, Phase], ...] = ()
    confirms: str = ""
    gate: GatePolicy | None = None
    networks: Mapping[str, tuple[Workload, ...]] = field(default_factory=dict)

    def to_json(self, plan: Plan) -> dict[str, object]:
        """With what the plan decided: the arms by name, the device, the base."""
        return {
            "version": VERSION,
            "workloads": [workload.model_dump(mode="json") for workload in self.workloads],
            "networks": {
                environment: [workload.model_dump(mode="json") for workload in several]
                for environment, several in self.networks.items()
            },
            "parameters": parameters_of(self.workloads),
            "arms": {arm.name: arm.to_json() for arm in plan.arms if not arm.twin},
            "backends": [arm.name for arm in plan.arms if not arm.twin],
            "settings": self.settings.to_json(),
            "batch_sizes": list(self.batch_sizes),
            "base": plan.base,
            "weights": self.weights,
            "data": self.data,
            "only": [[str(case), phase] for case, phase in self.only],
            "confirms": self.confirms,
            "gate": self.gate and self.gate.to_json(),
            "data_facts": {name: dict(facts) for name, facts in plan.data_facts.items()},
            "skipped": dict(plan.skipped),
            "notes": list(plan.notes),
            "best": {name: asdict(choice) for name, choice in plan.best.items()},
        }

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> "Request":
        """The request that a run was stored with.

        StoreError where its settings are not those of a request.
        """
        try:
            workloads = tuple(Workload.model_validate(w) for w in stored["workloads"])
            sizes = tuple(stored["batch_sizes"])
            cases = {str(key): key for key in case_keys(workloads, sizes)}
            return cls(
                workloads=workloads,
                backends=tuple(stored["backends"]),
                settings=Settings.from_json(stored["settings"]),
                batch_sizes=sizes,
                base=stored["base"],
                weights=stored["weights"],
                data=stored["data"],
                only=tuple((cases[case], Phase(phase)) for case, phase in stored.get("only", ())),
                confirms=stored.get("confirms", ""),
                gate=_policy(stored.get("gate")),
                networks={
                    environment: tuple(map(Workload.model_validate, several))
                    for environment, several in stored.get("networks", {}).items()
                },
            )
        except (KeyError, TypeError, ValueError) as error:
            why = shortened(f"{type(error).__name__}: {error}")
            raise StoreError(
                f"the settings stored with the run are not those of one that can go on ({why}); "
                "start a new run"
            ) from error


def _policy(stored: Mapping[str, Any] | None) -> GatePolicy | None:
    """None of a run that is no gate's, and of one that an older dnnbench stored."""
    return None if stored is None else GatePolicy.from_json(stored)


@dataclass(frozen=True)
class Origin:
    """Where a run comes from: the command line or the call, the name that the user gives it, and
    the machine's, where one is set.
    """

    command: tuple[str, ...] = ()
    label: str | None = None
    machine: str | None = None

    def after(self, suffix: str) -> "Origin":
        """Of a later run of the same request: the label, if there is one, ends in `suffix`."""
        return replace(self, label=f"{self.label}{suffix}" if self.label else None)


def make_plan(request: Request, report: Reporter) -> tuple[Plan, dict[str, Dataset]]:
    """Everything decided and every file read, before a worker starts."""
    settings = request.settings
    selection = select(request.backends, settings)
    for name, reason in selection.skipped.items():
        report.note(f"{name}: {reason}")
    for threads in {arm.threads for arm in selection.arms}:
        worker_cpus(threads)  # refuses more than there are CPUs
    arms, unequal = resolved(selection.arms, devices_of(selection.arms, report))
    datasets = {
        workload.name: load(workload, request.data or None) for workload in request.workloads
    }
    for environment, several in request.networks.items():
        own = {f"{w.name}@{environment}": load(w, request.data or None) for w in several}
        datasets |= own
    cases = cases_of(
        request.workloads,
        request.batch_sizes,
        _weights(request),
        request.weights or INITIAL,
        settings.seed,
        request.networks,
    )
    best = with_best_modes(arms, unequal, Measuring(cases, datasets, settings), report)
    arms, unequal = best.arms, best.unequal
    notes = tuple(
        f"{arm.name} stays on the CPU and is not ranked: {why}" for arm, why in unequal.items()
    )
    notes += best.sentences
    base = base_arm(arms, request.base)
    if settings.twin:
        arms += (replace(base, twin=True),)
    in_pairs = _in_pairs(request, arms, base)
    notes += (in_pairs,) if in_pairs else ()
    for note in notes:
        report.note(note)
    facts = {name: dataset.facts for name, dataset in datasets.items() if dataset.facts}
    plan = Plan(
        arms,
        cases,
        settings,
        base.name,
        selection.skipped,
        notes,
        facts,
        unequal=unequal,
        paired=bool(in_pairs),
        best=best.choices,
    )
    return plan.limited_to(request.only) if request.only else plan, datasets


def _in_pairs(request: Request, arms: Sequence[Arm], base: Arm) -> str:
    """Why each arm is measured beside the base alone; empty if all fit in memory together."""
    every = [*request.workloads, *chain.from_iterable(request.networks.values())]
    cases = sized(every, request.batch_sizes)
    widest = max(arm.precision.itemsize for arm in arms)
    return pairing(cases, widest, base.device, [arm.device for arm in arms if arm != base])


def _weights(request: Request) -> Mapping[str, np.ndarray] | None:
    """The weights that the user named; None for the initial ones."""
    if not request.weights:
        return None
    if len(request.workloads) != 1:
        raise UsageError(f"--weights {request.weights} belongs to one workload; name that one")
    return load_weights(request.weights, request.workloads[0])


def open_run(store: Store, request: Request, plan: Plan, origin: Origin) -> str:
    """Record machine and run; the id under which everything will be stored.

    Host names are kept as a hash only.
    """
    machine = add_this_machine(store, origin.machine)
    run_id = f"{datetime.now(UTC):%Y%m%d-%H%M%S}-{secrets.token_hex(2)}"
    store.add_run(
        run_id,
        machine_id=machine,
        command=masked_words(origin.command),
        settings=request.to_json(plan),
        seed=request.settings.seed,
        dnnbench_version=__version__,
        versions=_versions(plan),
        label=origin.label,
        revision=_revision(),
    )
    return run_id


def add_this_machine(store: Store, label: str | None = None) -> str:
    """Record the machine that this process runs on, as it is now, under a label if there is one;
    its id.
    """
    facts, host = machine_facts(), host_hash()
    machine = machine_id(facts["hardware"], host)
    store.add_machine(machine, facts=facts, host_hash=host, label=label)
    return machine


def _versions(plan: Plan) -> dict[str, str]:
    """Of every framework in the plan as its metadata tells, and of Python."""
    from ..plugins.discovery import version

    distributions = set(chain.from_iterable(info_of(arm).requires for arm in plan.arms))
    return {
        "python": platform.python_version(),
        **{name: version(name) for name in sorted(distributions)},
    }


def _revision() -> str | None:
    """Git revision of the working directory, with '+' where it has changes.

    None outside a repository.
    """
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], capture_output=True, text=True, timeout=10
        )
        changed = subprocess.run(
            ["git", "status", "--porcelain"], capture_output=True, text=True, timeout=10
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return (
        head.stdout.strip() + ("+" if changed.stdout.strip() else "")
        if head.returncode == 0
        else None
    )
