"""The ledger sees arms that differ in what should be equal, and says how."""

from types import SimpleNamespace

import pytest
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.device import Device
from dnnbench.run.fairness import ledger, unequal
from dnnbench.run.record import Record


def lane(name, **arm):
    return SimpleNamespace(name=name, arm=Arm(name, "eager", **arm))


def found(product_bits=24.0, cpus_used=1.0, device="cpu"):
    """How the second of two arms is unequal to the first, after one case."""
    plan = SimpleNamespace(lanes=(lane("base"), lane("other", device=Device(device))))
    record = Record()
    for name, bits, cpus in (("base", 24.0, 1.0), ("other", product_bits, cpus_used)):
        record.programs[f"{name} net/4"] = {"product_bits": bits, "layout": name}
        record.audits[f"{name} net/4"] = {"cpus_used": cpus}
    lines = ledger(plan, record, "net/4")
    assert any(line.what == "layout" and not line.equal for line in lines), "shown, and no reason to part"
    return unequal(lines, "base")


def test_equal_arms_are_ranked_together():
    assert found() == {} and found(product_bits=22.6, cpus_used=1.1) == {}


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"product_bits": 11.4}, "precision of products: TF32 or float16, the base float32"),
        ({"cpus_used": 1.9}, "CPUs within the threads given: no: 1.90 used, the base yes"),
        ({"device": "gpu"}, "kind of device: gpu, the base cpu"),
    ],
)
def test_what_should_be_equal_parts_arms(change, words):
    assert found(**change) == {"other": words}
