"""dnnbench machine: the machines that a store knows, and names for them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING

import rich_click as click

from .options import Group, output_options
from .output import Output
from .types import Label
from .work_options import STORE

if TYPE_CHECKING:
    from ..store.store import Store


@click.group("machine", cls=Group)
def command() -> None:
    """List the machines of a store, and name them.

    A machine is known by the hardware facts that name it, so two that are alike are one. Its class
    (processor, cores, memory) stays the same where a provider gives another machine for each job.

    \b
    Examples:
      dnnbench machine label lab-3
      dnnbench machine list --json
    """


@command.command("label")
@click.argument("name", type=Label())
@click.option(
    "--machine",
    metavar="ID",
    help="Another machine, by its id or the beginning of it.  [default: this one]",
)
@STORE
@click.pass_obj
def label(output: Output, name: str, machine: str | None, store: str) -> None:
    """Call this machine NAME in reports, in place of its hardware.

    Example: dnnbench machine label lab-3
    """
    from ..execution.request import add_this_machine
    from ..store.store import open_store

    with open_store(store, create=False) as opened:
        machine_id = add_this_machine(opened) if machine is None else _machine(opened, machine)
        opened.label_machine(machine_id, name.strip())
    output.note(f"machine {machine_id} is called {name.strip()} in {opened.place}")


@command.command("list")
@STORE
@output_options
@click.pass_obj
def list_machines(output: Output, store: str, as_json: bool) -> None:
    """Every machine with its class, and how many runs were measured on it.

    Example: dnnbench machine list
    """
    from ..store.frames import records
    from ..store.store import open_store

    with open_store(store, create=False) as opened:
        rows, counts = (
            records(opened.machines()),
            opened.runs()["machine_id"].value_counts().to_dict(),
        )
    machines = [row | {"runs": counts.get(row["machine_id"], 0)} for row in rows]
    if as_json:
        output.json({"machines": machines})
        return
    for row in machines:
        machine_class = row["machine_class"] or "its class is not known"
        old = (
            ""
            if row["identity_version"] > 1
            else " (named by an older dnnbench, without a fact: equal to no other)"
        )
        output.text(
            f"{row['machine_id']}  {row['machine_label'] or '-':<16} {machine_class}, runs: "
            f"{row['runs']}{old}"
        )


def _machine(store: "Store", text: str) -> str:
    """The id of the one machine whose id, or an older one of its, begins so."""
    from ..errors import UsageError
    from ..store.frames import records

    rows = records(store.machines())
    ids: list[str] = [
        row["machine_id"]
        for row in rows
        if _begins_with(text, (row["machine_id"], *row["aliases"]))
    ]
    if len(ids) != 1:
        first_ids = ", ".join(row["machine_id"] for row in rows[:10])
        raise UsageError(
            f"--machine {text}: {len(ids)} machines of the store begin so; it has {first_ids}"
        )
    return ids[0]


def _begins_with(text: str, ids: Iterable[str]) -> bool:
    return any(name.startswith(text) for name in ids)
