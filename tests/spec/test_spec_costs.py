"""Work, traffic and memory of whole networks, against figures worked out by hand."""

import pytest
from dnnbench.spec.builder import Builder
from dnnbench.spec.costs import (
    inference,
    memory_parts,
    node_costs,
    parameter_count,
    phase_totals,
    training_step,
)
from dnnbench.spec.data import Synthetic
from dnnbench.spec.optimizers import Adam, Momentum, Sgd
from dnnbench.spec.workload import Task, Workload

N = 10


def mlp(optimizer=None):
    """3 -> 4 -> relu -> 2: 16 + 10 parameters."""
    net = Builder("mlp")
    x = net.relu(net.dense(net.input("x", (3,)), units=4, name="fc1"), name="act")
    model = net.build(net.dense(x, units=2, name="fc2"))
    return Workload(
        name="mlp", model=model, task=Task(optimizer=optimizer or Sgd(), data=Synthetic())
    )


# name: parameters, MACs, forward FLOPs, backward FLOPs, forward bytes, backward bytes, output bytes
BY_HAND = {
    "fc1": (16, 120, 240, 240, 4 * (30 + 16 + 40), 4 * (40 + 30 + 32), 160),
    "act": (0, 0, 40, 40, 4 * (40 + 40), 4 * (40 + 80), 160),
    "fc2": (10, 80, 160, 320, 4 * (40 + 10 + 20), 4 * (20 + 80 + 20), 80),
}


def test_costs_of_each_layer():
    rows = {row.name: tuple(row)[1:] for row in node_costs(mlp().model, N)}
    assert rows == BY_HAND


def test_the_first_layer_has_no_gradient_of_its_input():
    first, _, last = node_costs(mlp().model, N)
    assert first.backward_flops == first.forward_flops
    assert last.backward_flops == 2 * last.forward_flops


def test_an_op_before_every_parameter_has_no_backward_pass():
    net = Builder("net")
    x = net.relu(net.input("x", (3,)), name="act")
    rows = node_costs(net.build(net.dense(x, units=2)), N)
    assert (rows[0].backward_flops, rows[0].backward_bytes) == (0, 0)


def test_inference_totals():
    total = inference(mlp().model, N)
    assert total.flops == 240 + 40 + 160
    assert total.bytes == sum(row[4] for row in BY_HAND.values())
    assert total.memory_bytes == 4 * 26 + 4 * (30 + 40 + 40)


@pytest.mark.parametrize(
    "optimizer, slots, flops", [(Sgd(), 0, 2), (Momentum(), 1, 4), (Adam(), 2, 12)]
)
def test_training_totals(optimizer, slots, flops):
    total = training_step(mlp(optimizer), N)
    assert total.flops == 440 + 600 + 26 * flops
    traffic = sum(row[4] + row[5] for row in BY_HAND.values())
    assert total.bytes == traffic + 4 * 26 * (3 + 2 * slots)
    assert total.memory_bytes == 4 * 26 * (2 + slots) + 4 * (30 + 40 + 40 + 20)


def test_work_grows_with_the_batch_and_weights_do_not():
    small, large = (training_step(mlp(), n) for n in (1, 1001))
    per_example = 44 + 60
    assert large.flops - small.flops == 1000 * per_example
    assert (
        inference(mlp().model, 1, 8).memory_bytes == 2 * inference(mlp().model, 1, 4).memory_bytes
    )


def test_a_shared_parameter_is_counted_once():
    net = Builder("tied")
    x = net.dense(net.input("x", (5,)), units=5, name="fc1")
    model = net.build(net.dense(x, units=5, share={"weight": "fc1.weight"}))
    assert parameter_count(model) == 25 + 5 + 5


def test_a_learned_constant_is_a_parameter():
    net = Builder("shift")
    model = net.build(net.add(net.input("x", (5,)), net.constant("c", (5,))))
    assert parameter_count(model) == 5
    [row] = node_costs(model, N)
    assert row.forward_bytes == 4 * (50 + 5 + 50)


@pytest.mark.parametrize(
    "phase, part", [("infer", 0), ("forward", 0), ("gradients", 1), ("train_step", 2)]
)
def test_phases_contain_each_other(phase, part):
    flops = (440, 440 + 600, 440 + 600 + 2 * 26)
    assert phase_totals(mlp(), N, phase)[0] == flops[part]


def test_a_piece_of_a_phase_has_no_total():
    assert phase_totals(mlp(), N, "update_alone") is None


# phase: weights, optimizer, gradients, activations, batch; 26 parameters, 100 activations,
# 30 inputs of 10 examples
PARTS = {
    "infer": (26, 0, 0, 40 + 40, 30),
    "forward": (26, 0, 0, 40 + 40 + 20, 30),
    "loss": (26, 0, 0, 40 + 40 + 20, 30),
    "gradients": (26, 0, 26, 40 + 40 + 20, 30),
    "train_step": (26, 2 * 26, 26, 40 + 40 + 20, 30),
}


@pytest.mark.parametrize("phase", PARTS)
def test_memory_by_part(phase):
    assert memory_parts(mlp(Adam()), N, phase) == tuple(4 * count for count in PARTS[phase])
    weights, optimizer, gradients, activations, batch = PARTS[phase]
    low = memory_parts(mlp(Adam()), N, phase, itemsize=2, kept=4)
    assert low == (4 * weights, 4 * optimizer, 4 * gradients, 2 * activations, 2 * batch)


def test_the_batch_is_no_activation_of_an_inference():
    net = Builder("narrow")
    model = net.build(net.dense(net.input("x", (100,)), units=2))
    workload = Workload(name="narrow", model=model, task=Task(optimizer=Sgd(), data=Synthetic()))
    parts = memory_parts(workload, N, "infer")
    assert (parts.activations, parts.batch) == (4 * 2 * N, 4 * 100 * N)
