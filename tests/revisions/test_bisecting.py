"""The order of a bisection, over figures that a formula gives: what is asked, kept and gone on
with. What real workers make of it stands in test_bisect.
"""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from dnnbench.errors import BuildError, NothingMeasured, StoreError
from dnnbench.execution.reporter import Silent
from dnnbench.execution.side_by_side import Ratios
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey
from dnnbench.report.markdown import markdown
from dnnbench.report.outcomes.bisect import bisect_line_of, bisect_sections
from dnnbench.revisions.bisecting import bisect_line
from dnnbench.revisions.bisection import BisectAnswer, By, Ends
from dnnbench.revisions.figure import Sitting
from dnnbench.revisions.ratio_figures import RatioFigure
from dnnbench.stats.sequential import LOOKS
from dnnbench.store.store import open_store

LENGTH = 9
QUESTION = {"which": "this one"}


class Numbered:
    """A line of numbered revisions, some of which cannot be installed."""

    def __init__(self, broken=()):
        self.broken, self.installed = broken, []
        self.ids = tuple(f"r{place}" for place in range(LENGTH))

    def title(self, place):
        return f"revision {place}"

    def environment(self, place, note):
        if place in self.broken:
            raise BuildError(f"revision {place} cannot be installed: no wheel")
        self.installed.append(place)
        return str(place)


class Formula(RatioFigure):
    """Log times that a formula gives, with a little noise; Ctrl-C after so many measurements."""

    def __init__(self, sitting, times, noise=0.002, most=100, failing=()):
        super().__init__(sitting)
        self.times, self.noise, self.left, self.failing = times, noise, most, failing
        self.measured, self.draw = [], np.random.default_rng(0)

    def ends(self):
        if self.times(LENGTH - 1) <= self.times(0):
            return "none of 1 cell is slower"
        arm = Arm("mine", "eager", environment=str(LENGTH - 1))
        return Ends(arm, CaseKey("tiny", 4), None, (2.0, 1.9, 2.1), "", 6, 1.0, ("ends",))

    def measure(self, ends, environments, generations, check):
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.measured.append(environments[-1])
        run = {
            place: dict(
                enumerate(self.times(int(place)) + self.draw.normal(0, self.noise, generations))
            )
            for place in environments
        }
        return (json.dumps(run),)

    theta = 0.02

    def generations_of(self, runs):
        return LOOKS[len(runs) - 1] if runs else 0

    def ratios(self, store, ends, environments, run):
        failed = next((each for each in environments if each in self.failing), "")
        if failed:
            return Ratios(reason="failed: killed by signal 9", failed=failed)
        of = {
            place: {int(g): value for g, value in values.items()}
            for place, values in json.loads(run).items()
        }
        return Ratios(of)


@pytest.fixture
def bisected(tmp_path):
    """A function that bisects a formula's times in one place, and what it measured."""
    target = str(tmp_path / "s.sqlite")
    open_store(target).close()
    settings = SimpleNamespace(check=True, theta=0.02)
    request = SimpleNamespace(settings=settings)
    sitting = Sitting(request, ("0", str(LENGTH - 1)), target, None, -1.0, Silent())

    def bisect(times, broken=(), **options):
        line, figure = Numbered(broken), Formula(sitting, times, **options)
        return bisect_line(line, figure, By.TIME, QUESTION), figure

    return bisect


def step(place):
    return lambda at: 0.7 * (at >= place)


@pytest.mark.parametrize("place", range(1, LENGTH))
def test_a_step_is_named_and_confirmed(bisected, place):
    bisection, figure = bisected(step(place))
    assert bisection.answer is BisectAnswer.NAMED
    assert bisection.candidates == (place,)
    assert len(figure.measured) == 3 + 1, "three steps of eight revisions, and a confirmation"
    assert [len(each.runs) for each in bisection.walk.visited] == [1, 1, 1], "its own each"
    assert bisection.confirmation.share == pytest.approx(1, abs=0.05)


def test_what_cannot_be_installed_is_skipped_with_its_reason(bisected):
    bisection, _ = bisected(step(3), broken=(4,))
    assert bisection.answer is BisectAnswer.NAMED
    (skipped,) = [each for each in bisection.walk.visited if each.place == 4]
    assert skipped.reason == "revision 4 cannot be installed: no wheel"


def test_what_fails_as_it_is_measured_is_skipped_too(bisected):
    bisection, _ = bisected(step(3), failing=("4",))
    assert bisection.answer is BisectAnswer.NAMED
    assert bisection.walk.skipped == [4]


def test_a_step_among_skipped_ones_is_one_of_several(bisected):
    bisection, _ = bisected(step(5), broken=(4, 5))
    assert bisection.answer is BisectAnswer.ONE_OF_SEVERAL
    assert bisection.candidates == (4, 5, 6)


