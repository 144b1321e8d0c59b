"""What an explanation must name of each planted fault: the part, and words of the known fault."""

from typing import NamedTuple

from dnnbench.spec.ops import OPS

from .program_faults import PROGRAM_FAULTS, ProgramFault
from .strangers import Stranger
from .table import Fault


class Named(NamedTuple):
    """A part as `Explanation.what` and its name have it, and words of the fault.

    parts: each of them is right; with `what` in them where that is empty
    words: empty where no known fault is
    """

    what: str
    parts: tuple[str, ...]
    words: str = ""

    def is_part(self, named: str) -> bool:
        """Whether `what name` is the right part."""
        return named in {f"{self.what} {part}".strip() for part in self.parts}


def _phase(parts: str, words: str = "") -> Named:
    return Named("phase", tuple(parts.split()), words)


NAMES = {
    "nothing_is_clipped": Named("optimizer", ("adam",), "clipping left out"),
    "rates_never_fall": Named("optimizer", ("adam",), "never falls"),
    "momentum_is_forgotten": Named("optimizer", ("momentum",), "not carried over"),
    "steps_are_counted_once": Named("optimizer", ("adam", "adamw"), "first"),
    "running_statistics_stop_after_a_step": Named("node", ("batch_norm",), "not updated"),
    "returned_loss_is_summed": _phase("train_step", "it returns loss"),
    "returned_results_are_a_step_late": _phase("train_step", "of the step before"),
    "returned_loss_is_that_after_the_step": _phase("train_step", "after the step"),
    "returned_outputs_are_inferred": _phase("train_step", "as inferred"),
    "update_alone_does_nothing": _phase("update_alone"),
    "update_alone_happens_once": _phase("update_alone"),
    "loss_alone_is_summed": _phase("loss_alone"),
    "pieces_are_those_of_the_first_batch": _phase("loss_alone update_alone"),
    "answers_are_kept_by_placed_batch": _phase("infer", "kept by its placed batch"),
    "gradients_are_kept_by_placed_batch": _phase("gradients", "kept by its placed batch"),
    "batches_are_placed_when_they_are_used": _phase("put", "in place of a copy"),
    "batches_are_kept_by_their_last_row": _phase("put", "like it in part"),
    "batches_are_kept_by_half_of_their_numbers": _phase("put", "like it in part"),
    "masks_are_the_caller_s": _phase("put", "in place of a copy"),
    "restore_leaves_the_count_of_steps": _phase("restore", "count of steps"),
    "restore_leaves_the_slots": _phase("restore", "slots"),
    "restore_leaves_running_statistics": _phase("restore", "running statistics"),
    "restore_goes_back_once": _phase("restore", "a second time"),
    "batches_are_padded_to_fours": _phase("put", "padded"),
    "rows_beyond_16_are_zero": _phase("infer", "right on smaller batches"),
    "the_last_of_an_odd_number_is_the_first": _phase("infer", "rows is odd"),
    "means_are_over_the_first_batch_s_rows": _phase("loss gradients", "right on smaller batches"),
    "the_sixth_step_is_not_taken": _phase("train_step", "1 of the steps 6 to 12 not taken"),
    "every_other_step_is_skipped_from_the_ninth_on": _phase(
        "train_step", "2 of the steps 6 to 12 not taken"
    ),
}
"""Of faults of whole programs, by mode."""
DRAWN = _phase("forward loss gradients train_step", "right under masks from outside")


def named_of(fault: Fault | ProgramFault | Stranger) -> Named | None:
    """None where nobody has said what is right."""
    if isinstance(fault, Stranger):
        return Named("", fault.named) if fault.named else None
    if fault not in PROGRAM_FAULTS:
        return Named(fault.what, (fault.named,), fault.known)
    if fault.mode.startswith("drawn_"):
        return DRAWN
    if fault.mode.endswith("_input_gradient_without_the_scale"):
        return Named("node", (fault.case,), "without the scale")
    if fault.change is None and fault.mode not in NAMES:
        return _of_function(fault)
    return NAMES.get(fault.mode)


LOSSES = {"cross_entropy": "cross_entropy", "bce": "bce_with_logits"}


def _of_function(fault: ProgramFault) -> Named | None:
    """A fault in an op or a loss is called by it."""
    for prefix, loss in LOSSES.items():
        if fault.mode.startswith(prefix):
            return Named("loss", (loss,))
    words = "taken for padding" if "_pads_with_id_0" in fault.mode else ""
    ops = [op for op in OPS if fault.mode.startswith(op)]
    return Named("node", (max(ops, key=len),), words) if ops else None
