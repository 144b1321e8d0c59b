"""dnnbench envs: other Python environments, so that two versions of a framework can
meet in one run.
"""

import rich_click as click

from ..errors import UsageError
from ..wording import near_miss
from . import exitcodes
from .configured import current
from .options import Group, output_options
from .output import Output


@click.group("envs", cls=Group)
def command() -> None:
    """Make, list and remove environments that an arm may name as BACKEND@NAME.

    \b
    Examples:
      dnnbench envs create jax-0.9 "jax==0.9.2"
      dnnbench run --backend jax,jax@jax-0.9
      dnnbench envs list --json
    """


@command.command("create")
@click.argument("name")
@click.argument("requirements", nargs=-1)
@click.option(
    "-c",
    "--constraint",
    "constraints",
    multiple=True,
    metavar="FILE",
    help="pip's constraint file, as pip takes it.",
)
@click.pass_obj
def create(
    output: Output, name: str, requirements: tuple[str, ...], constraints: tuple[str, ...]
) -> int:
    """Make the virtual environment NAME with pip's REQUIREMENTS and what a worker needs.

    Without REQUIREMENTS those of the environment of that name in dnnbench.toml.

    Example: dnnbench envs create jax-0.9 "jax==0.9.2"
    """
    from ..execution.environments import create_environment

    if not requirements:
        requirements, more = _configured(name)
        constraints = (*constraints, *more)
    output.note(f"installing {', '.join(requirements)}; this takes a minute or two")
    python = create_environment(name, requirements, constraints)
    output.text(f"{name}: {python}")
    output.note(f"use it as BACKEND@{name}")
    return exitcodes.OK


def _configured(name: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Requirements and constraints of the file's environment; UsageError where it has none."""
    environments = current().environments
    if name not in environments:
        hint = near_miss(name, environments)
        raise UsageError(
            f"envs create {name}: give pip's requirements, or name an environment of dnnbench.toml"
            f"{hint}"
        )
    environment = environments[name]
    return tuple(environment.requirements), tuple(environment.constraint)


@command.command("list")
@output_options
@click.pass_obj
def list_environments(output: Output, as_json: bool) -> int:
    """Every environment, its Python and its interpreter.

    Example: dnnbench envs list --json
    """
    from ..execution.environments import known_environments, python_version

    rows = [
        {"name": name, "python": python_version(path), "interpreter": str(path)}
        for name, path in known_environments().items()
    ]
    if as_json:
        output.json({"environments": rows})
    for row in rows if not as_json else ():
        output.text(f"{row['name']:<20} Python {row['python']:<8} {row['interpreter']}")
    if not rows:
        output.note('there is none yet; make one: dnnbench envs create jax-0.9 "jax==0.9.2"')
    return exitcodes.OK


@command.command("remove")
@click.argument("name")
@click.pass_obj
def remove(output: Output, name: str) -> int:
    """Delete the environment NAME.

    Example: dnnbench envs remove jax-0.9
    """
    from ..execution.environments import remove_environment

    remove_environment(name)
    output.note(f"environment '{name}' is gone")
    return exitcodes.OK
