"""Options of the commands that measure revisions: what is installed beside each, and which phases
are timed.
"""

import rich_click as click

from ..execution.settings import GATE_PHASES
from ..spec.phases import Phase
from .options import Decorated, list_option
from .types import Words

BUILD = click.option(
    "--build",
    default="",
    metavar="COMMAND",
    help="A shell's command that installs the project at each revision, in place of pip: it runs "
    "in the checkout, and its python and pip are the environment's.",
)
GATED_PHASES = list_option(
    "--phase",
    type=Words(Phase),
    default=",".join(GATE_PHASES),
    show_default=True,
    help="What to time; all: every phase.",
)


def installing_options(command: Decorated, when: str = "") -> Decorated:
    """--with, --constraint.  when: in front of their help, where they need another option."""
    requirements = click.option(
        "--with",
        "requirements",
        multiple=True,
        metavar="REQUIREMENT",
        help=f"{when}pip's, installed beside each revision: torch==2.13.0.",
    )
    constraints = click.option(
        *("-c", "--constraint", "constraints"),
        multiple=True,
        metavar="FILE",
        help=f"{when}pip's constraint file, for all revisions.",
    )
    return requirements(constraints(command))


def confirming_options(command: Decorated) -> Decorated:
    """Those of `installing_options`, of a command that installs with --confirm alone."""
    return installing_options(command, "With --confirm: ")
