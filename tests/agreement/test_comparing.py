"""The agreement rule itself: its constants are capped, and each of its clauses can fail."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from dnnbench.agreement.allowances import BUDGET, CHECK_BATCH, STEPS, UNIT, Budget
from dnnbench.agreement.check import check_steps, summarise
from dnnbench.agreement.comparing import compare
from dnnbench.agreement.comparison import TensorComparison
from dnnbench.agreement.deviation import rms
from dnnbench.agreement.divergence import undetermined_trajectories
from dnnbench.agreement.keys import Group, TensorKey, as_texts, from_texts, gradient_of
from dnnbench.agreement.observing import observe, optimizers_to_check
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.reference_files import load_reference, reference_key, save_reference
from dnnbench.agreement.status import Status
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.precision import PRECISIONS
from dnnbench.spec.builder import Builder
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.spec.workload import Workload
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend

LOSS = TensorKey(Group.LOSS)
PREDICTION = TensorKey(Group.PREDICTION, phase=Phase.INFER)

CAPS = Budget(
    noise=10,
    noise_small=30,
    small=10,
    floor=4,
    exact=64,
    local=30,
    kink=2,
    floor_low=1,
    apart=0.5,
    moved=1e3,
    work_flops=2e10,
)


@pytest.mark.parametrize("name", Budget._fields)
def test_no_constant_grows_unseen(name):
    """Raising one weakens every check: do it here too, with the measurement that asks for it
    in docs/agreement.md.
    """
    assert getattr(BUDGET, name) <= getattr(CAPS, name)


def test_types_steps_and_batch():
    assert UNIT["float64"] == 2.0**-53
    assert UNIT["float32"] == 2.0**-24
    assert UNIT.keys() == PRECISIONS.keys()
    assert max(UNIT.values()) == UNIT["bfloat16"] == 2.0**-8
    assert STEPS == (1, 5)
    assert CHECK_BATCH == 4


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
    return workload, reference, observe(build_in("eager", dtype), workload, batches, STEPS)


def comparisons(change, dtype="float64", case="batch_norm"):
    """By text of the key, after a change to what an honest program was observed to compute,
    by text too.
    """
    workload, reference, seen = checked(case, dtype)
    observed = copied(seen)
    change(observed)
    return compared(reference, observed, workload, dtype)


def copied(tensors):
    """Tensors that a test may change, by the text of their keys."""
    return {text: np.array(array) for text, array in as_texts(tensors).items()}


def compared(reference, observed, workload, dtype):
    """Comparisons by the text of their keys, of tensors by the text of theirs."""
    tensors = from_texts(observed)
    return {str(c.key): c for c in compare(reference, tensors, workload, dtype)}


def put(key, value, at=0):
    def change(observed):
        observed[key].reshape(-1)[at] = value

    return change


@pytest.mark.parametrize(
    ("change", "key", "words"),
    [
        (lambda o: o.pop("loss"), "loss", "missing"),
        (put("outputs/logits", np.nan), "outputs/logits", "not finite"),
        (put("gradients/logits.bias", np.inf), "gradients/logits.bias", "not finite"),
        (
            lambda o: o.update({"outputs/logits": o["outputs/logits"][:2]}),
            "outputs/logits",
            "shape (2, 5), expected (4, 5)",
        ),
        (
            lambda o: o.update({"outputs/logits": o["outputs/logits"].astype("f4")}),
            "outputs/logits",
            "type float32",
        ),
        (
            lambda o: o["adam@5/weights/logits.weight"].fill(0),
            "adam@5/weights/logits.weight",
            "should have moved",
        ),
        (
            lambda o: o.update({"prediction": (o["prediction"] + 1) % 5}),
            "prediction",
            "another class",
        ),
        (put("gradients/logits.weight", 1.0), "gradients/logits.weight", "rmse"),
    ],
)
def test_each_fault_is_found_where_it_is(change, key, words):
    by_key = comparisons(change)
    assert not by_key[key].ok
    assert words in by_key[key].reason
    assert all(f.ok for k, f in by_key.items() if k != key)


@pytest.mark.parametrize(
    "dtype", [dtype for dtype in UNIT if dtype != "float64"]
)  # that would be itself
def test_honest_tensors_pass(dtype):
    assert all(f.ok for f in comparisons(lambda observed: None, dtype).values())


@pytest.mark.parametrize(("dtype", "error", "ok"), [("float64", 1e-15, True),
                                                    ("float64", 1e-12, False),
                                                    ("float32", 1e-7, True),
                                                    ("float32", 1e-4, False),
                                                    ("bfloat16", 1e-3, True),
                                                    ("bfloat16", 0.5, False)])  # fmt: skip
def test_the_size_of_the_error_decides(dtype, error, ok):
    def scale(observed):
        observed["outputs/logits"] *= 1 + error

    assert comparisons(scale, dtype)["outputs/logits"].ok is ok


@pytest.mark.parametrize("dtype", ("float64", "float32"))
@pytest.mark.parametrize(
    ("key", "power"),
    [
        ("gradients/query.weight", 1),
        ("adam@1/slots/first_moment/key.bias", 1),
        ("adam@5/slots/second_moment/query.weight", 2),
    ],
)
def test_a_gradient_that_is_zero_altogether_may_hold_rounding_and_no_more(dtype, key, power):
    _, reference, _ = checked("single_key", dtype)
    left = UNIT[dtype] * max(
        rms(array) for key, array in reference.tensors.items() if key.group is Group.GRADIENTS
    )
    assert not reference.tensors[TensorKey.parse(key)].any()
    assert left > 0
    for times, ok in ((1, True), (5, True), (100, False), (1e6, False)):
        by_key = comparisons(
            lambda o, size=(times * left) ** power: o[key].fill(size), dtype, "single_key"
        )
        assert by_key[key].ok is ok, (times, by_key[key])
        assert all(f.ok for k, f in by_key.items() if k != key)


def test_a_single_wrong_element_that_the_rmse_hides_is_found():
    """Off by 60 allowances, one element of 8,192 adds only 0.7 allowances to the rmse."""
    workload, reference, seen = checked("wide")
    key = "gradients/wide.weight"

    def with_error(size):
        observed = copied(seen)
        observed[key].reshape(-1)[7] += size
        return compared(reference, observed, workload, "float64")[key]

    allowance = 1e-6 / (BUDGET.local * with_error(1e-6).ratio)
    assert with_error(0).ok
    assert not with_error(60 * allowance).ok
    assert "largest single error" in with_error(60 * allowance).reason
    assert with_error(20 * allowance).ok


def restless(dtype):
    """A network whose honest evaluations lie far apart after five steps:
    sigma is made as large as the way.
    """
    workload, reference, seen = checked(dtype=dtype)
    far = {
        k: float(np.sqrt(np.mean(np.square(r))))
        if (k.group, k.step) == (Group.WEIGHTS, 5)
        else reference.sigma[k]
        for k, r in reference.tensors.items()
    }
    return workload, replace(reference, sigma=far), copied(seen)


def test_what_a_precision_does_not_determine_is_not_compared_and_told():
    workload, reference, seen = restless("float32")
    for key in (
        "momentum@5/slots/velocity/logits.weight",
        "momentum@1/slots/velocity/logits.weight",
    ):
        seen[key] *= 3
    by_key = compared(reference, seen, workload, "float32")
    assert by_key["momentum@5/slots/velocity/logits.weight"].status is Status.UNDETERMINED
    assert not by_key["momentum@1/slots/velocity/logits.weight"].ok
    rows = {(row.kind, row.optimizer): row for row in summarise(list(by_key.values()))}
    assert rows["undetermined@5", "momentum"].ok
    assert "by 100% of the way that the weights went" in rows["undetermined@5", "momentum"].reason
    assert ("weights@5", "momentum") not in rows
    assert ("weights@1", "momentum") in rows


@pytest.mark.parametrize(
    ("dtype", "key", "ok"),
    [
        ("float32", "adam@5/weights/logits.weight", True),
        ("float32", "adam@5/slots/first_moment/logits.weight", True),
        ("float32", "adam@1/weights/logits.weight", False),
        ("float32", "gradients/logits.weight", False),
        ("float64", "adam@5/weights/logits.weight", False),
    ],
)
def test_from_the_second_step_on_the_flipped_evaluation_is_an_honest_one(dtype, key, ok):
    """Three of its errors off: where it stands for rule 5 alone, two of them are too many."""
    workload, reference, seen = checked(dtype=dtype)
    at = TensorKey.parse(key)
    flipped = 0.01 * float(np.sqrt(np.mean(np.square(reference.tensors[at]))))
    tying = replace(reference, sigma_kink=reference.sigma_kink | {at: flipped})
    off = copied(seen) | {key: reference.tensors[at] + 3 * flipped}
    if at.group is not Group.WEIGHTS:
        off[key] = off[key].astype(dtype)
    assert compared(tying, off, workload, dtype)[key].ok is ok


def test_where_a_choice_that_nearly_ties_decides_the_way_nothing_is_determined():
    workload, reference, seen = restless("float32")
    tying = replace(reference, sigma=checked(dtype="float32")[1].sigma, sigma_kink=reference.sigma)
    by_key = compared(tying, seen, workload, "float32")
    assert by_key["momentum@5/weights/logits.weight"].status is Status.UNDETERMINED


def test_what_is_not_finite_is_found_there_too():
    workload, reference, seen = restless("float32")
    seen["momentum@5/weights/logits.weight"][0] = np.nan
    by_key = compared(reference, seen, workload, "float32")
    assert not by_key["momentum@5/weights/logits.weight"].ok


def test_in_float64_everything_is_determined():
    workload, reference, seen = restless("float64")
    seen["adam@5/slots/first_moment/logits.weight"] *= 3
    by_key = compared(reference, seen, workload, "float64")
    assert not any(f.status is Status.UNDETERMINED for f in by_key.values())
    assert not by_key["adam@5/slots/first_moment/logits.weight"].ok


def test_the_square_of_a_gradient_of_noise_may_stray_as_its_square():
    """Five sigma off, which the gradient may be, a gradient of rounding alone has a square far more
    than five sigma off.
    """
    workload, reference, seen = checked(dtype="bfloat16")
    gradient = TensorKey.parse("gradients/logits.bias")
    slot = TensorKey.parse("adam@1/slots/second_moment/logits.bias")
    r, optimizer = (
        reference.tensors[gradient],
        next(o for o in optimizers_to_check(workload) if o.kind == "adam"),
    )
    noisy = replace(
        reference,
        tensors=reference.tensors | {gradient: 0 * r, slot: 0 * r},
        sigma=reference.sigma | {gradient: 1e-3, slot: (1 - optimizer.beta2) * 1e-6},
    )

    def of_a_gradient(value):
        observed = seen | {slot: np.full(r.shape, (1 - optimizer.beta2) * value**2, np.float32)}
        return next(c for c in compare(noisy, observed, workload, "bfloat16") if c.key == slot)

    assert of_a_gradient(0.01).ok
    assert not of_a_gradient(1.0).ok


@pytest.mark.parametrize(
    "ratios", [(0.5, np.nan, 9.0), (np.nan, 9.0, 0.5), (9.0, 0.5, np.nan)], ids=str
)
def test_nan_never_agrees_and_is_the_worst_of_its_kind(ratios):
    rows = summarise([TensorComparison(gradient_of(str(ratio)), ratio) for ratio in ratios])
    assert [(row.tensor, row.status) for row in rows] == [("gradients/nan", Status.DIFFERS)]


@pytest.mark.parametrize("honest", ["sigma", "peak"])
@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_without_a_finite_honest_error_nothing_is_compared_and_nothing_agrees(honest, value):
    """An infinite allowance would let anything pass, and `max` passes over a NaN that does
    not come first.
    """
    workload, reference, seen = checked(dtype="float16")
    key = TensorKey(Group.OUTPUTS, "logits")
    broken = replace(reference, **{honest: getattr(reference, honest) | {key: value}})
    by_key = {c.key: c for c in compare(broken, seen, workload, "float16")}
    assert by_key[key].status is Status.NOT_COMPARED
    assert not by_key[key].ok


def test_a_reference_that_is_not_finite_decides_nothing_and_that_is_no_difference():
    workload, reference, seen = checked(dtype="float32")
    key = TensorKey.parse("gradients/logits.bias")
    logits = TensorKey(Group.OUTPUTS, workload.model.outputs[0], Phase.INFER)
    tensors = reference.tensors | {
        k: np.full_like(reference.tensors[k], np.nan) for k in (key, logits)
    }
    broken = replace(reference, tensors=tensors)
    by_key = {c.key: c for c in compare(broken, seen, workload, "float32")}
    assert by_key[key].status is Status.NOT_COMPARED
    assert "decides nothing" in by_key[key].reason
    assert by_key[PREDICTION].status is Status.NOT_COMPARED, (
        "a class has no truth where the logits have none"
    )


def test_evaluations_that_are_not_finite_determine_nothing():
    _, reference, _ = restless("float32")
    of_weights = [key for key in reference.sigma if key.group is Group.WEIGHTS]
    lost = {key: np.nan for key in of_weights if key.trajectory == ("momentum", 5)}
    broken = replace(reference, sigma=reference.sigma | lost)
    assert ("momentum", 5) in undetermined_trajectories(broken)


def test_the_honest_error_is_nan_where_any_evaluation_is(monkeypatch):
    """Whichever of the three it is: Python's `max` tells it only of the first."""
    workload, batches = CASES["dense"](), batches_of(CASES["dense"]())
    for broken in ("blocked", "reversed"):

        def build_in(mode, dtype, broken=broken):
            weights = initial_weights(workload.model, 0)
            if mode == broken:
                weights = {name: np.full_like(value, np.nan) for name, value in weights.items()}
            return lambda w: NumpyBackend().build(w, weights, Arm("numpy", mode, dtype=dtype))

        reference = make_reference(build_in, workload, batches, (1,), "float32")
        assert np.isnan(reference.sigma[LOSS]), broken
        assert np.isnan(reference.peak[LOSS]), broken


