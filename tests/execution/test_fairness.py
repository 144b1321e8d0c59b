"""The ledger sees arms that differ in what should be equal, and says how."""

from types import SimpleNamespace

import pytest
from dnnbench.execution.facts import AuditFacts, ProgramFacts
from dnnbench.execution.fairness import fairness_audit, unequal
from dnnbench.execution.record import Record, RecordedVisit
from dnnbench.host.affinity import current_mask, spell
from dnnbench.host.placement import ALONE, PLACED
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey, ProgramKey
from dnnbench.spec.phases import Phase
from dnnbench.spec.weights import initial_weights
from dnnbench.stats.flags import STEAL, WAITED
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.clients.timing import TimingClient
from dnnbench.worker.services.timing import BuildRequest
from helpers.in_this_process import TORCH

EXPECTED = {
    "numpy": ("kept", "in place"),
    "torch": ("flushed to zero", "in place"),
    "tensorflow": ("flushed to zero", "in place"),
    "jax": ("flushed to zero", "donated"),
}
"""Denormals and donation on the CPU."""
CASE = CaseKey("net", 4)
TOLD = {"product_bits": 24.0, "cpus": "0,1", "device": "cpu", "threads": 2}


def program(name):
    return ProgramKey(Arm(name, "eager"), CASE)


def found(cpus_used=1.0, **changes):
    """How the second of two arms is unequal to the first, after one case."""
    plan = SimpleNamespace(arms=[Arm(name, "eager") for name in ("base", "other")])
    record = Record(compile_cache="empty")
    for name, used, told in (("base", 1.0, TOLD), ("other", cpus_used, TOLD | changes)):
        audit = AuditFacts(figures={"cpus_used": used})
        record.programs[program(name)] = ProgramFacts(told | {"layout": name}, audit)
    lines = fairness_audit(plan, record, CASE)
    assert any(line.what == "layout" and not line.equal for line in lines), (
        "shown, and no reason to part"
    )
    assert any(
        line.what == "compile cache" and set(line.values.values()) == {"empty"} for line in lines
    )
    return unequal(lines, "base:eager")


def test_equal_arms_are_ranked_together():
    assert found() == {}
    assert found(product_bits=22.6, cpus_used=1.1, device="CPU:0", threads=1) == {}


def test_what_an_arm_does_not_tell_is_left_out():
    assert found(device=None, threads=None) == {}


def shown(what, base, other):
    """What the ledger shows in one line of two arms, from what their programs told and how their
    visits were flagged.
    """
    plan = SimpleNamespace(arms=[Arm(name, "eager") for name in ("base", "other")])
    record = Record()
    for name, (placement, flags) in (("base", base), ("other", other)):
        record.programs[program(name)].description = TOLD | {"placement": placement}
        visits = [RecordedVisit(number, 0, 1, 1e-3, flag) for number, flag in enumerate(flags)]
        record.visits[CellKey(Arm(name, "eager"), CASE, Phase.INFER)] = visits
    (line,) = (line for line in fairness_audit(plan, record, CASE) if line.what == what)
    assert not line.must_match
    return line.values


def test_the_ledger_shows_where_the_threads_were():
    apart = {"infer": ALONE, "loss": ALONE, "train_step": PLACED}
    told = shown("placement of threads", ({"infer": PLACED}, [0]), (apart, [0]))
    assert told == {
        "base:eager": "one a CPU",
        "other:eager": "infer, loss: one thread computes; train_step: one a CPU",
    }


def test_the_ledger_shows_how_often_a_thread_waited_for_a_cpu():
    told = shown(
        "visits with a thread waiting", ({}, [0, STEAL]), ({}, [WAITED | STEAL, WAITED, 0, 0])
    )
    assert told == {"base:eager": "0%", "other:eager": "50%"}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"product_bits": 11.4}, "precision of products: TF32 or float16, the base float32"),
        ({"product_bits": float("nan")}, "precision of products: not finite, the base float32"),
        ({"cpus_used": 1.9}, "CPUs within the threads given: no: 1.90 used, the base yes"),
        ({"device": "cuda:0"}, "kind of device: gpu, the base cpu"),
        ({"device": "gpu:1 (NVIDIA H100)"}, "kind of device: gpu, the base cpu"),
        ({"cpus": "1"}, "CPUs that its threads may use: 1, the base 0,1"),
    ],
)
def test_what_should_be_equal_parts_arms(change, words):
    assert found(**change) == {"other:eager": words}


@pytest.mark.slow
@pytest.mark.xdist_group("service workers")
@pytest.mark.parametrize("backend", ["numpy", "torch", "tensorflow", "jax"])
def test_every_backend_tells_what_the_ledger_shows(workers, backend):
    worker, workload = workers.get(backend), CASES["dense"]()
    weights, (batch, *_) = initial_weights(workload.model, 0), batches_of(workload)
    timing = TimingClient(worker, 120)
    told = timing.build(
        BuildRequest("told", workload, weights, batch, seed=0)
    ).description.to_json()
    timing.drop("told")
    assert {
        "device",
        "dtype",
        "layout",
        "threads",
        "denormals",
        "donation",
        "autotune",
        "compilations",
    } <= set(told)
    assert told["threads"] == 1
    assert told["device"].lower().startswith("cpu")
    assert told["autotune"] == "off"
    assert told["cpus"] == spell(current_mask()), "nobody moved a thread"
    assert (told["denormals"], told["donation"]) == EXPECTED[backend]


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["jit", "eager"])
def test_what_jax_calls_donated_goes_into_the_old_weights_memory(mode):
    import jax
    from dnnbench_jax.backend import JaxBackend

    workload = CASES["dense"]()
    program = JaxBackend().build(workload, initial_weights(workload.model, 0), Arm("jax", mode))
    before = jax.tree.leaves(program._weights)
    program.wait(program.train_step(program.put(batches_of(workload)[0])))
    assert (
        {array.is_deleted() for array in before}
        == {program.facts()["donation"] == "donated"}
        == {mode == "jit"}
    )


@TORCH
def test_what_torch_calls_in_place_stays_where_it_is():
    from dnnbench_torch.backend import TorchBackend

    workload = CASES["dense"]()
    program = TorchBackend().build(
        workload, initial_weights(workload.model, 0), Arm("torch", "eager")
    )
    before = [weight.data_ptr() for weight in program._weights.values()]
    program.train_step(program.put(batches_of(workload)[0]))
    assert program.facts()["donation"] == "in place"
    assert [weight.data_ptr() for weight in program._weights.values()] == before
