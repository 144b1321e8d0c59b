"""What checks of agreement come to, in a sentence and in figures."""

from collections.abc import Sequence
from math import isfinite

from ..agreement.status import Status
from ..execution.agreement_rows import AgreementRow, unproven
from ..wording import counted
from .quantity import MISSING, digits, percent
from .words import all_of, listed

NOT_CHECKED = "Agreement was not checked in this run."


def times(row: AgreementRow) -> str:
    """How often the error takes up its allowance, where both are numbers: a missing tensor has no
    error.
    """
    ratio = row.agreement.ratio
    return digits(ratio) if isfinite(ratio) else MISSING


def agreement_sentence(rows: Sequence[AgreementRow]) -> str:
    """Whether the arms compute the same network, in which types, and how near the worst tensor
    comes to its allowance.
    """
    if not rows:
        return NOT_CHECKED
    arms = list(dict.fromkeys(row.arm for row in rows))
    wrong = unproven(rows)
    if not wrong:
        who = f"{all_of(len(arms))} compute" if len(arms) > 1 else "The arm computes"
        return f"{who} the same network{_how_closely(rows)}.{_in_part(rows)}"
    places = [f"{arm} on {workload} {why.sentence}" for (arm, workload), why in wrong.items()]
    return f"Not proven to compute the same network, and not ranked: {'; '.join(places)}."


def _how_closely(rows: Sequence[AgreementRow]) -> str:
    """Of how many tensors, in which types, and how near the worst one comes to its allowance."""
    compared = [row for row in rows if row.status is Status.AGREES]
    if not compared:
        return ""
    dtypes = listed(list(dict.fromkeys(row.dtype for row in compared)))
    count = tensors(compared)
    ratios = [row.agreement.ratio for row in compared if isfinite(row.agreement.ratio)]
    if not ratios:
        return f" in {dtypes}"
    share = f"{percent(max(ratios))} of its allowance"
    if count is None:
        return f" in {dtypes}: the worst tensor at {share}"
    return f": {counted(count, 'tensor')} in {dtypes}, the worst at {share}"


def tensors(rows: Sequence[AgreementRow]) -> int | None:
    """How many were compared; None where an older dnnbench did not count them."""
    counts = [row.agreement.tensors for row in rows]
    return None if None in counts else sum(count or 0 for count in counts)


def _in_part(rows: Sequence[AgreementRow]) -> str:
    """Of which arms a part alone was checked, since they do not offer the rest."""
    partial = dict.fromkeys(row.arm for row in rows if row.status is Status.UNSUPPORTED)
    if not partial:
        return ""
    offers = "it offers" if len(partial) == 1 else "they offer"
    return f" Of {listed(list(partial))} only what {offers} was checked."