def test_heavy_work_is_checked_for_one_step():
    light = CASES["dense"]()
    heavy = CASES["conv2d_same"]()
    nodes = list(heavy.model.nodes)
    nodes[0] = nodes[0].model_copy(
        update={"op": nodes[0].op.model_copy(update={"filters": 400_000})}
    )
    from dnnbench.spec.model import Model

    model = Model(**(heavy.model.model_dump() | {"nodes": [n.model_dump() for n in nodes]}))
    assert check_steps(light) == (1, 5)
    assert check_steps(heavy.model_copy(update={"model": model})) == (1,)


def test_a_reference_survives_the_disk(tmp_path):
    _, reference, _ = checked()
    save_reference(reference, tmp_path / "r.npz")
    back = load_reference(tmp_path / "r.npz")
    assert back.sigma == reference.sigma
    assert back.sigma_kink == reference.sigma_kink
    assert back.peak == reference.peak
    assert back.tensors.keys() == reference.tensors.keys()
    assert all(np.array_equal(back.tensors[k], a) for k, a in reference.tensors.items())


def test_a_reference_written_by_many_at_once_is_whole(tmp_path):
    _, reference, _ = checked()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: save_reference(reference, tmp_path / "r.npz"), range(40)))
    assert load_reference(tmp_path / "r.npz").sigma == reference.sigma
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]


def test_the_cache_key_changes_with_all_that_matters():
    workload = CASES["dense"]()
    batches = batches_of(workload)
    other = [*batches[:-1], replace(batches[-1], targets=batches[-1].targets[::-1].copy())]
    keys = {
        reference_key(workload, batches, (1, 5), 0, "code", "float32"),
        reference_key(CASES["relu"](), batches, (1, 5), 0, "code", "float32"),
        reference_key(workload, other, (1, 5), 0, "code", "float32"),
        reference_key(workload, batches, (1,), 0, "code", "float32"),
        reference_key(workload, batches, (1, 5), 1, "code", "float32"),
        reference_key(workload, batches, (1, 5), 0, "other code", "float32"),
        reference_key(workload, batches, (1, 5), 0, "code", "bfloat16"),
    }
    assert len(keys) == 7