def test_an_end_that_fails_ends_the_bisection(bisected):
    with pytest.raises(NothingMeasured, match=r"an end .* can no longer be measured: failed: kill"):
        bisected(step(5), failing=("8",))


def test_a_candidate_between_the_ends_means_more_than_one_step(bisected):
    bisection, figure = bisected(lambda at: 0.35 * (at >= 2) + 0.35 * (at >= 7))
    assert bisection.answer is BisectAnswer.MORE_THAN_ONE
    assert figure.measured == ["4"]


def test_a_commit_that_makes_only_a_part_of_the_difference_is_told(bisected):
    bisection, _ = bisected(lambda at: 0.14 * (at >= 2) + 0.42 * (at >= 6) + 0.14 * (at >= 8))
    assert bisection.answer is BisectAnswer.MORE_THAN_ONE
    assert bisection.candidates == (6,)


def test_noise_that_hides_the_step_leaves_it_undecided(bisected):
    bisection, figure = bisected(step(5), noise=3.0)
    assert bisection.answer is BisectAnswer.INCONCLUSIVE
    assert figure.measured == ["4"] * len(LOOKS)


def test_ends_that_are_alike_are_measured_and_nothing_else(bisected):
    bisection, figure = bisected(lambda at: 0.0)
    assert bisection.answer is BisectAnswer.ENDS_ALIKE
    assert figure.measured == []


@pytest.mark.parametrize("most", [0, 1, 2, 3])
def test_an_interrupted_bisection_goes_on_where_it_stopped(bisected, most):
    whole, all_figures = bisected(step(6))
    first, begun = bisected(step(6), most=most)
    assert first.answer is BisectAnswer.INTERRUPTED
    second, rest = bisected(step(6))
    assert second.candidates == whole.candidates
    assert begun.measured + rest.measured == all_figures.measured


def test_a_candidate_goes_on_at_the_look_after_its_last_one(bisected):
    noisy = {"noise": 0.35}
    first, begun = bisected(step(6), most=1, **noisy)
    assert (first.answer, begun.measured) == (BisectAnswer.INTERRUPTED, ["4"])
    assert len(first.measured) == 1
    second, _ = bisected(step(6), **noisy)
    (candidate,) = [each for each in second.walk.visited if each.place == 4]
    assert candidate.runs[0] == first.measured[0]
    others = [each.runs for each in second.walk.visited if each.place != 4]
    assert not any(first.measured[0] in runs for runs in others)
    assert candidate.generations in LOOKS[1:]


def test_a_finished_bisection_is_begun_anew(bisected):
    bisected(step(6))
    _, again = bisected(step(6))
    assert len(again.measured) == 4


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "keeps no bisection that can go on"),
        ('{"version": 1}', "keeps no bisection that can go on .KeyError"),
        ('{"version": 99}', "is of version 99, and this dnnbench reads 1"),
        ("[]", "keeps no bisection that can go on"),
    ],
)
def test_a_damaged_file_is_told_and_left_as_it_is(bisected, text, words, tmp_path):
    bisected(step(6), most=1)
    (file,) = (tmp_path / "bisect").iterdir()
    file.write_text(text)
    with pytest.raises(StoreError, match=words):
        bisected(step(6))
    assert file.read_text() == text


def test_the_answer_is_told_in_words_and_in_markdown(bisected):
    bisection, _ = bisected(step(6), broken=(4,))
    (section,) = bisect_sections(bisection)
    assert section.title.startswith("NAMED: revision 6: mine:eager tiny/4 takes 2.0x [")
    assert "skipped: revision 4 cannot be installed" in markdown([section])
    assert bisect_line_of(bisection).startswith("bisect: NAMED: r6: ")


@pytest.mark.parametrize(
    ("times", "options", "words"),
    [
        (step(5), {"broken": (4, 5)}, "ONE OF SEVERAL: one of 3"),
        (step(5), {"noise": 3.0}, "INCONCLUSIVE: the step lies after revision 0, up to revision 8"),
        (step(5), {"most": 0}, "INTERRUPTED: what was measured is kept"),
        (lambda at: 0.0, {}, "ENDS DO NOT DIFFER: none of 1 cell"),
        (
            lambda at: 0.35 * (at >= 2) + 0.35 * (at >= 7), {},
            "MORE THAN ONE STEP: revision 4 lies between the ends",
        ),
    ],
)  # fmt: skip
def test_every_other_answer_says_why(bisected, times, options, words):
    bisection, _ = bisected(times, **options)
    (section,) = bisect_sections(bisection)
    assert section.title.startswith(words)
