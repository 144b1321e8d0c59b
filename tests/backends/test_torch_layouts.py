"""Strides of axes of size 1 in PyTorch: kernels read the memory format from them,
and some crash or compute something else.
"""

import numpy as np
import pytest
from dnnbench.agreement.keys import Group, keyed
from dnnbench.protocol.arm import Arm
from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import Mse
from dnnbench.spec.phases import Phase
from dnnbench.spec.tensor import Initializer
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend
from helpers.in_this_process import TORCH

pytestmark = TORCH


def convolution_of_channels(net):
    return net.conv2d(net.input("x", (6, 5, 3)), filters=1, kernel=(3, 2))


def strided_convolution_of_channels(net):
    return net.conv2d(
        net.input("x", (6, 5, 3)), filters=1, kernel=(3, 3), strides=(2, 2), bias=False
    )


def convolution_of_a_sequence(net):
    return net.conv1d(net.input("x", (8, 3)), filters=1, kernel=3)


def transposed_convolution_of_one_channel(net):
    x = net.conv2d(net.input("x", (4, 3, 2)), filters=1, kernel=(1, 1))
    return net.conv_transpose2d(x, filters=3, kernel=(2, 2), strides=(2, 2))


def kernel_that_is_a_constant_too(net):
    """Two users that want two layouts: the kernel lies as the spec has it,
    and is turned in every step.
    """
    kernel = net.constant("kernel", (2, 3, 2, 1), Initializer(kind="uniform", bound=1.0))
    x = net.conv2d(
        net.input("x", (4, 3, 2)), filters=1, kernel=(2, 3), bias=False, share={"weight": kernel}
    )
    return net.add(net.flatten(x), net.flatten(net.add(net.input("y", (2, 3, 2, 1)), kernel)))


def mean_of_a_normed_column(net):
    """A row of pixels turned into a column: the stride of its axis of size 1 comes
    from another place.
    """
    column = net.transpose(
        net.add(net.input("x", (1, 5, 4)), net.constant("shift", (4,))), axes=(1, 0, 2)
    )
    return net.global_avg_pool(net.batch_norm(column))


def normed_row_turned_again(net):
    """Here it is the gradient that comes back with such a stride."""
    row = net.transpose(
        net.add(net.input("x", (4, 1, 5)), net.constant("shift", (5,))), axes=(1, 2, 0)
    )
    return net.transpose(net.batch_norm(row), axes=(1, 0, 2))


def one_unit(net):
    return net.dense(net.input("x", (5,)), units=1)


NETWORKS = (
    convolution_of_channels, strided_convolution_of_channels, convolution_of_a_sequence,
    transposed_convolution_of_one_channel, kernel_that_is_a_constant_too, mean_of_a_normed_column,
    normed_row_turned_again, one_unit,
)  # fmt: skip


def workload_of(build):
    net = Builder(build.__name__)
    model = net.build(net.dense(net.flatten(build(net), name="flat"), units=5, name="logits"))
    return Workload(
        name=build.__name__, model=model, task=Task(loss=Mse(), metric="loss"), batch_size=2
    )


def program_of(backend, workload):
    from dnnbench_torch.backend import TorchBackend

    float64 = {"torch": TorchBackend, "numpy": NumpyBackend}
    weights = initial_weights(workload.model, 0)
    return float64[backend]().build(workload, weights, Arm(backend, "eager", dtype="float64"))


@pytest.mark.parametrize("size", [1, 2])
@pytest.mark.parametrize("build", NETWORKS)
def test_gradients_are_the_reference_s_where_an_axis_has_size_1(build, size):
    workload = workload_of(build)
    (batch,) = batches_of(workload, 1, size)
    programs = (program_of(backend, workload) for backend in ("torch", "numpy"))
    result, wanted = (keyed(p.get(p.gradients(p.put(batch))), Phase.GRADIENTS) for p in programs)
    for key in (key for key in wanted if key.group is Group.GRADIENTS):
        np.testing.assert_allclose(result[key], wanted[key], rtol=0, atol=1e-12, err_msg=str(key))


@pytest.mark.parametrize(
    "build", [build for build in NETWORKS if build is not kernel_that_is_a_constant_too]
)
def test_a_gradient_lies_as_its_weight_and_is_not_copied(build):
    workload = workload_of(build)
    program = program_of("torch", workload)
    gradients = program.gradients(program.put(batches_of(workload, 1, 2)[0]))["gradients"]
    assert {n: g.stride() for n, g in gradients.items()} == {
        n: p.stride() for n, p in program._weights.items()
    }
