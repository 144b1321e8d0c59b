"""The sentence on agreement claims no more than what was compared."""

from dnnbench.agreement.check import Agreement
from dnnbench.agreement.status import Status
from dnnbench.execution.agreement_rows import AgreementRow, nothing_compared
from dnnbench.report.agreement_words import agreement_sentence

AGREES = Agreement("outputs", "", "logits", 0.25, 1, "", Status.AGREES)
UNSUPPORTED = nothing_compared(Status.UNSUPPORTED, "it infers only")


def row(arm, agreement):
    return AgreementRow(arm, "mlp", "float32", agreement)


def test_arms_that_were_checked_whole_need_no_more_words():
    both = [row("torch:eager", AGREES), row("jax:jit", AGREES)]
    assert agreement_sentence(both) == (
        "Both compute the same network: 2 tensors in float32, the worst at 25 % of its allowance."
    )


def test_an_arm_that_was_checked_in_part_is_named():
    rows = [row("torch:eager", AGREES), row("ort:full", AGREES), row("ort:full", UNSUPPORTED)]
    assert agreement_sentence(rows).endswith(" Of ort:full only what it offers was checked.")


def test_several_arms_that_were_checked_in_part_are_named_together():
    rows = [row(arm, one) for arm in ("a:b", "c:d") for one in (AGREES, UNSUPPORTED)]
    assert agreement_sentence(rows).endswith(" Of a:b and c:d only what they offer was checked.")
