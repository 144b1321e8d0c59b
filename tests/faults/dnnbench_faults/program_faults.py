"""Faults by the gap of the proof that each once passed through."""

from collections.abc import Callable
from typing import Any, NamedTuple


class ProgramFault(NamedTuple):
    """A fault on a case of one backend, by its name on the command line.

    gap: what was not checked
    case: of `dnnbench.testing.cases`
    change: of a program; None for a function of the name in `in_<backend>.py`
    steps: after which the check looks at training   timed_rows: of the batch that is timed, or 0
    law: of the conformance kit, where that shows the fault and not a check; empty for a check
    trained: whether `dnnbench train` shows it, and not a check
    """

    gap: str
    backend: str
    case: str
    mode: str
    change: Callable[[Any], None] | None = None
    dtype: str = "float64"
    steps: tuple[int, ...] = (1, 5)
    timed_rows: int = 0
    law: str = ""
    trained: bool = False


UNCHECKED_FAULTS: list[ProgramFault] = []
"""Faults that a law of the kit shows, or `dnnbench train`, and not a check."""
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
PROGRAM_FAULTS += [
    ProgramFault(CONDITIONS, backend, "wide_table", mode, steps=(1,))
    for backend, mode in (
        ("numpy", "embedding_leaves_the_last_row"),
        ("torch", "embedding_pads_with_id_0"),
        ("jax", "embedding_row_0_is_zero"),
        ("tensorflow", "embedding_pads_with_id_1"),
    )
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
EXTREMES = "numbers far from 1"
PROGRAM_FAULTS += [
    ProgramFault(EXTREMES, backend, case, mode, steps=(1,))
    for backend, case, mode in (
        ("numpy", "softmax_of_large", "softmax_without_the_maximum"),
        ("numpy", "cross_entropy_of_large_logits", "cross_entropy_without_the_maximum"),
        ("numpy", "bce_of_large_logits", "bce_clamps_its_logits"),
        ("numpy", "attention_of_large_scores", "attention_without_the_maximum"),
        ("numpy", "attention_to_many_keys", "attention_sees_64_keys"),
        ("numpy", "lstm_of_many_steps", "lstm_begins_anew_after_64_steps"),
        ("numpy", "embedding_of_large_ids", "embedding_ids_in_eight_bits"),
        ("torch", "softmax_of_large", "softmax_clamps_at_80"),
        ("torch", "bce_of_large_logits", "bce_without_the_maximum"),
        ("torch", "attention_of_large_scores", "attention_masks_by_a_thousand"),
        ("torch", "attention_causal_of_many_steps", "attention_blocks_are_not_rescaled"),
        ("torch", "embedding_of_large_ids", "embedding_ids_in_sixteen_bits"),
        ("torch", "dense_of_many_weights", "dense_of_many_weights_in_float32"),
        ("jax", "cross_entropy_smoothed_of_large_logits", "cross_entropy_without_the_maximum"),
        ("jax", "attention_of_large_scores", "attention_without_the_maximum"),
        ("jax", "gru_of_many_steps", "gru_begins_anew_after_64_steps"),
        ("jax", "dense_of_many_weights", "dense_of_many_weights_leaves_the_last_row"),
        ("tensorflow", "softmax_of_large", "softmax_of_the_mean"),
        ("tensorflow", "cross_entropy_of_large_logits", "cross_entropy_adds_a_tiny_number"),
        ("tensorflow", "embedding_of_large_ids", "embedding_ids_in_bfloat16"),
        ("tensorflow", "attention_to_many_keys", "attention_sees_128_keys"),
    )
]


def planted(gap, steps=(1, 5), timed_rows=0, law="", trained=False, **case_by_backend):
    """Register a change of a program as the fault of its own name, on a case of each backend."""

    def register(change):
        for backend, case in case_by_backend.items():
            fault = ProgramFault(gap, backend, case, change.__name__, change)
            seen = {"steps": steps, "timed_rows": timed_rows, "law": law, "trained": trained}
            table = UNCHECKED_FAULTS if law or trained else PROGRAM_FAULTS
            table.append(fault._replace(**seen))
        return change

    return register
