"""Recurrent layers in JAX: where inputs are multiplied, in the steps or before the first."""

from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from dnnbench_jax import device
from dnnbench_jax.recurrent import every_state, gru_step, lstm_step

pytestmark = pytest.mark.compiled
N, T, I, H = 2, 5, 3, 4
LAYERS = {"lstm": (lstm_step, 4, 2, ()), "gru": (gru_step, 3, 1, ((H,),))}
"""Step, gates, states and the shapes of what it reads besides the recurrent weights."""


def layer(kind):
    """(every state as a function of arrays, those arrays)"""
    step, gates, count, own = LAYERS[kind]
    draw = np.random.default_rng(0)
    shapes = [(N, T, I), (I, gates * H), (gates * H,), (H, gates * H), *own]
    arrays = [jnp.array(draw.normal(size=shape), jnp.float32) for shape in shapes]
    states = (jnp.zeros((N, H)),) * count

    def states_of(x, *parameters):
        return every_state(step, x, states if count > 1 else states[0], *parameters)

    return states_of, arrays


def products_of_a_step(jaxpr):
    """How many products the body of each loop has, forward loops first."""
    found = []
    for equation in jaxpr.eqns:
        inside = [inner_of(value) for value in equation.params.values()]
        bodies = [body for body in inside if body is not None]
        if equation.primitive.name == "scan":
            found.append(sum(e.primitive.name == "dot_general" for e in bodies[0].eqns))
        else:
            found += [count for body in bodies for count in products_of_a_step(body)]
    return found


def inner_of(value):
    inner = getattr(value, "jaxpr", value)
    return inner if hasattr(inner, "eqns") else None


def flat(f, *arguments):
    """What XLA gets, calls within calls written out."""
    return jax.make_jaxpr(f)(*arguments).jaxpr


@pytest.mark.parametrize("kind", LAYERS)
def test_an_inferred_layer_multiplies_inputs_in_its_steps(kind):
    states_of, arrays = layer(kind)
    assert products_of_a_step(flat(states_of, *arrays)) == [2]


@pytest.mark.parametrize("kind", LAYERS)
def test_one_that_is_differentiated_multiplies_them_before(kind):
    states_of, arrays = layer(kind)
    forward, *_ = products_of_a_step(flat(partial(jax.vjp, states_of), *arrays))
    assert forward == 1


@pytest.mark.parametrize("kind", LAYERS)
def test_so_does_one_on_an_accelerator(kind, monkeypatch):
    monkeypatch.setattr(device, "computing", lambda: "gpu")
    states_of, arrays = layer(kind)
    assert products_of_a_step(flat(states_of, *arrays)) == [1]


@pytest.mark.parametrize("kind", LAYERS)
def test_both_ways_give_the_same_states_and_gradients(kind, monkeypatch):
    states_of, arrays = layer(kind)
    g = jnp.array(np.random.default_rng(1).normal(size=(T, N, H)), jnp.float32)

    def states_and_gradients():
        states, backward = jax.vjp(states_of, *arrays)
        return states_of(*arrays), states, *backward(g)

    on_a_cpu = states_and_gradients()
    monkeypatch.setattr(device, "computing", lambda: "gpu")
    for wanted, got in zip(states_and_gradients(), on_a_cpu, strict=True):
        np.testing.assert_allclose(got, wanted, rtol=1e-5, atol=1e-6)
