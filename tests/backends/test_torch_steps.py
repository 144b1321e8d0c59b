"""What PyTorch's steps and layouts could get wrong without a word."""

import numpy as np
import pytest
from dnnbench.agreement.observing import with_optimizer
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.batch import Batch
from dnnbench.spec.ops import OPS
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.weights import initial_weights
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.in_this_process import TORCH

RATE = 0.5
pytestmark = TORCH


def built(workload, dtype="float64", mode="eager"):
    from dnnbench_torch.backend import TorchBackend

    arm = Arm("torch", mode, dtype=dtype)
    return TorchBackend().build(workload, initial_weights(workload.model, 0), arm)


@pytest.mark.parametrize(
    "case",
    [
        "learned_constant_of_images",
        "conv2d_depthwise",
        "conv1d_grouped",
        "lstm",
        "gru",
        "tied_embedding",
    ],
)
def test_a_step_reads_each_gradient_in_its_own_memory_order(case):
    """PyTorch's fused steps do not look at strides."""
    workload = with_optimizer(CASES[case](), Sgd(learning_rate=RATE))
    program = built(workload)
    placed = program.put(batches_of(workload)[0])
    before, gradients = program.weights(), program.get(program.gradients(placed))
    program.wait(program.train_step(placed))
    for name, after in program.weights().items():
        np.testing.assert_allclose(
            after, before[name] - RATE * gradients[f"gradients/{name}"], rtol=0, atol=1e-15
        )


@pytest.mark.parametrize(("op", "role", "shape"), [
    (OPS["dense"](units=3), "weight", (2, 3)),
    (OPS["dense"](units=2, transposed=True), "weight", (2, 3)),
    (OPS["conv1d"](filters=4, kernel=2), "weight", (2, 3, 4)),
    (OPS["conv2d"](filters=5, kernel=(2, 3)), "weight", (2, 3, 4, 5)),
    (OPS["lstm"](units=2), "recurrent", (2, 8)),
    (OPS["gru"](units=2), "weight", (3, 6)),
    (OPS["gru"](units=2), "bias", (6,)),
    (OPS["gru"](units=2), "hidden_bias", (2,)),
])  # fmt: skip
@pytest.mark.parametrize(("dtype", "here"), [("float64", "float64"), ("bfloat16", "float32")])
def test_a_downloaded_parameter_equals_the_uploaded_one(op, role, shape, dtype, here):
    import torch
    from dnnbench_torch.layouts import download, parameter_layout, upload

    array = np.arange(np.prod(shape), dtype=np.float64).reshape(shape)
    layout = parameter_layout(op, role, shape)
    back = download(upload(array, layout, getattr(torch, dtype), torch.device("cpu")), layout)
    assert np.array_equal(back, array)
    assert back.dtype == here


@pytest.mark.slow
@pytest.mark.compiled
def test_a_clipped_step_of_adamw_is_compiled_in_no_mode():
    """What the compiler makes of it takes several times as long as PyTorch's fused one."""
    import torch

    program = built(CASES["adamw_clipped_on_a_schedule"](), mode="compile")
    zeros = {name: torch.zeros_like(p) for name, p in program._weights.items()}
    program._update(zeros)
    assert program.facts()["optimizer"] == "torch.optim.AdamW, fused"
    assert program.facts()["compilations"] == 0


def test_an_update_with_a_gradient_that_is_not_finite_is_skipped_whole():
    workload = CASES["adamw_clipped_on_a_schedule"]()
    program, twin = built(workload, "mixed_float16"), built(workload, "mixed_float16")
    good, other = batches_of(workload)[:2]
    broken = Batch({name: x + np.float32(np.inf) for name, x in good.inputs.items()}, good.targets)
    for batch in (good, broken, other):
        program.wait(program.train_step(program.put(batch)))
    for batch in (good, other):
        twin.wait(twin.train_step(twin.put(batch)))
    for mine, its in (
        (program.weights(), twin.weights()),
        (program.optimizer_state(), twin.optimizer_state()),
    ):
        assert all(np.array_equal(mine[name], its[name]) for name in its)


def test_gradients_are_clipped_in_their_own_memory():
    import torch
    from dnnbench_torch import optimizers

    gradients = [torch.full((3,), 2.0), torch.full((2, 2), 2.0)]
    clipped = optimizers.clipping(1.0, compiled=False)(gradients)
    assert [g.data_ptr() for g in clipped] == [g.data_ptr() for g in gradients]
    assert torch.linalg.vector_norm(torch.cat([g.flatten() for g in clipped])).item() == (
        pytest.approx(1.0)
    )


@pytest.mark.parametrize(
    "make",
    [
        pytest.param(lambda g: [g, g], id="terms of a sum"),
        pytest.param(lambda g: [g[:1].expand(4), g.clone()], id="stretched"),
        pytest.param(lambda g: [g[:2], g[2:]], id="parts of one"),
    ],
)
def test_gradients_that_share_memory_are_clipped_once(make):
    import torch
    from dnnbench_torch import optimizers

    wanted = optimizers.clipping(1.0, compiled=True)(make(torch.arange(1.0, 5.0)))
    clipped = optimizers.clipping(1.0, compiled=False)(make(torch.arange(1.0, 5.0)))
    assert [g.tolist() for g in clipped] == [g.tolist() for g in wanted]
