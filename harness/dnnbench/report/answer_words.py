"""The sentences of the answer: who is first, what is undecided, what more time would tell."""

from collections import Counter
from collections.abc import Sequence
from itertools import groupby

from ..execution.measured import Measured
from ..protocol.keys import CaseKey
from ..stats.estimates import ratio
from ..stats.first_place import foreseen_difference
from ..stats.split import components, tells_variances
from ..store.run_rows import CellRow
from ..wording import counted
from ..wording import listed as first_of
from .evidence import HEADLINES, Evidence
from .quantity import digits, factor, interval, percent
from .standing import Standing
from .summary_rows import CellSummary
from .words import NOT_JUDGED, listed, word_of

MOST_APART = 3
"""Cases that are told each with its figure; more are told together."""


def case_names(cases: Sequence[CaseKey]) -> dict[CaseKey, str]:
    """A workload's name, with the batch size where it has several."""
    counts = Counter(case.workload for case in cases)
    return {
        case: f"{case.workload} batch {case.batch_size}"
        if counts[case.workload] > 1
        else case.workload
        for case in cases
    }


def against_base(row: CellSummary, base: str) -> str:
    """The ratio to the base in words, as far as it is certain."""
    word = word_of(row)
    if row.arm == base or row.ratio is None:
        return "base" if row.arm == base else "not ranked"
    return ratio_words(word, row.ratio, row.ratio_low, row.ratio_high)


def ratio_words(word: str, ratio: float, low: float | None, high: float | None) -> str:
    """A time over the base's in words, by its verdict."""
    if word == "SAME":
        return "same"
    if word == "FASTER":
        return f"{factor(1 / ratio)}x faster"
    if word == "SLOWER":
        return f"{factor(ratio)}x slower"
    if low is None or high is None:
        return f"{NOT_JUDGED}: {factor(1 / ratio)}x"
    most, least = 1 / low, 1 / high
    ends = (factor(most), factor(least))
    if ends[0] == ends[1]:
        ends = (digits(most), digits(least))
    return f"undecided: {ends[0]}x to {ends[1]}x"


def first_places(
    purpose: str, standings: Sequence[Standing], names: dict[CaseKey, str], theta: float
) -> str:
    """A sentence for one purpose; empty where no two arms were ranked.

    theta: the dead zone of verdicts, within which a certain difference is a small one.
    """
    if not standings:
        return ""
    if len(standings) > MOST_APART:
        clauses = _together(standings, names)
    else:
        clauses = [_clause(list(group), names, theta) for _, group in groupby(standings, _claim)]
    return f"{purpose.capitalize()}: {'; '.join(clauses)}."


def _claim(one: Standing) -> tuple[object, ...]:
    """What a clause says of a case: alike, two cases share one."""
    return (one.first, one.ahead_of, tuple(one.unjudged)) if one.first else ()


def _clause(alike: Sequence[Standing], names: dict[CaseKey, str], theta: float) -> str:
    """alike: cases in which the same arms are first, ahead of the same one."""
    one = alike[0]
    cases = listed([names[standing.case] for standing in alike])
    if not one.first:
        return f"no arm can be called first on {cases}"
    if len(one.first) > 1:
        return f"{listed(one.first)} share the first place on {cases}{_but(one)}"
    places = [f"on {names[one.case]}{_ahead(one, f' as fast as {one.ahead_of}')}"]
    places += [f"on {names[other.case]}{_ahead(other, '')}" for other in alike[1:]]
    small = all(other.ahead and other.ahead.high < 1 + theta for other in alike)
    within = f", within the {percent(theta)} that count as the same" if small else ""
    return f"{one.first[0]} is fastest {', and '.join(places)}{within}{_but(one)}"


def _but(standing: Standing) -> str:
    """Which arms the claim leaves out: they could not be held against the leader."""
    return f" (no verdict against {listed(list(standing.unjudged))})" if standing.unjudged else ""


def _ahead(standing: Standing, compared_with: str) -> str:
    ahead = standing.ahead
    if ahead is None or standing.ahead_of in standing.unjudged:
        return ""
    bounds = interval(ahead.low, ahead.high, factor)
    return f", {factor(ahead.value)}x {bounds}{compared_with}"


def _together(standings: Sequence[Standing], names: dict[CaseKey, str]) -> list[str]:
    """Cases with the same arms first in one clause."""
    cases: dict[tuple[str, ...], list[str]] = {}
    for one in standings:
        cases.setdefault(one.first, []).append(names[one.case])
    clauses = []
    for first, of_first in cases.items():
        where = f"all {len(of_first)} cases" if len(cases) == 1 else first_of(of_first)
        if not first:
            clauses.append(f"no arm can be called first on {where}")
        elif len(first) == 1:
            clauses.append(f"{first[0]} is fastest on {where}")
        else:
            clauses.append(f"{listed(first)} share the first place on {where}")
    return clauses


def compared(evidence: Evidence) -> list[CellSummary]:
    """Training steps and inferences that were held against the base."""
    return [row for row in evidence.rows if row.phase in HEADLINES and row.verdict is not None]


def undecided(evidence: Evidence) -> str:
    """How much was left open, and what as much time again would tell; empty where nothing was."""
    rows = compared(evidence)
    open_rows = [row for row in rows if word_of(row) == "UNDECIDED"]
    if not open_rows:
        return ""
    run = evidence.measured
    effects = [_effects(run, run.cell(row.cell_id)) for row in open_rows]
    generations = min(len(one) for one in effects)
    foreseen = max(foreseen_difference(one, 2 * len(one), run.theta) for one in effects)
    more_s = run.settings.chosen.get("max_time_s")
    more = f"{more_s:g} s more" if more_s else "as much time again"
    return (
        f"Undecided: {len(open_rows)} of {counted(len(rows), 'comparison')}; {more} "
        f"({generations} generations) would tell differences from {percent(foreseen)} on, "
        f"four times in five{_of_processes(run, open_rows)}."
    )


def _effects(run: Measured, cell: CellRow) -> tuple[float, ...]:
    return ratio(run.against_base(cell)).effects


def _of_processes(run: Measured, rows: Sequence[CellSummary]) -> str:
    """That longer generations would not help, where the processes themselves differ more."""
    pairs = [run.against_base(run.cell(row.cell_id)) for row in rows]
    parts = [components(one, 1.0, 0.0) for one in pairs if tells_variances(one.kept())]
    apart = [one for one in parts if one.between > one.within_s]  # of one generation as it was
    if not apart:
        return ""
    spread = percent(max(one.between for one in apart) ** 0.5)
    return f"; processes differ by {spread}, so only more of them help, not longer ones"


def not_judged(evidence: Evidence) -> str:
    """How many comparisons something speaks against, and what; empty where nothing does."""
    rows = compared(evidence)
    silent = [row for row in rows if word_of(row) == NOT_JUDGED]
    if not silent:
        return ""
    kinds = Counter((row.verdict_reason or "").partition(": ")[0] for row in silent)
    reasons = "; ".join(kind for kind, _ in kinds.most_common())
    single = any(row.generations == 1 for row in silent)
    to_do = "; leave out --quick, or ask for more --generations" if single else ""
    return f"Not judged: {len(silent)} of {counted(len(rows), 'comparison')}: {reasons}{to_do}."
