"""Devices: how they are written, chosen and mapped to each framework's own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dnnbench.errors import UsageError, WorkerError
from dnnbench.execution import devices
from dnnbench.execution.arms import select
from dnnbench.execution.checking import ensure_references, reference_path
from dnnbench.execution.plan import resolved
from dnnbench.execution.pool import spawn, start_request, started
from dnnbench.execution.reporter import Silent
from dnnbench.plugins.discovery import plugins
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.device import AUTO, Device
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.__main__ import SERVICE
from dnnbench.worker.clients.agreement import AgreementClient
from dnnbench.worker.clients.arm import ArmClient
from dnnbench.worker.clients.timing import TimingClient
from dnnbench.worker.services.agreement import CheckRequest
from dnnbench.worker.services.timing import BuildRequest
from helpers.backends import CONTENDERS


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("cpu", ("cpu", 0)),
        ("gpu", ("gpu", 0)),
        ("gpu:1", ("gpu", 1)),
        ("TPU:3", ("tpu", 3)),
        (" cpu:0 ", ("cpu", 0)),
    ],
)
def test_devices_as_users_write_them(text, expected):
    device = Device.parse(text)
    assert (device.kind, device.index) == expected
    assert Device.parse(str(device)) == device


@pytest.mark.parametrize("text", ["", "gpux", "gpu:", "gpu:-1", "cuda", "gpu 1", "auto"])
def test_other_words_are_refused_with_those_that_are_known(text):
    with pytest.raises(UsageError, match="cpu, gpu, tpu"):
        Device.parse(text)


class Told(Silent):
    """Remembers every note."""

    def __init__(self):
        self.notes = []

    def note(self, text):
        self.notes.append(text)


CPU_ONLY = (Device("cpu"),)
WITH_GPU = (*CPU_ONLY, Device("gpu", memory_bytes=80_000))
WITH_TPU = (*CPU_ONLY, Device("tpu"))


@pytest.mark.parametrize(
    ("answers", "expected", "words"),
    [
        ([WITH_GPU, WITH_GPU], "gpu", "every backend has one"),
        ([WITH_GPU, CPU_ONLY], "cpu", "no gpu, because b1 cannot use one"),
        ([WITH_TPU, WITH_TPU], "tpu", "every backend has one"),
        ([CPU_ONLY, CPU_ONLY], "cpu", "device: cpu (auto)"),
        ([WITH_GPU, "the framework does not start"], "cpu", "no gpu, because b1"),
    ],
)
def test_auto_takes_what_every_backend_has_and_says_so(monkeypatch, answers, expected, words):
    """The answers stand for machines that are not here.

    How frameworks are asked is tested below on this one.
    """
    monkeypatch.setattr(devices, "accelerator_in_sight", lambda: True)
    monkeypatch.setattr(
        devices, "list_devices", lambda others: {f"b{i}": a for i, a in enumerate(answers)}
    )
    told = Told()
    assert devices.choose_device(AUTO, select(["all"]).arms, told).kind == expected
    assert any(words in note for note in told.notes), told.notes


def test_a_device_has_the_least_memory_that_a_backend_tells(monkeypatch):
    less = (*CPU_ONLY, Device("gpu", memory_bytes=60_000))
    silent = (*CPU_ONLY, Device("gpu"))
    monkeypatch.setattr(
        devices, "list_devices", lambda others: {"b0": WITH_GPU, "b1": less, "b2": silent}
    )
    assert devices.choose_device(Device("gpu"), select(["all"]).arms, Told()).memory_bytes == 60_000
    monkeypatch.setattr(devices, "list_devices", lambda others: {"b0": silent})
    assert devices.choose_device(Device("gpu"), select(["all"]).arms, Told()).memory_bytes is None


def test_drivers_show_themselves_in_dev(tmp_path):
    assert not devices.accelerator_in_sight(tmp_path)
    (tmp_path / "nvidia0").touch()
    assert devices.accelerator_in_sight(tmp_path)


def test_what_knows_the_cpu_alone_stays_there_and_is_not_ranked_against_a_gpu():
    chosen = select(["all"])
    arms, unequal = resolved(chosen.arms, {AUTO: Device("gpu")})
    places = {arm.backend: (arm.device.kind, arm in unequal) for arm in arms}
    assert places.pop("numpy") == ("cpu", True)
    assert places.pop("onnxruntime") == ("cpu", True)
    assert set(places.values()) == {("gpu", False)}
    assert set(unequal.values()) == {"runs on cpu, the others on gpu"}


def test_auto_asks_only_backends_that_know_other_devices(monkeypatch):
    asked = []
    monkeypatch.setattr(devices, "accelerator_in_sight", lambda: True)
    monkeypatch.setattr(
        devices, "list_devices", lambda arms: asked.extend(arms) or {"torch": WITH_GPU}
    )
    arms = select(["numpy,onnxruntime,torch"]).arms
    assert devices.choose_device(AUTO, arms, Told()).kind == "gpu"
    assert [arm.backend for arm in asked] == ["torch"]


@pytest.mark.slow
def test_devices_are_listed_by_backend():
    listed = devices.list_devices(select(["numpy,torch"]).arms)
    assert {name: rows[0].kind for name, rows in listed.items()} == {"numpy": "cpu", "torch": "cpu"}


@pytest.mark.slow
@pytest.mark.xdist_group("service workers")
@pytest.mark.parametrize(
    "backend",
    ["torch", *(pytest.param(name, marks=pytest.mark.exhaustive) for name in CONTENDERS[1:])],
)
def test_a_device_that_is_not_there_is_refused_never_replaced(workers, backend):
    worker = workers.get(backend)
    there = ArmClient(worker, 120).devices()
    assert there[0].kind == "cpu"
    beyond = 1 + max(device.index for device in there)
    arm = Arm(backend, plugins().backends[backend].default_mode)
    try:
        with pytest.raises(WorkerError, match=f"has no device 'cpu:{beyond}'"):
            ArmClient(worker, 120).start(start_request(replace(arm, device=Device("cpu", beyond))))
            facts_of(worker)
    finally:
        ArmClient(worker, 120).start(start_request(arm))


@pytest.mark.slow
@pytest.mark.parametrize(
    ("backend", "variables", "service"),
    [
        ("jax", {"JAX_NUM_CPU_DEVICES": "2"}, SERVICE),
        pytest.param(
            "tensorflow",
            {"PYTHONPATH": str(Path(__file__).parents[1])},
            "helpers.two_devices:TwoCpus",
            marks=pytest.mark.exhaustive,
        ),
    ],
)
def test_a_second_logical_cpu_is_really_used(monkeypatch, backend, variables, service):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    facts = run_on(backend, [Device("cpu", 0), Device("cpu", 1)], service)
    assert ["0" in f["device"] and "1" not in f["device"] for f in facts] == [True, False], facts
    assert "1" in facts[1]["device"], facts
    assert [f["device_s"] for f in facts] == [None, None]


def run_on(backend, devices, service=SERVICE):
    """Facts on each device in turn, in one worker."""
    arm = Arm(backend, plugins().backends[backend].default_mode)
    facts = []
    with spawn(arm, f"test-{backend}", service=service) as worker:
        for device in devices:
            ArmClient(worker, 120).start(start_request(replace(arm, device=device)))
            facts.append(facts_of(worker))
    return facts


def facts_of(worker):
    """Facts of a program that took a training step, and seconds of another
    by its device's own clock.
    """
    workload = CASES["batch_norm"]()
    batch = batches_of(workload, 1)[0]
    timing = TimingClient(worker, 120)
    timing.build(BuildRequest("k", workload, initial_weights(workload.model, 0), batch, seed=0))
    assert np.isfinite(timing.first_call("k", "train_step"))
    device_s = timing.device_call_s("k", "train_step", 2)
    return timing.describe("k").to_json() | {"device_s": device_s}


@pytest.mark.slow
@pytest.mark.parametrize(
    "kind", [pytest.param("gpu", marks=pytest.mark.gpu), pytest.param("tpu", marks=pytest.mark.tpu)]
)
@pytest.mark.xdist_group("service workers")
@pytest.mark.parametrize("backend", CONTENDERS)
def test_an_accelerator_computes_the_same(workers, backend, kind):
    """On a machine that has one: every op on the device against the reference,
    and the device really used.
    """
    if not devices.accelerator_in_sight():
        pytest.skip(f"no {kind}: /dev shows no driver of an accelerator")
    there = ArmClient(workers.get(backend), 120).devices()
    if not any(device.kind == kind for device in there):
        pytest.skip(f"no {kind} that {backend} can use here")
    arm = Arm(backend, plugins().backends[backend].default_mode, Device(kind))
    workload = CASES["everything"]()
    request = CheckRequest(workload, tuple(batches_of(workload)), (1, 5), seed=0).in_dtype(
        "float32"
    )
    ensure_references([request])
    with started(arm, f"test-{backend}-{kind}") as worker:
        rows = AgreementClient(worker).check(request, reference_path(request))
    worst = max(rows, key=lambda row: row.ratio)
    assert worst.ok, worst
    (facts,) = run_on(backend, [Device(kind)])
    assert kind in facts["device"].lower().replace("cuda", "gpu")
    assert backend != "torch" or 0 < facts["device_s"] < 1, (
        "CUDA events tell the seconds of a small step"
    )
