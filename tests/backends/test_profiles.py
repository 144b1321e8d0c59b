"""Calls looked into by each framework's own tools: time by node, a trace, and nothing changed."""

import gzip
import json
import math

import numpy as np
import pytest
from dnnbench.protocol.profile import NodeClock, Profile, Trace
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from dnnbench.spec.model import Node
from dnnbench.spec.ops import Relu
from dnnbench.spec.phases import Phase
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases.batches import batches_of
from helpers.programs import built

CALLS = 3
EVERY_NODE = [
    ("numpy:eager", Phase.TRAIN_STEP),
    ("torch:eager", Phase.TRAIN_STEP),
    pytest.param("jax:jit", Phase.TRAIN_STEP, marks=pytest.mark.exhaustive),
    pytest.param("tensorflow:graph", Phase.TRAIN_STEP, marks=pytest.mark.exhaustive),
    ("numpy:eager", Phase.INFER),
    ("torch:eager", Phase.INFER),
    pytest.param("jax:jit", Phase.INFER, marks=pytest.mark.exhaustive),
    pytest.param("jax:eager", Phase.INFER, marks=pytest.mark.exhaustive),
    pytest.param("tensorflow:graph", Phase.INFER, marks=pytest.mark.exhaustive),
    pytest.param("tensorflow:eager", Phase.INFER, marks=pytest.mark.exhaustive),
    pytest.param("onnxruntime:unoptimized", Phase.INFER, marks=pytest.mark.exhaustive),
]
WITH_REASON = [
    pytest.param("torch:compile", "torch.compile makes one", marks=pytest.mark.exhaustive),
    pytest.param("jax:eager", "tracers", marks=pytest.mark.exhaustive),
    pytest.param("tensorflow:eager", "the tape does not say", marks=pytest.mark.exhaustive),
    pytest.param("tensorflow:xla", "XLA", marks=pytest.mark.exhaustive),
]


def network():
    """A wide layer between two narrow ones, so that it takes most of the time."""
    net = Builder("wide")
    x = net.input("x", (512,))
    x = net.softmax(net.dense(x, units=2048, name="wide"), name="active")
    model = net.build(net.dense(x, units=4, name="logits"))
    return Workload(name="wide", model=model, task=Task(data=Synthetic(examples=64)))


@pytest.fixture(scope="module")
def workload():
    return network()


def profiled(text, phase, workload):
    program = built(text, workload)
    placed = program.put(batches_of(workload)[0])
    program.wait(getattr(program, phase)(placed))
    return program.profile(phase, placed, CALLS)


@pytest.mark.parametrize(("arm", "phase"), EVERY_NODE)
def test_every_node_has_a_time(workload, arm, phase):
    profile = profiled(arm, phase, workload)
    assert profile.no_nodes == ""
    assert set(profile.forward_s) <= {"wide", "active", "logits"}
    assert {"wide", "logits"} <= set(profile.forward_s)
    assert 0 < sum(profile.forward_s.values()) < 2 * profile.call_s


@pytest.mark.parametrize(("arm", "phase"), EVERY_NODE[:4])
def test_gradients_have_a_time_of_their_own(workload, arm, phase):
    assert profiled(arm, phase, workload).backward_s["wide"] > 0


@pytest.mark.parametrize(("arm", "reason"), WITH_REASON)
def test_what_cannot_be_told_has_a_reason(workload, arm, reason):
    profile = profiled(arm, Phase.TRAIN_STEP, workload)
    assert reason in profile.no_nodes
    assert profile.trace is not None


@pytest.mark.parametrize("arm", ["numpy:eager", "torch:eager"])
def test_a_trace_is_one_that_chrome_reads(workload, arm):
    trace = profiled(arm, Phase.INFER, workload).trace
    content = gzip.decompress(trace.content) if trace.suffix.endswith("gz") else trace.content
    names = {event.get("name", "") for event in json.loads(content)["traceEvents"]}
    assert any("wide" in name for name in names)


@pytest.mark.parametrize("arm", ["numpy:eager", "torch:eager"])
def test_what_is_timed_afterwards_is_the_program_as_it_was(workload, arm):
    program = built(arm, workload)
    placed = program.put(batches_of(workload)[0])
    before = program.get(program.infer(placed))
    program.profile(Phase.INFER, placed, CALLS)
    after = program.get(program.infer(placed))
    assert all(np.array_equal(before[key], after[key]) for key in before)
    assert program.facts()["compilations"] == 0


def test_a_clock_adds_up_a_node_that_is_computed_twice():
    clock = NodeClock()
    node = Node(name="n", op=Relu(), inputs=("x",))
    compute = clock.around("forward", lambda node, value: value)
    assert [compute(node, value) for value in (1, 2)] == [1, 2]
    profile = clock.profile(1.0, 2)
    assert set(profile.forward_s) == {"n"}
    assert len(json.loads(profile.trace.content)["traceEvents"]) == 2


def test_what_was_not_looked_into_says_why():
    profile = Profile.none("it is asleep")
    assert math.isnan(profile.call_s)
    assert (profile.no_nodes, profile.no_trace) == ("it is asleep", "it is asleep")


@pytest.mark.parametrize(
    "given",
    [{"no_trace": "why"}, {"no_nodes": "why"}, {"trace": Trace(b"", "json", "x")}],
)
def test_what_is_missing_without_a_reason_is_refused(given):
    with pytest.raises(TypeError, match="does not say why"):
        Profile(1.0, **given)
