"""What the two sides of a gate are: arms, and what each of them computes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ..errors import UsageError
from ..execution.reporter import Reporter
from ..plugins.networks import Network
from ..spec.workload import Workload
from .options import Networks, Texts, networks, texts


@dataclass(frozen=True)
class GateSides:
    """arms: as `--backend` takes them.  workloads: names, files and values, of the base.

    instead: by environment, what its arms compute in place of the workload of the same name.
    """

    arms: Texts
    workloads: Sequence[str | Network]
    instead: Mapping[str, tuple[Workload, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Installing:
    """What `--git` installs beside each revision, and how: see `revisions.arms.Added`."""

    requirements: Texts = ()
    constraints: Texts = ()
    build: str = ""


def gate_sides(
    workloads: Networks, backend: Texts, base: str, git: str, added: Installing, report: Reporter
) -> GateSides:
    """What `backend` asks for; with `git` in the environment of either revision, made if need be,
    each with the networks that its own files hold.

    UsageError where one is missing, or the other contradicts it.
    """
    if not git:
        _refuse_installing(added)
        if not texts("backend", backend):
            raise UsageError(
                "a gate needs --backend with the base and a candidate, such as torch,torch@new, "
                "or --git BASE..HEAD"
            )
        return GateSides(backend, networks(workloads))
    if base:
        raise UsageError(f"--git {git} names the base; leave out --base")
    return _of_revisions(networks(workloads), texts("backend", backend), git, added, report)


def _refuse_installing(added: Installing) -> None:
    if added.requirements or added.constraints:
        raise UsageError("--with and --constraint say what --git installs; give --git BASE")


def _of_revisions(
    named: Sequence[str | Network],
    backends: Sequence[str],
    git: str,
    added: Installing,
    report: Reporter,
) -> GateSides:
    from ..revisions.arms import Added, sides_of_revisions

    sides = sides_of_revisions(
        git,
        backends,
        Added(
            texts("requirements", added.requirements),
            texts("constraints", added.constraints),
            added.build,
        ),
        [network for network in named if isinstance(network, str)],
        report.note,
    )
    of_base: list[str | Network] = [
        sides.networks.get(network, network) if isinstance(network, str) else network
        for network in named
    ]
    return GateSides(sides.arms, of_base, sides.instead)
