"""How a command ends badly: one place turns every exception into a message on stderr
and an exit code.
"""

import errno
import functools
import os
import sys
import tempfile
import traceback
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import rich_click as click
from click.exceptions import Exit

from ..errors import DnnbenchError, UsageError, WorkerError
from ..masking import masked, masked_words
from ..wording import shortened, without_middle
from . import exitcodes
from .interrupts import Ended
from .output import Output
from .streams import drop_stdout, flush_or_drop_stdout

OF_THE_MACHINE = {
    errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EIO, errno.ENOENT, errno.EACCES,
    errno.EPERM, errno.ENAMETOOLONG, errno.ENOTDIR, errno.EISDIR, errno.ELOOP, errno.EMFILE,
    errno.ENFILE, errno.ENOMEM, errno.ETXTBSY,
}  # fmt: skip
"""What a system call is refused for by a disk, by permissions, or because a file went away:
no fault of dnnbench.
"""
LONGEST_LINE, LONGEST_MESSAGE = 2_000, 30_000
"""Characters of an error: it repeats what was given, however long that is."""


def exit_code_of(command: Callable[[], int | None], output: Output) -> int:
    """Run `command` and tell what it came to: its own code, or that of the exception
    it ended with.
    """
    try:
        if sys.stdout is None:
            raise UsageError(
                "stdout is closed: nothing could be answered; "
                "send it to /dev/null where no answer is wanted"
            )
        return command() or exitcodes.OK
    except DnnbenchError as error:
        return _of_dnnbench(error, output)
    except click.ClickException as error:
        return _usage(error, output)
    except (KeyboardInterrupt, click.Abort) as error:
        output.error(_interrupted(error))
        return exitcodes.INTERRUPTED
    except UnicodeEncodeError as error:
        return _unwritable(error, output)
    except OSError as error:
        return (
            _of_the_machine(error, output) if error.errno in OF_THE_MACHINE else _bug(error, output)
        )
    except Exception as error:
        return _bug(error, output)


P = ParamSpec("P")
R = TypeVar("R")


def quiet_if_reader_left(method: Callable[P, R]) -> Callable[P, R]:
    """End quietly, with a code of its own, when the reader of stdout has gone
    (`dnnbench ... | head`).
    """

    @functools.wraps(method)
    def guarded(*arguments: P.args, **options: P.kwargs) -> R:
        try:
            try:
                return method(*arguments, **options)
            finally:
                if sys.stdout is not None:
                    sys.stdout.flush()
        except BrokenPipeError:
            drop_stdout()
            raise Exit(exitcodes.READER_GONE) from None

    return guarded


def _interrupted(error: BaseException) -> str:
    """An Abort of click stands for the KeyboardInterrupt that it was raised in."""
    cause = error.__context__ if isinstance(error, click.Abort) else error
    return f"interrupted by {cause}" if isinstance(cause, Ended) else "interrupted"


def _of_dnnbench(error: DnnbenchError, output: Output) -> int:
    output.error(_bounded(str(error)))
    if isinstance(error, WorkerError) and error.log:
        output.detail(error.log)
    return error.exit_code


def _usage(error: click.ClickException, output: Output) -> int:
    output.error(_bounded(error.format_message()))
    context = getattr(error, "ctx", None)
    if context is not None:
        output.error(f"try '{context.command_path} --help'")
    return error.exit_code


def _bounded(message: str) -> str:
    lines = [without_middle(line, LONGEST_LINE) for line in message.split("\n")]
    return without_middle("\n".join(lines), LONGEST_MESSAGE)


def _unwritable(error: UnicodeEncodeError, output: Output) -> int:
    characters = shortened(ascii(error.object[error.start : error.end]), 40)
    output.detail(traceback.format_exc())
    output.error(
        f"{characters} cannot be written as {error.encoding}; "
        "set PYTHONIOENCODING=utf-8, or write to a file"
    )
    return exitcodes.USAGE


def _of_the_machine(error: OSError, output: Output) -> int:
    where = f"{error.filename}: " if error.filename is not None else ""
    output.detail(traceback.format_exc())
    output.error(_bounded(f"{where}{error.strerror}; mend that, or name another file or folder"))
    flush_or_drop_stdout()
    return exitcodes.USAGE


def _bug(error: Exception, output: Output) -> int:
    what = shortened(traceback.format_exception_only(error)[-1].strip())
    report = traceback.format_exc()
    verdict = f"this is a bug in dnnbench, or a machine in trouble ({what}); please report it"
    path = (
        None if output.verbosity > 0 or os.environ.get("DNNBENCH_DEBUG") == "1" else _keep(report)
    )
    if path is None:
        output.error(f"{report}{verdict}")
    else:
        output.error(f"{verdict}: the traceback is in {path}, -v or DNNBENCH_DEBUG=1 prints it")
    return exitcodes.FAILED


def _keep(report: str) -> str | None:
    """The file that holds the report now; None where no folder takes one."""
    try:
        handle, path = tempfile.mkstemp(prefix="dnnbench-", suffix=".txt")
        with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(f"{' '.join(masked_words(sys.argv))}\n{masked(report)}")
    except OSError:
        return None
    return path
