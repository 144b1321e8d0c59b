"""The page of every command and its options, made from the commands themselves so that it
cannot drift.

`python -m dnnbench.cli.page > docs/cli.md` writes it anew.
"""

import re
from collections.abc import Iterator, Mapping
from inspect import cleandoc

import rich_click as click

from .main import COMMANDS, cli, command_of

PAGE = """# Every command and option

What `dnnbench COMMAND --help` says. This page is generated, and a test compares it with the
commands: `python -m dnnbench.cli.page > docs/cli.md`. [commands.md](commands.md) shows them by
what they are for.

{contents}

{general}

{commands}
"""
WIDTH = 100
VERBATIM = "\b"
"""Marks a paragraph of a help text whose lines stay as they are."""
TAKEN = re.compile(r"(?<= )[^- ].*")
"""What an option takes, behind its names."""


def render() -> str:
    """The text of docs/cli.md."""
    above = click.Context(cli, info_name="dnnbench", **cli.context_settings)
    sections = [_command(name, command_of(name), above) for name in COMMANDS]
    return PAGE.format(
        contents=",\n".join(f"[`{name}`](#dnnbench-{name})" for name in COMMANDS),
        general=_prose(cli.help or ""),
        commands="\n\n".join(sections),
    )


def _command(name: str, command: click.Command, above: click.Context, level: int = 2) -> str:
    """A command's section; its own commands stand below it."""
    context = click.Context(command, above, info_name=name, terminal_width=WIDTH)
    usage = " ".join(command.get_usage(context).removeprefix("Usage: ").split())
    parts = [
        f"{'#' * level} `{context.command_path}`",
        f"```text\n{usage}\n```",
        _prose(command.help or ""),
        _options(command, context),
    ]
    below = _below(command).items()
    parts += [_command(each, below_it, context, level + 1) for each, below_it in below]
    return "\n\n".join(part for part in parts if part)


def _below(command: click.Command) -> Mapping[str, click.Command]:
    return command.commands if isinstance(command, click.Group) else {}


def _options(command: click.Command, context: click.Context) -> str:
    options = [each for each in command.get_params(context) if isinstance(each, click.Option)]
    records = (each.get_help_record(context) for each in options)
    rows = [f"| {_option(names)} | {_cell(text)} |" for names, text in filter(None, records)]
    return "\n".join(["| option | meaning |", "|---|---|", *rows])


def _option(names: str) -> str:
    """An option's names as code, and what it takes as text: code in a table may hold no `|`."""
    taken = TAKEN.search(names)
    return f"`{names}`" if taken is None else f"`{names[: taken.start() - 1]}` {_cell(taken[0])}"


def _cell(text: str) -> str:
    """A text as a cell of a table: on one line, nothing in it taken for Markdown."""
    return re.sub(r"([|*<\[\]])", r"\\\1", " ".join(text.split()))


def _prose(text: str) -> str:
    """A help text's paragraphs; those that are set line by line as a block of code."""
    return "\n\n".join(_paragraphs(cleandoc(text)))


def _paragraphs(text: str) -> Iterator[str]:
    for paragraph in re.split(r"\n\s*\n", text):
        if not paragraph.lstrip().startswith(VERBATIM):
            yield re.sub(r"([*<\[\]])", r"\\\1", paragraph.strip())
            continue
        first, *lines = paragraph.replace(VERBATIM, "").strip("\n").splitlines()
        yield first.strip()
        yield "\n".join(["```text", *(line.strip() for line in lines), "```"])


if __name__ == "__main__":
    print(render(), end="")
