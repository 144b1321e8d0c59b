"""Where stderr is no terminal, long work says now and then how far it is."""

import pytest
from dnnbench.cli.output import Output
from dnnbench.cli.progress import EVERY_S, Lines


class Clock:
    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


def work(verbosity, capsys):
    """Four parts of a stage, each taking 0.6 of the time after which it is told."""
    clock = Clock()
    lines = Lines(Output(verbosity), clock)
    lines.stage("checking", 4)
    for part in "abcd":
        clock.now += 0.6 * EVERY_S
        lines.advance(1, part)
    return capsys.readouterr().err.splitlines()


@pytest.mark.parametrize(
    ("verbosity", "told"),
    [
        (0, ["checking ...", "  50%  b", "  100%  d"]),
        (1, ["checking ...", "a", "  50%  b", "c", "  100%  d"]),
        (-1, []),
    ],
)
def test_a_line_each_half_minute_says_how_far_it_is(verbosity, told, capsys):
    assert work(verbosity, capsys) == told


def test_each_stage_starts_at_nothing(capsys):
    clock = Clock()
    lines = Lines(Output(0), clock)
    lines.stage("first", 2)
    lines.advance(2, "all of it")
    lines.stage("second", 4)
    clock.now = EVERY_S
    lines.advance(1, "a quarter")
    assert capsys.readouterr().err.splitlines() == ["first ...", "second ...", "  25%  a quarter"]
