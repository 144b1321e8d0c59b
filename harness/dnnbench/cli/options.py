"""Options that several commands share."""

import rich_click as click


def output_options(command):
    """--json (parameter `as_json`), -q and -v, which set the Output that the command gets by `pass_obj`."""
    for option in (_VERBOSE, _QUIET, _JSON):
        command = option(command)
    return command


def _set_verbosity(level: int):
    def callback(ctx, _parameter, chosen: bool):
        if chosen:
            ctx.obj.verbosity = level

    return callback


_JSON = click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout, not tables.")
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
