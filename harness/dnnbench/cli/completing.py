"""What a shell offers for a word that is being typed: workloads, arms, runs, members of a list.

    eval "$(_DNNBENCH_COMPLETE=bash_source dnnbench)"

Everything is read from metadata; no framework, no array code and no database is imported.
"""

from collections.abc import Iterable, Sequence

import rich_click as click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class

from ..wording import one_line

ALL = "all"
COLON = ":"
BREAKS = (COLON, "=")
"""At which bash breaks a line into words, besides at spaces."""


def workloads(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names, presets behind a bracket; files where no name begins so."""
    from ..plugins.discovery import plugins

    infos = plugins().workloads
    name, bracket, _ = incomplete.partition("[")
    if bracket and name in infos:
        names: Iterable[str] = [f"{name}[{preset}]" for preset in infos[name].presets]
    else:
        names = [*infos, ALL]
    items = _items(names, incomplete)
    return items or [CompletionItem(incomplete, type="file")]


def arms(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Backends with and without a mode, as the last of a list."""
    return in_list([ALL, f"{ALL}:{ALL}", *_arms()], incomplete)


def arm(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """One backend, with or without a mode."""
    return _items(_arms(), incomplete)


def runs(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Ids and labels of the store's newest runs, and `latest`."""
    from ..execution.settings import STORE
    from ..store.recent import recent_runs

    recent = recent_runs(ctx.params.get("store") or STORE)
    labels = [run.label for run in recent if run.label]
    names = dict.fromkeys(["latest", *labels, *(run.run_id for run in recent)])
    return _items(names, incomplete)


def in_list(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """The last of a list with commas, without what stands before it already."""
    before, comma, last = incomplete.rpartition(",")
    taken = before.split(",")
    left = [name for name in names if name not in taken]
    return [CompletionItem(f"{before}{comma}{item.value}") for item in _items(left, last)]


def _arms() -> list[str]:
    from ..plugins.checking import BEST
    from ..plugins.discovery import plugins

    infos = plugins().backends.values()
    with_modes = [f"{info.name}{COLON}{mode}" for info in infos for mode in (*info.modes, BEST)]
    return [*(info.name for info in infos), *with_modes]


def _items(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    """A name of a plugin or a store that a terminal would obey is not offered."""
    plain = [name for name in names if name == one_line(name)]
    return [CompletionItem(name) for name in plain if name.startswith(incomplete)]


class Bash(BashComplete):
    """Click's, for names with a colon: bash hands `jax:jit` over as three words, and puts what it
    is answered behind the last colon.
    """

    def get_completion_args(self) -> tuple[list[str], str]:
        args, incomplete = super().get_completion_args()
        *args, incomplete = _joined([*args, incomplete])
        return args, incomplete

    def get_completions(self, args: list[str], incomplete: str) -> list[CompletionItem]:
        items = super().get_completions(args, incomplete)
        kept = _behind_a_break(incomplete)
        return [CompletionItem(item.value[kept:], type=item.type) for item in items]


def _joined(words: Sequence[str]) -> list[str]:
    """`jax`, `:`, `jit` as one word."""
    joined: list[str] = []
    for word in words:
        goes_on = bool(joined) and (word in BREAKS or joined[-1].endswith(BREAKS))
        if goes_on and joined[-1]:
            joined[-1] += word
        else:
            joined.append(word)
    return joined


def _behind_a_break(word: str) -> int:
    """Where in the word that bash replaces begins: behind its last colon."""
    return word.rfind(COLON) + 1


def register() -> None:
    """Make click use it."""
    add_completion_class(Bash)
