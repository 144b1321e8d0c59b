"""Where a call from Python says how far it is: the log, a notebook's line."""

import logging

import pytest
from dnnbench.api.progress import NotebookLine, progress_reporter


class Display:
    """A display of a notebook that remembers what it shows."""

    text = ""

    def update(self, shown):
        self.text = repr(shown)


@pytest.fixture
def display():
    return Display()


@pytest.fixture
def line(display):
    return NotebookLine(display)


def test_notes_stand_above_the_line(line, display):
    line.note("device: cpu")
    line.stage("measuring", 10)
    above, below = display.text.split("\n")
    assert (above, below.split()[0]) == ("device: cpu", "measuring")


def test_the_line_tells_the_share_that_is_done(line, display):
    line.stage("measuring", 10)
    line._drawn_s = float("-inf")
    line.advance(5, "round 3")
    assert display.text.endswith("50% round 3")


def test_the_notes_alone_are_left(line, display):
    line.note("device: cpu")
    line.stage("measuring", 10)
    line.end()
    assert display.text == "device: cpu"


def test_a_password_is_not_shown(line, display):
    line.note("store postgresql://me:hush@host/db is away")
    assert "hush" not in display.text


def test_without_a_terminal_the_log_alone_hears(caplog, capsys):
    with caplog.at_level(logging.INFO, "dnnbench"), progress_reporter(True) as report:
        report.note("device: cpu")
        report.stage("measuring", 10)
    assert caplog.messages == ["device: cpu", "measuring ..."]


def test_nothing_is_printed(capsys):
    with progress_reporter(False) as report:
        report.note("device: cpu")
        report.stage("measuring", 10)
    assert capsys.readouterr() == ("", "")
