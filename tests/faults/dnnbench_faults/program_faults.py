"""Faults by the gap of the proof that each once passed through."""

from collections.abc import Callable
from typing import Any, NamedTuple


class ProgramFault(NamedTuple):
    """A fault on a case of one backend, by its name on the command line.

    gap: what was not checked
    case: of `dnnbench.testing.cases`
    change: of a program; None for a function of the name in `in_<backend>.py`
    steps: after which the check looks at training   timed_rows: of the batch that is timed, or 0
    """

    gap: str
    backend: str
    case: str
    mode: str
    change: Callable[[Any], None] | None = None
    dtype: str = "float64"
    steps: tuple[int, ...] = (1, 5)
    timed_rows: int = 0


START = "where a check starts"
PROGRAM_FAULTS: list[ProgramFault] = [
    ProgramFault(
        START,
        backend,
        case,
        f"{case}_input_gradient_without_the_scale",
        dtype="float32",
        steps=(1,),
    )
    for backend, case in {
        "numpy": "layer_norm",
        "jax": "group_norm",
        "tensorflow": "batch_norm",
        "torch": "rms_norm",
    }.items()
]
CONDITIONS = "conditions never met"
PROGRAM_FAULTS += [
    ProgramFault(CONDITIONS, backend, "clipped_beyond_the_norm", "nothing_is_clipped")
    for backend in ("numpy", "torch", "jax", "tensorflow")
]
MASKS = "the timed branch"
PROGRAM_FAULTS += [
    ProgramFault(MASKS, backend, case, f"drawn_{mode}", timed_rows=64)
    for backend, case, mode in (
        ("numpy", "dropout", "masks_are_ones"),
        ("numpy", "dropout", "masks_are_drawn_again_in_the_backward_pass"),
        ("numpy", "stochastic_depth", "masks_are_those_of_the_step_before"),
        ("torch", "dropout", "dropout_is_scaled_twice"),
        ("torch", "stochastic_depth", "stochastic_depth_thins_elements"),
        ("torch", "dropout", "masks_repeat"),
        ("jax", "dropout", "dropout_is_not_scaled"),
        ("jax", "stochastic_depth", "stochastic_depth_keeps_the_rate"),
        ("tensorflow", "dropout", "dropout_is_drawn_again_in_the_backward_pass"),
        ("tensorflow", "dropout", "dropout_keeps_eight_bits"),
    )
]


def planted(gap, steps=(1, 5), timed_rows=0, **case_by_backend):
    """Register a change of a program as the fault of its own name, on a case of each backend."""

    def register(change):
        for backend, case in case_by_backend.items():
            fault = ProgramFault(gap, backend, case, change.__name__, change)
            PROGRAM_FAULTS.append(fault._replace(steps=steps, timed_rows=timed_rows))
        return change

    return register
