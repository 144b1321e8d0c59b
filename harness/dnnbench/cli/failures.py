"""How a command ends badly: one place turns every exception into a message on stderr and an exit code."""

import functools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable

import rich_click as click

from ..errors import DnnbenchError, WorkerError
from ..masking import masked, masked_words
from . import exitcodes
from .interrupts import Ended
from .output import Output


def exit_code_of(command: Callable[[], int | None], output: Output) -> int:
    """Run `command` and tell what it came to: its own code, or that of the exception it ended with."""
    try:
        return command() or exitcodes.OK
    except DnnbenchError as error:
        return _known(error, output)
    except click.ClickException as error:
        return _usage(error, output)
    except (KeyboardInterrupt, click.Abort) as error:
        output.error(_interrupted(error))
        return exitcodes.INTERRUPTED
    except Exception as error:
        return _bug(error, output)


def quiet_if_reader_left(method):
    """End quietly, with a code of its own, when the reader of stdout has gone (`dnnbench ... | head`)."""

    @functools.wraps(method)
    def guarded(*arguments, **options):
        try:
            try:
                return method(*arguments, **options)
            finally:
                sys.stdout.flush()
        except BrokenPipeError:
            # Python flushes stdout once more at its end, which would complain on stderr
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise click.exceptions.Exit(exitcodes.READER_GONE) from None

    return guarded


def _interrupted(error: BaseException) -> str:
    """An Abort of click stands for the KeyboardInterrupt that it was raised in."""
    cause = error.__context__ if isinstance(error, click.Abort) else error
    return f"interrupted by {cause}" if isinstance(cause, Ended) else "interrupted"


def _known(error: DnnbenchError, output: Output) -> int:
    output.error(str(error))
    if isinstance(error, WorkerError) and error.log:
        output.detail(error.log)
    return error.exit_code


def _usage(error: click.ClickException, output: Output) -> int:
    output.error(error.format_message())
    context = getattr(error, "ctx", None)
    if context is not None:
        output.error(f"try '{context.command_path} --help'")
    return error.exit_code


def _bug(error: Exception, output: Output) -> int:
    what = f"{type(error).__name__}: {error}"
    report = traceback.format_exc()
    if output.verbosity > 0 or os.environ.get("DNNBENCH_DEBUG") == "1":
        output.error(f"{report}this is a bug in dnnbench, or a machine in trouble ({what}); please report it")
    else:
        kept = f"the traceback is in {_keep(report)}, -v or DNNBENCH_DEBUG=1 prints it"
        output.error(f"this is a bug in dnnbench, or a machine in trouble ({what}); please report it: {kept}")
    return exitcodes.FAILED


def _keep(report: str) -> str:
    handle, path = tempfile.mkstemp(prefix="dnnbench-", suffix=".txt")
    with open(handle, "w", encoding="utf-8") as file:
        file.write(f"{' '.join(masked_words(sys.argv))}\n{masked(report)}")
    return path
