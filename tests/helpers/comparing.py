"""Small networks checked in this process, and what was observed of them."""

from functools import cache

import numpy as np
from dnnbench.agreement.allowances import STEPS
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.keys import Group, TensorKey, as_texts, from_texts
from dnnbench.agreement.observing import observe
from dnnbench.agreement.reference import make_reference
from dnnbench.protocol.arm import Arm
from dnnbench.spec.builder import Builder
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend

LOSS = TensorKey(Group.LOSS)
PREDICTION = TensorKey(Group.PREDICTION, phase=Phase.INFER)


def wide():
    """A network with a weight of 8,192 elements."""
    net = Builder("wide")
    x = net.tanh(net.dense(net.input("x", (64,)), units=128, name="wide"))
    model = net.build(net.dense(x, units=5, name="logits"))
    return Workload(name="wide", model=model, batch_size=4)


def single_key():
    """Attention over one key: its softmax is 1, so that queries and keys have no gradient."""
    net = Builder("single_key")
    x = net.reshape(net.input("x", (6,)), shape=(1, 6))
    query, key, value = (net.dense(x, units=6, name=name) for name in ("query", "key", "value"))
    model = net.build(
        net.dense(net.flatten(net.attention(query, key, value, heads=1)), units=5, name="logits")
    )
    return Workload(name="single_key", model=model, batch_size=4)


OWN_NETWORKS = {"wide": wide, "single_key": single_key}


@cache
def checked(case="batch_norm", dtype="float64"):
    workload = (OWN_NETWORKS.get(case) or CASES[case])()
    weights, batches = initial_weights(workload.model, 0), batches_of(workload)

    def build_in(mode, dtype):
        return lambda variant: NumpyBackend().build(
            variant, weights, Arm("numpy", mode, dtype=dtype)
        )

    reference = make_reference(build_in, workload, batches, STEPS, dtype)
    norm = reference.gradient_norm
    observed = observe(build_in("eager", dtype), workload, batches, STEPS, norm=norm)
    return workload, reference, observed


def copied(tensors):
    """Tensors that a test may change, by the text of their keys."""
    return {text: np.array(array) for text, array in as_texts(tensors).items()}


def compared(reference, observed, workload, dtype):
    """Comparisons by the text of their keys, of tensors by the text of theirs."""
    tensors = from_texts(observed)
    return {str(c.key): c for c in compare(reference, tensors, workload, dtype)}
