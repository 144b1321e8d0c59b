"""Commands of dnnbench that a text shows, and what the command line says of them."""

import re
import shlex
from collections.abc import Iterator

import rich_click as click
from dnnbench.cli.main import COMMANDS, cli, command_of
from dnnbench.cli.output import Output
from dnnbench.errors import DnnbenchError

FENCE = re.compile(r"(?ms)^ *```[^\n]*\n.*?^ *```$")
CODE = re.compile(
    rf"(?ms)(?P<block>{FENCE.pattern.removeprefix('(?ms)')})|(?P<line>^ {{4,}}\S[^\n]*$)"
)
INLINE = re.compile(r"`([^`]+)`", re.S)
CONTINUED = re.compile(r"\s*\\\n\s*")
EXPANSION = re.compile(r'"?\$\{[^}]*\}"?')
AT_START = re.compile(r"^\s*(?:\$ |- |- run: |#? ?)dnnbench (?=[a-z])")
"""A line of code that is a command: after a prompt, in a workflow, or in a comment of TOML."""
NEXT = re.compile(r"(?:\s{2,}|, |&& |; |# )dnnbench (?=[a-z])")
ENDS = {"|", "||", "&&", ";", ">", ">>", "2>&1", "..."}
HELP = "--help"
USAGE = "[OPTIONS]"
"""In the lines that say how a command is used, which are generated from it."""
LACKING = (click.MissingParameter, click.BadOptionUsage, click.exceptions.NoArgsIsHelpError)
"""What is said of a command that is not written out."""
PLACEHOLDERS = {"N": "1000", "$INCONCLUSIVE": "neutral"}
"""What stands for a number, or for one of several words."""


def commands_of(text: str) -> list[str]:
    """The command lines of a document's blocks of code, without `dnnbench`; no lines of usage."""
    shown = [command for line in _code_lines(text) for command in commands_of_line(line)]
    return [command for command in shown if USAGE not in command]


def mentions_of(text: str) -> list[str]:
    """Commands in a sentence, as `dnnbench run`: they may lack what a call needs."""
    spans = (" ".join(span.split()) for span in INLINE.findall(FENCE.sub("", text)))
    return [span.removeprefix("dnnbench ") for span in spans if re.match("dnnbench [a-z]", span)]


def options_of(text: str) -> set[str]:
    """Options that stand in sentences by themselves, as `--threads 1`."""
    spans = (span.split() for span in INLINE.findall(FENCE.sub("", text)))
    return {words[0].partition("=")[0] for words in spans if words and words[0].startswith("--")}


def commands_of_script(text: str) -> list[str]:
    """Those of a workflow, without what its shell puts in."""
    plain = EXPANSION.sub("", CONTINUED.sub(" ", text))
    return [command for line in plain.splitlines() for command in commands_of_line(line)]


def commands_of_line(line: str) -> Iterator[str]:
    """Those of a line of code."""
    first, *others = NEXT.split(line)
    if AT_START.match(first):
        yield AT_START.sub("", first).strip()
    yield from (other.strip() for other in others)


def _code_lines(text: str) -> Iterator[str]:
    """Of blocks and of indented lines, in the order of the text."""
    for match in CODE.finditer(CONTINUED.sub(" ", text)):
        yield from (match["line"] or match["block"]).splitlines()


def complaint(command: str, *, whole: bool = True) -> str:
    """What the command line says against a command; nothing where it parses.

    whole: it must have all arguments that a call needs.
    """
    try:
        words = [PLACEHOLDERS.get(word, word) for word in words_of(command) if word != HELP]
        _parse("dnnbench", cli, words)
    except LACKING as error:
        return error.format_message() if whole else ""
    except click.ClickException as error:
        return error.format_message()
    except (DnnbenchError, ValueError) as error:  # a suite that is not there; an open quote
        return str(error)
    return ""


def words_of(command: str) -> Iterator[str]:
    """Without a comment, and without what is done with the output."""
    for word in shlex.split(command, comments=True):
        if word in ENDS:
            return
        yield word


def _parse(
    name: str, command: click.Command, words: list[str], parent: click.Context | None = None
) -> None:
    with command.make_context(name, words, parent=parent, obj=Output()) as context:
        if isinstance(command, click.Group):
            rest = [*context._protected_args, *context.args]
            below, subcommand, arguments = command.resolve_command(context, rest)
            _parse(below, subcommand, arguments, context)


def known_options() -> set[str]:
    """Every option of every command."""
    return {HELP, "--version", *_options(map(command_of, COMMANDS))}


def _options(commands) -> Iterator[str]:
    for command in commands:
        for parameter in command.params:
            yield from (*parameter.opts, *parameter.secondary_opts)
        if isinstance(command, click.Group):
            yield from _options(command.commands.values())
