"""Every check that the page counts: planted faults in each type in which they exceed rounding, some
of them put to the kit, and honest backends over modes, types and batch sizes.
"""

from dataclasses import dataclass
from itertools import product

from dnnbench_faults.by_the_kit import BY_THE_KIT
from dnnbench_faults.every import FAULTS, PROGRAM_FAULTS, STRANGERS

PLANTED, KIT, HONEST = "planted", "kit", "honest"


@dataclass(frozen=True, order=True)
class Planned:
    """One check.

    what: PLANTED, KIT or HONEST   mode: the fault's name, or the backend's own mode
    case: of KIT a law, or a case of the kit
    rows: of the batch that is timed; 0 for none beside the check's four
    """

    what: str
    backend: str
    mode: str
    case: str
    dtype: str
    rows: int = 0


def planted() -> list[Planned]:
    """Faults of all tables."""
    checks = []
    for fault in FAULTS:
        for dtype in ("float64", "float32") if fault.float32 else ("float64",):
            checks.append(Planned(PLANTED, fault.backend, fault.mode, fault.case, dtype))
    for fault in (*PROGRAM_FAULTS, *STRANGERS):
        place = fault.backend, fault.mode, fault.case, fault.dtype, fault.timed_rows
        checks.append(Planned(PLANTED, *place))
    return checks


def kit() -> list[Planned]:
    """Faults that a check does not meet, with what the kit meets them by."""
    strangers = {(fault.backend, fault.mode): fault for fault in STRANGERS}
    return [
        Planned(KIT, *place, shown_by, strangers[place].dtype)
        for place, shown_by in BY_THE_KIT.items()
    ]


def fault_of(check: Planned):
    """The fault that a check plants."""
    if check.what == KIT:
        return next(f for f in STRANGERS if (f.backend, f.mode) == (check.backend, check.mode))
    return _FAULTS[check.backend, check.mode, check.case]


EVERY = (*FAULTS, *PROGRAM_FAULTS, *STRANGERS)
_FAULTS = {(fault.backend, fault.mode, fault.case): fault for fault in EVERY}
SIZES = (1, 3, 64)
"""Rows of a timed batch: by itself, an odd number, and many."""
CASES = (
    "dense", "adam", "momentum", "adamw_clipped_on_a_schedule", "rmsprop", "embedding",
    "position_embedding", "conv2d_same", "conv2d_grouped", "conv_transpose2d",
    "max_pool2d_overlapping", "batch_norm", "batch_norm_of_images", "layer_norm", "group_norm",
    "dropout", "stochastic_depth", "gru", "lstm", "attention_causal", "cross_entropy_ignoring",
    "bce_with_logits", "mse",
)  # fmt: skip
QUICK = ("dense", "adam", "conv2d_same", "batch_norm", "dropout", "attention_causal")
"""For what takes a compiler seconds each."""
ARMS = (
    ("numpy", "eager", ("float64", "float32"), CASES),
    ("torch", "eager", ("float64", "float32"), CASES),
    ("torch", "eager", ("bfloat16", "mixed_float16"), QUICK),
    ("tensorflow", "eager", ("float64", "float32"), QUICK),
    ("tensorflow", "graph", ("float64", "float32"), QUICK),
    ("tensorflow", "xla", ("float32",), QUICK),
    ("jax", "eager", ("float64",), QUICK),
    ("jax", "jit", ("float64", "float32"), QUICK),
    ("torch", "compile", ("float32",), QUICK[:2]),
)
"""(backend, mode, types, cases)"""
TIMED = ("mlp_digits", "cnn_digits")
"""Workloads whose own batch is the timed one."""


def honest() -> list[Planned]:
    """Checks in which nothing is planted."""
    checks = []
    for backend, mode, dtypes, cases in ARMS:
        for dtype, case, rows in product(dtypes, cases, SIZES):
            checks.append(Planned(HONEST, backend, mode, case, dtype, rows))
        for dtype, name in product(dtypes, TIMED):
            checks.append(Planned(HONEST, backend, mode, name, dtype))
    return checks
