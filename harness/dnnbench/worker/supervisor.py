"""The parent of one worker: keeps what the worker prints, and ends everything
that the worker started.

`python -I -S supervisor.py CONTROL FDS LOG WORKER...` starts the command line WORKER,
which gets the descriptors FDS, in a session of its own, and lives until the other
end of the socket CONTROL closes: the kernel closes it whatever ends the harness.
Then it kills every descendant, stopped or not, in whatever session. Orphans among them become
its children (it is their subreaper), so that killing and reaping children until none is left
reaches all, and no process id that it uses can meanwhile have become another process's.
It uses the standard library alone, whatever Python runs the worker.

Messages to the harness: `started PID` or `refused ERRNO`, then `exited CODE` once the worker
has ended and nothing that it started is left, and answers. From the harness: `write`
(put what was printed into the log; the answer is `written`), `stops` (was the worker stopped
or let go on since that was last asked? `stops 1` or `stops 0`: the kernel tells it a parent alone),
`forget` (count no stop until now), `keep` (leave the log behind at the end).
"""

import ctypes
import os
import select
import signal
import sys
from contextlib import suppress
from threading import Thread

HEAD_BYTES = TAIL_BYTES = 512 * 1024
"""What a log keeps at least of the first and of the last output."""
CHUNK_BYTES = 64 * 1024
PIPE_BYTES = 1024 * 1024
"""What a pipe holds at most, where this user may not enlarge it further."""
MESSAGE_BYTES = 64
SET_PARENT_DEATH_SIGNAL, SET_CHILD_SUBREAPER = 1, 36
"""Of prctl(2)."""


def main(control: int, fds: list[int], log: str, argv: list[str]) -> int:
    """Supervise `argv` until the harness is gone or closes its end."""
    _prctl(SET_CHILD_SUBREAPER, 1)
    _prctl(
        SET_PARENT_DEATH_SIGNAL, signal.SIGCONT
    )  # wakes a supervisor that was stopped, to see that the harness is gone
    os.set_inheritable(control, False)
    output, outlet = os.pipe()
    try:
        worker = _start(argv, outlet)
    except OSError as error:
        os.write(control, f"refused {error.errno}".encode())
        os.unlink(log)
        return 1
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # its end would free the worker's descendants
    for fd in (outlet, *fds):
        os.close(fd)
    Supervisor(control, worker, output, CappedLog(1)).serve(log)
    return 0


def _start(argv: list[str], outlet: int) -> int:
    """Process id of the worker; raises OSError if it cannot be started."""
    answer, question = os.pipe()
    pid = os.fork()
    if pid == 0:
        _become(argv, outlet, question)
    os.close(question)
    refusal = os.read(answer, MESSAGE_BYTES)  # empty once exec has closed the other end
    os.close(answer)
    if refusal:
        os.waitpid(pid, 0)
        raise OSError(int(refusal), "the worker cannot be started")
    return pid


