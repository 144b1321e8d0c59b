"""A third party's backend that is narrow, wrong or dying, one way a mode."""

import pytest
from helpers.installing import install, installed_here

BACKEND = """
import os
import signal
import time
from dataclasses import replace

import dnnbench_numpy.gradients as gradients
from dnnbench_numpy.backend import NumpyBackend
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench.protocol.capabilities import Capabilities

MODES = ("narrow", "wrong", "dying", "forgetful", "absent", "empty", "waiting")


@hookimpl
def dnnbench_backends():
    return [BackendInfo("stranger", "Stranger", MODES, "narrow", "stranger_plugin:Stranger")]


def kinds(workload):
    return {node.op.kind for node in workload.model.nodes}


def wrong_sigmoid(op, g, y, x):
    return (lambda: g * y * (1 - y) * (1 + 6e-6),), {}


def await_reader():
    for _ in range(600):
        if os.path.exists(os.environ["READ"]):
            return
        time.sleep(0.1)
    raise OSError("nobody read the float64 rows while float32 was still to come")


class Forgetful:
    def __init__(self, program):
        self._program = program

    def infer(self, batch):
        self._program.train_step(batch)
        return self._program.infer(batch)

    def __getattr__(self, name):
        return getattr(self._program, name)


class Stranger:
    def __init__(self):
        self._backend = NumpyBackend()

    def configure(self, arm):
        if arm.mode == "absent":
            raise OSError("no such device")
        if arm.mode == "waiting" and arm.dtype == "float32":
            await_reader()
        if arm.mode == "wrong":
            gradients.sigmoid = wrong_sigmoid

    def capabilities(self, workload, arm):
        if arm.mode == "empty":
            return Capabilities.none("nothing works yet")
        strange = kinds(workload) - {"dense", "flatten", "relu", "softmax"}
        if arm.mode == "narrow" and strange:
            return Capabilities.none(f"no {', '.join(sorted(strange))} here")
        return Capabilities()

    def build(self, workload, weights, arm, seed=0):
        if arm.mode == "dying" and "tanh" in kinds(workload):
            os.kill(os.getpid(), signal.SIGKILL)
        program = self._backend.build(workload, weights, replace(arm, mode="eager"), seed)
        return Forgetful(program) if arm.mode == "forgetful" else program

    def __getattr__(self, name):
        return getattr(self._backend, name)
"""


@pytest.fixture(scope="module")
def stranger(tmp_path_factory):
    """An installed distribution, as pip would leave it, for every worker of this module."""
    folder = tmp_path_factory.mktemp("stranger")
    install(folder, "stranger", BACKEND)
    with installed_here(folder):
        yield folder
