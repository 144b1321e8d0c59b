"""NumPy's backend with a fault in `train_step`, chosen by the mode.

`busy` does each step twice, `slow` is right.

`kept` trains honestly and infers once.  `uncounted` and `lost` fail where calls are counted.
"""

import os
import signal
import time
from dataclasses import replace

from dnnbench_numpy.backend import NumpyBackend


def crash(program, batch):
    os.kill(os.getpid(), signal.SIGKILL)


def hang(program, batch):
    time.sleep(3600)


def stop(program, batch):
    os.kill(os.getpid(), signal.SIGSTOP)
    return program.train_step(batch)


def rubbish(program, batch):
    os.write(1, b"\x00\xff rubbish on stdout " * 20_000)
    print("and rubbish from Python")
    return program.train_step(batch)


def wrong(program, batch):
    program.train_step(batch)
    return program.train_step(batch)


def slow(program, batch):
    """The right answer, after much work that nobody asked for."""
    for _ in range(7):
        program.gradients(batch)
    return program.train_step(batch)


def fails(program, batch):
    raise RuntimeError("this step always fails")


FAULTS = {
    "crash": crash,
    "hang": hang,
    "stop": stop,
    "rubbish": rubbish,
    "wrong": wrong,
    "raise": fails,
    "busy": wrong,
    "slow": slow,
}


class SaboteurProgram:
    """Everything NumPy's program does, but for one method."""

    def __init__(self, program, mode):
        self._program, self._fault = program, FAULTS[mode]

    def train_step(self, batch):
        return self._fault(self._program, batch)

    def __getattr__(self, name):
        return getattr(self._program, name)


class KeptAnswers:
    """Everything NumPy's program does, but for an inference that keeps its answer to every
    placed batch.
    """

    def __init__(self, program):
        self._program, self._answers = program, []

    def infer(self, batch):
        for known, answer in self._answers:
            if known is batch:
                return answer
        self._answers.append((batch, self._program.infer(batch)))
        return self._answers[-1][1]

    def __getattr__(self, name):
        return getattr(self._program, name)


class Uncounted:
    """Everything NumPy's program does, but that counting a call fails, or ends the process."""

    def __init__(self, program, mode):
        self._program, self._mode = program, mode

    def figures(self, phase, batch):
        if self._mode == "lost":
            os.kill(os.getpid(), signal.SIGKILL)
        raise RuntimeError("counting always fails")

    def __getattr__(self, name):
        return getattr(self._program, name)


class SaboteurBackend:
    """Everything NumPy's backend does, and programs that misbehave."""

    def __init__(self):
        self._backend = NumpyBackend()

    def build(self, workload, weights, arm, seed=0):
        program = self._backend.build(workload, weights, replace(arm, mode="eager"), seed)
        if arm.mode == "kept":
            return KeptAnswers(program)
        if arm.mode in ("uncounted", "lost"):
            return Uncounted(program, arm.mode)
        return program if arm.mode == "honest" else SaboteurProgram(program, arm.mode)

    def __getattr__(self, name):
        return getattr(self._backend, name)
