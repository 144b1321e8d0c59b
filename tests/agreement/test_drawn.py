"""What the tensors under masks that a framework draws are held against."""

from dataclasses import replace

import numpy as np
import pytest
from dnnbench.agreement.allowances import UNIT
from dnnbench.agreement.drawn import FEW_STEPS, _see
from dnnbench.agreement.keys import Group, keyed
from dnnbench.agreement.thinned import readable
from dnnbench.protocol.dtypes import DType
from dnnbench.spec.phases import Phase
from helpers.saboteurs import checked_case, program_builder

CALLED = [Phase.GRADIENTS, Phase.TRAIN_STEP]


@pytest.fixture(scope="module")
def seen_and_own():
    """What is seen of a network that drops values, and its gradients under the first step's
    masks.
    """
    workload, [batch, *_], _ = checked_case("dropout", "float64")
    build = program_builder(workload)
    unit = UNIT[DType.FLOAT64]
    seen = _see(build(readable(workload)), workload, batch, CALLED, FEW_STEPS, True, unit)
    masks = {name: draws[0].mask for name, draws in seen.draws.items()}
    program = build(workload)
    placed = program.put(replace(batch, masks=masks))
    return seen, keyed(program.get(program.gradients(placed)), Phase.GRADIENTS)


def parameters_of(tensors):
    return {key: array for key, array in tensors.items() if key.group is Group.GRADIENTS}


def test_a_step_is_judged_by_the_gradients_under_its_own_masks(seen_and_own):
    seen, own = seen_and_own
    assert parameters_of(seen.gradients)
    for key, array in parameters_of(own).items():
        assert np.array_equal(seen.gradients[key], array), key


def test_they_are_not_those_of_the_pass_before(seen_and_own):
    seen, _ = seen_and_own
    before = parameters_of(seen.outside)
    assert any(not np.array_equal(seen.gradients[key], before[key]) for key in before)
