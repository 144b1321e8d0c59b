"""Commands and options of all commands: an option of one value is given once, lists add up."""

from collections import Counter
from collections.abc import Callable, Iterable
from itertools import chain
from typing import Any, TypeVar

import rich_click as click
from click.core import ParameterSource

Decorated = TypeVar("Decorated", bound=Callable[..., Any])
"""A command before or after an option was added to it."""


class Command(click.RichCommand):
    """A command that refuses an option given twice, where only the last value would count,
    and an empty value.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # a shell asks about a line that is not whole
            return super().parse_args(ctx, args)
        _refuse_a_second_value(ctx, self.make_parser(ctx).parse_args(list(args))[2])
        rest = super().parse_args(ctx, args)
        _refuse_empty_values(ctx)
        return rest


class Group(click.RichGroup):
    """A command whose commands are of that kind."""

    command_class = Command


def _refuse_a_second_value(ctx: click.Context, given_in_order: Iterable[click.Parameter]) -> None:
    for parameter, times in Counter(given_in_order).items():
        takes_one = (
            isinstance(parameter, click.Option) and not parameter.is_flag and not parameter.multiple
        )
        if takes_one and times > 1:
            raise click.BadOptionUsage(
                parameter.name,
                f"{parameter.opts[-1]} is given {times} times; it takes one value",
                ctx,
            )


def _refuse_empty_values(ctx: click.Context) -> None:
    """Such as an unset variable of a shell leaves: `--data "$DATA"`."""
    for parameter in ctx.command.params:
        value = ctx.params.get(parameter.name)
        values = value if isinstance(value, tuple) else (value,)
        if is_given(ctx, parameter) and isinstance(parameter, click.Option) and "" in values:
            raise click.BadOptionUsage(
                parameter.name, f"{parameter.opts[-1]} is given an empty value; leave it out", ctx
            )


def is_given(ctx: click.Context, parameter: click.Parameter) -> bool:
    """Whether it stands on the command line, not only in the defaults."""
    return ctx.get_parameter_source(parameter.name) is ParameterSource.COMMANDLINE


def list_option(
    *names: str, type: "click.ParamType[Any]", default: str | None = None, **attributes: Any
) -> Callable[[Decorated], Decorated]:
    """An option whose values are lists: given again, it adds to them."""
    defaults = () if default is None else (default,)
    return click.option(
        *names, type=type, multiple=True, default=defaults, callback=_joined, **attributes
    )


def _joined(
    _ctx: click.Context, _parameter: click.Parameter, lists: tuple[tuple[Any, ...], ...]
) -> tuple[Any, ...]:
    """The entries of all lists, each once."""
    return tuple(dict.fromkeys(chain.from_iterable(lists)))


def output_options(command: Decorated) -> Decorated:
    """--json (parameter `as_json`), -q and -v, which set the Output that the command gets
    by `pass_obj`.
    """
    for option in (_VERBOSE, _QUIET, _JSON):
        command = option(command)
    return command


def _set_verbosity(level: int) -> Callable[[click.Context, click.Parameter, bool], None]:
    def callback(ctx: click.Context, _parameter: click.Parameter, chosen: bool) -> None:
        if chosen:
            ctx.obj.verbosity = level

    return callback


_JSON = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON object on stdout, not tables."
)
_QUIET = click.option(
    *("-q", "--quiet"),
    is_flag=True,
    expose_value=False,
    callback=_set_verbosity(-1),
    help="Say nothing but data and errors.",
)
_VERBOSE = click.option(
    *("-v", "--verbose"),
    is_flag=True,
    expose_value=False,
    callback=_set_verbosity(1),
    help="Say more, with tracebacks.",
)