def _become(argv: list[str], outlet: int, question: int) -> None:
    """Turn this forked process into the worker; never returns."""
    try:
        os.setsid()
        _prctl(SET_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        for stream in (1, 2):
            os.dup2(outlet, stream)
        os.execvpe(argv[0], argv, _environment())
    except OSError as error:
        os.write(question, str(error.errno).encode())
    finally:
        os._exit(1)


def _environment() -> dict[bytes, bytes]:
    """As it was given: Python itself may have added LC_CTYPE, which would move a worker's stack."""
    with open("/proc/self/environ", "rb") as file:
        entries = file.read().split(b"\0")
    return dict(entry.split(b"=", 1) for entry in entries if b"=" in entry)


def _prctl(option: int, value: int) -> None:
    if ctypes.CDLL(None, use_errno=True).prctl(option, value, 0, 0, 0):
        raise OSError(ctypes.get_errno(), f"prctl({option}) failed")


class CappedLog:
    """A file that keeps the head and the tail of what is written to it.

    Opened for reading and appending.
    """

    def __init__(self, fd: int) -> None:
        self._fd, self._written_bytes = fd, 0

    def write(self, data: bytes) -> None:
        """Append, and cut the middle out when there is more of it than a tail.

        A full disk costs the output, not the run.
        """
        self._written_bytes += len(data)
        with suppress(OSError):
            self._append(data)
            size = os.fstat(self._fd).st_size
            if size > HEAD_BYTES + 2 * TAIL_BYTES:
                self._cut(size)

    def _append(self, data: bytes) -> None:
        while data:
            data = data[os.write(self._fd, data) :]

    def _cut(self, size: int) -> None:
        tail = os.pread(self._fd, TAIL_BYTES, size - TAIL_BYTES)
        left_out = self._written_bytes - HEAD_BYTES - TAIL_BYTES
        os.ftruncate(self._fd, HEAD_BYTES)
        self._append(f"\n[... {left_out} bytes left out ...]\n".encode() + tail)


class Supervisor:
    """Serves until the harness is gone.

    The worker stays a zombie until then, so that its id stays its own.
    """

    def __init__(self, harness: int, worker: int, output: int, log: CappedLog) -> None:
        self._harness, self._worker, self._output, self._log = harness, worker, output, log
        self._ended, self._end = os.pipe()
        self._keeps_log = False
        os.set_blocking(output, False)

    def serve(self, log: str) -> None:
        """Answer the harness, write the log, tell the worker's end."""
        self._tell(f"started {self._worker}")
        Thread(target=self._await_worker, daemon=True).start()
        self._poll_until_closed()
        self._end_children()
        self._drain()
        if not self._keeps_log:
            with suppress(FileNotFoundError):
                os.unlink(log)

    def _poll_until_closed(self) -> None:
        self._poll = select.poll()
        for fd in (self._harness, self._output, self._ended):
            self._poll.register(fd, select.POLLIN)
        while True:
            ready = {fd for fd, _ in self._poll.poll()}
            if self._output in ready and not self._read():  # all that could print have ended
                self._poll.unregister(self._output)
            if self._ended in ready:
                self._tell_end()
            if self._harness in ready and not self._heed():
                return

    def _await_worker(self) -> None:
        """In a thread, because a signal handler would run for each stop and continuation
        of the worker too.
        """
        with suppress(ChildProcessError):  # killed and reaped, because the harness is gone
            os.waitid(os.P_PID, self._worker, os.WEXITED | os.WNOWAIT)
            os.write(self._end, b".")

    def _tell_end(self) -> None:
        self._poll.unregister(self._ended)
        self._end_children(spared=self._worker)
        self._drain()
        state = os.waitid(os.P_PID, self._worker, os.WEXITED | os.WNOWAIT)
        assert state is not None, "waitid gives None where it is told not to wait"
        self._tell(
            f"exited {state.si_status if state.si_code == os.CLD_EXITED else -state.si_status}"
        )

    def _heed(self) -> bool:
        """Do what the harness asks; False once it has closed its end."""
        try:
            message = os.read(self._harness, MESSAGE_BYTES)
        except ConnectionResetError:  # it left messages unread
            return False
        if message == b"write":
            self._drain()
            self._tell("written")
        elif message == b"stops":
            self._tell(f"stops {self._was_stopped():d}")
        elif message == b"forget":
            self._was_stopped()
        elif message == b"keep":
            self._keeps_log = True
        return bool(message)

    def _was_stopped(self) -> bool:
        with suppress(ChildProcessError):  # it has ended
            return (
                os.waitid(os.P_PID, self._worker, os.WSTOPPED | os.WCONTINUED | os.WNOHANG)
                is not None
            )
        return False

    def _tell(self, message: str) -> None:
        with suppress(BrokenPipeError):  # the harness is gone, which the next poll shows
            os.write(self._harness, message.encode())

    def _drain(self) -> None:
        """Read all that was printed until now: not more than a pipe holds,
        for a worker may print without end.
        """
        for _ in range(PIPE_BYTES // CHUNK_BYTES):
            if not self._read():
                return

    def _read(self) -> bool:
        """Move one piece of output into the log; False if there is none."""
        try:
            piece = os.read(self._output, CHUNK_BYTES)
        except BlockingIOError:
            return False
        self._log.write(piece)
        return bool(piece)

    def _end_children(self, spared: int = 0) -> None:
        """Kill and reap children, and those that become ours by that, until none is left
        that we may kill.
        """
        foreign = {spared}
        while children := _children_of(os.getpid()) - foreign:
            for pid in children:
                try:
                    os.kill(pid, signal.SIGKILL)
                except PermissionError:  # it has become another user's
                    foreign.add(pid)
            for pid in children - foreign:
                os.waitpid(pid, 0)


def _children_of(parent: int) -> set[int]:
    pids = {int(name) for name in os.listdir("/proc") if name.isdecimal()}
    return {pid for pid in pids if _parent_of(pid) == parent}


def _parent_of(pid: int) -> int:
    """0 of a process that is gone.

    The field stands behind the name in brackets, which may hold anything.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return int(file.read().rpartition(b")")[2].split()[1])
    except (FileNotFoundError, ProcessLookupError):
        return 0


if __name__ == "__main__":
    control, fds, log, *argv = sys.argv[1:]
    sys.exit(main(int(control), [int(fd) for fd in fds.split(",")], log, argv))
