"""The numbers every backend starts from: the same on every machine, whatever else is drawn."""

import hashlib

import numpy as np
import pytest
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.builder import Builder
from dnnbench.spec.tensor import Initializer
from dnnbench.spec.weights import generator, initial_weights


def checksum(arrays):
    digest = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        digest.update(f"{name}{array.dtype.str}{array.shape}".encode() + array.tobytes())
    return digest.hexdigest()[:16]


@pytest.mark.parametrize(
    "name, wanted", [("mlp_digits", "92bde3c87a5ebaa1"), ("cnn_digits", "b9f3f65a65b468c4")]
)
def test_initial_weights_are_the_same_everywhere(name, wanted):
    assert checksum(initial_weights(find_workload(name).model, seed=0)) == wanted


def test_initial_weights_by_name_shape_and_type():
    weights = initial_weights(find_workload("mlp_digits").model, seed=0)
    assert {name: array.shape for name, array in weights.items()} == {
        "fc1.weight": (64, 128),
        "fc1.bias": (128,),
        "fc2.weight": (128, 64),
        "fc2.bias": (64,),
        "logits.weight": (64, 10),
        "logits.bias": (10,),
    }
    assert {array.dtype for array in weights.values()} == {np.dtype(np.float32)}
    assert not any(weights[name].any() for name in weights if name.endswith("bias"))


def test_he_uniform_has_its_bound_and_variance():
    weight = initial_weights(find_workload("mlp_digits").model, seed=0)["fc1.weight"]
    bound = np.sqrt(6 / 64)
    assert np.abs(weight).max() <= bound
    assert np.abs(weight).max() > 0.999 * bound
    assert weight.var() == pytest.approx(2 / 64, rel=0.05)
    assert abs(weight.mean()) < 5 * weight.std() / np.sqrt(weight.size)


def test_seed_and_name_choose_the_draw_and_nothing_else_does():
    def net(*units):
        builder = Builder("net")
        x = builder.input("x", (8,))
        for i, width in enumerate(units):
            x = builder.dense(x, units=width, name=f"fc{i}")
        return builder.build(x)

    one, two = initial_weights(net(6), 0), initial_weights(net(6, 5), 0)
    np.testing.assert_array_equal(one["fc0.weight"], two["fc0.weight"])
    assert not np.array_equal(one["fc0.weight"], initial_weights(net(6), 1)["fc0.weight"])


def test_state_and_constants_start_too():
    net = Builder("net")
    x = net.add(
        net.input("x", (4,)), net.constant("shift", (4,), Initializer(kind="uniform", bound=0.5))
    )
    weights = initial_weights(net.build(net.batch_norm(x, name="bn")), seed=3)
    assert list(weights) == ["shift", "bn.scale", "bn.bias", "bn.mean", "bn.variance"]
    assert 0 < np.abs(weights["shift"]).max() <= 0.5
    assert (weights["bn.variance"] == 1).all()
    assert (weights["bn.mean"] == 0).all()


def test_generators_of_two_names_are_independent():
    a, b = (generator(0, name).standard_normal(20_000) for name in ("a", "b"))
    assert abs(np.corrcoef(a, b)[0, 1]) < 5 / np.sqrt(20_000)
