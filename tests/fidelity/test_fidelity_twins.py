"""The twins that programs are timed beside compute the same networks, at small sizes."""

import os
from pathlib import Path

import numpy as np
import pytest
from dnnbench.data.dataset import load
from dnnbench.execution.batch import timing_batch
from dnnbench.execution.pool import spawn, start_request
from dnnbench.plugins.discovery import load_backend, plugins
from dnnbench.protocol.arm import Arm
from dnnbench.spec.weights import initial_weights
from equal import Unequal, rms
from fidelity import comparing
from fidelity.measure import SERVICE
from fidelity.networks import NETWORKS
from fidelity.rounding import moved_by_rounding, results_of
from fidelity.service import Fidelity
from fidelity.sides import ProgramSide
from fidelity.styles import styles_of

IN_PROCESS = ("torch:eager",)
"""Arms whose backend computes beside others in a process, and compiles nothing."""
COMPILED_LONG = ("lstm_lm", "bert_base")
"""Networks whose twins a compiler takes many seconds for."""
DEEP = ("mobilenet_v2", "densenet121", "resnet18")
BENCHMARKS = Path(comparing.__file__).parents[1]
ATTENTION = ("bert_base", "gpt2_small")
"""Networks whose twins round something to float32 whatever the type is: in `jax.nn` attention's
scores, in Keras and Flax a part that is not known. They are not chaotic.
"""
OTHER_KERNELS = ("tensorflow:graph", "tensorflow:xla", "jax:jit")
PATIENCE_S = 600


def equality_of(name, network):
    arm = Arm(*name.split(":"))
    backend = load_backend(plugins().backend(arm.backend).target)
    one = NETWORKS[network]
    return comparing.sides_of(one, one.small, styles_of(name, network), backend, arm)[1]


@pytest.mark.parametrize(
    "network",
    [pytest.param(n, marks=pytest.mark.exhaustive) if n in DEEP else n for n in NETWORKS],
)
@pytest.mark.parametrize("arm", IN_PROCESS)
def test_twins_compute_the_same(arm, network):
    equality = equality_of(arm, network)
    assert set(equality) == set(styles_of(arm, network))
    assert all(one.outputs <= 1 for one in equality.values())
    assert all(one.weights <= 1 for one in equality.values())


@pytest.mark.exhaustive  # TensorFlow traces for many seconds
@pytest.mark.compiled
@pytest.mark.parametrize("network", ["gru_seq2seq", "resnet18", "mobilenet_v2"])
def test_twins_that_differ_by_keras_s_optimizers_or_by_rounding_are_let_through(network):
    assert set(equality_of("tensorflow:graph", network)) == {"Keras", "Keras fit", "tf.nn"}


@pytest.mark.slow
@pytest.mark.compiled
@pytest.mark.parametrize(
    "network", ["mlp", *(pytest.param(n, marks=pytest.mark.exhaustive) for n in COMPILED_LONG)]
)
@pytest.mark.parametrize("arm", ("tensorflow:graph", "jax:jit"))
def test_compiled_twins_compute_the_same(arm, network):
    assert set(equality_of(arm, network)) == set(styles_of(arm, network))


@pytest.fixture(scope="module")
def exact():
    """By arm, a worker that computes in float64, started when it is first asked for."""
    opened = {}

    def get(name):
        if name not in opened:
            backend, mode = name.split(":")
            arm = Arm(backend, mode, dtype="float64")
            opened[name] = worker = spawn(arm, f"exact-{name}", service=SERVICE)
            worker.ask(Fidelity.start, PATIENCE_S, start_request(arm))
        return opened[name]

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(BENCHMARKS), prepend=os.pathsep)
        yield get
    for worker in opened.values():
        worker.close()


@pytest.mark.exhaustive  # each is traced or compiled for seconds
@pytest.mark.compiled
@pytest.mark.xdist_group("twins in float64")
@pytest.mark.parametrize("network", [name for name in NETWORKS if name not in ATTENTION])
@pytest.mark.parametrize("arm", OTHER_KERNELS)
def test_in_float64_nothing_is_left_for_chaos_to_hide(exact, arm, network):
    """Roundings of float64 move no network far, so what they excuse is next to nothing."""
    equality = exact(arm).ask(Fidelity.compare, PATIENCE_S, network)
    assert set(equality) == set(styles_of(arm, network))
    assert all(one.moved < 1e-5 for one in equality.values())


def test_roundings_move_a_shallow_network_little_and_leave_its_start():
    """The program that was started from other weights is compared from its own again."""
    network = NETWORKS["mlp"]
    workload = network.workload(network.small)
    first = initial_weights(workload.model, 0)
    backend = load_backend(plugins().backend("torch").target)
    program = backend.build(workload, first, Arm("torch", "eager"), 0)
    batch = timing_batch(load(workload), workload.batch_size, 0)
    side = ProgramSide(program, batch)
    before = results_of(side)
    moved = moved_by_rounding(side, first, before)
    for name, array in results_of(side).weights.items():
        np.testing.assert_array_equal(array, before.weights[name])
        assert 0 < moved.weights[name] < 1e-3 * rms(array - first[name])


@pytest.fixture
def another_rate(monkeypatch):
    """PyTorch's twins train at 0.99 of the rate."""
    from fidelity.twins import torch_training

    made = torch_training._optimizer

    def slower(spec, *arguments):
        return made(
            spec.model_copy(update={"learning_rate": 0.99 * spec.learning_rate}), *arguments
        )

    monkeypatch.setattr(torch_training, "_optimizer", slower)


@pytest.mark.usefixtures("another_rate")
def test_a_twin_that_trains_at_another_rate_is_refused():
    with pytest.raises(Unequal, match="weights after 3 steps"):
        equality_of("torch:eager", "mlp")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("another_rate")
def test_chaos_hides_no_fault_of_a_twin_that_has_the_same_kernels():
    """Where roundings move a network far, they must not excuse sides that round alike."""
    with pytest.raises(Unequal, match="weights after 3 steps"):
        equality_of("torch:eager", "mobilenet_v2")


def test_a_twin_with_another_epsilon_is_refused(monkeypatch):
    from fidelity.twins.torch_networks import Bert

    init = Bert.__init__

    def other(self, **sizes):
        init(self, **sizes)
        self.norm.eps = 1e-5

    monkeypatch.setattr(Bert, "__init__", other)
    with pytest.raises(Unequal, match="outputs/logits"):
        equality_of("torch:eager", "bert_base")
