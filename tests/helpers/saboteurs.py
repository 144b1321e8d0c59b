"""Cases of the kit asked of the NumPy backend in this process, where a test can patch it."""

from functools import cache

import numpy as np
from dnnbench.agreement.check import check
from dnnbench.agreement.reference import make_reference
from dnnbench.agreement.starting import start_weights
from dnnbench.protocol.arm import Arm
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench_numpy.backend import NumpyBackend

STEPS = (1, 5)


def program_builder(workload, dtype="float64", mode="eager"):
    weights = start_weights(workload.model, 0)
    return lambda variant: NumpyBackend().build(variant, weights, Arm("numpy", mode, dtype=dtype))


@cache
def checked_case(case, dtype):
    """(workload, batches, reference) of a case in a type, made by the honest backend."""
    workload = CASES[case]()
    batches = batches_of(workload)

    def build_in(mode, kind):
        return program_builder(workload, kind, mode)

    return workload, batches, make_reference(build_in, workload, batches, STEPS, dtype)


def verdict(case, dtype="float64"):
    """The worst row of a check of the NumPy backend as it stands now."""
    workload, batches, reference = checked_case(case, dtype)
    rows = check(program_builder(workload, dtype), workload, dtype, reference, batches, STEPS)
    return max(rows, key=lambda row: row.ratio if row.ratio == row.ratio else np.inf)
