"""docs/fidelity.md says what the recordings hold."""

import math
from dataclasses import replace

import pytest
from fidelity import figures, page, recordings
from fidelity.measure import reduced
from fidelity.recordings import Beside, Recording
from fidelity.service import SideVisit

BOTH = ("nn.Module", "nn.Module, fused optimizer")


def recorded(ratio, twin="nn.Module", version="2.0", phase="train_step"):
    cells = (Beside(twin, phase, 0.0, math.log(ratio), 0.01, 9),)
    versions = {"torch": version}
    return Recording("torch:eager", "mlp", "2026-11-30", "a CPU", versions, 0.1, 0.2, cells)


def test_the_page_is_written_from_the_recordings():
    assert page.PAGE.read_text() == page.text(recordings.read())


def test_recordings_are_read_as_they_were_written(tmp_path):
    path = tmp_path / "recordings.jsonl"
    recordings.append(recorded(1.5), path)
    recordings.append(recorded(0.5), path)
    assert recordings.read(path) == [recorded(1.5), recorded(0.5)]


def test_recordings_of_other_versions_are_left_out():
    (figure,) = figures.figures([recorded(3.0, version="1.0"), recorded(1.5), recorded(1.5)])
    assert figure.cpu.value == pytest.approx(1.5)


def test_a_cell_is_judged_beside_its_fastest_twin():
    every = figures.figures(
        [recorded(ratio, twin) for twin, ratio in zip(BOTH, (0.9, 1.1), strict=True)] * 2
    )
    summary = figures.summaries(every)["torch:eager"]
    assert summary.mean == pytest.approx(1.1)
    assert [figure.twin for figure in summary.wholly_above] == [BOTH[1]]


def test_a_network_that_roundings_move_far_is_named():
    calm, chaotic = (replace(recorded(1.5), moved=moved) for moved in (0.01, 1.6))
    assert "Roundings" not in page.text([calm])
    assert "move a weight of `mlp` by 160% of the way" in page.text([calm, chaotic])


def test_a_process_is_reduced_to_medians_over_its_rounds():
    """The clock's ratio is 2, the CPU's 3, with one round in which the twin was disturbed."""
    visits = []
    for number in range(9):
        slow = 50.0 if number == 4 else 1.0
        visits.append(SideVisit("infer", "dnnbench", number, number % 2, 0.2, 0.3))
        visits.append(
            SideVisit("infer", "nn.Module", number, 1 - number % 2, 0.1 * slow, 0.1 * slow)
        )
    (one,) = reduced(visits)
    assert math.exp(one.wall) == pytest.approx(2, rel=1e-4)
    assert math.exp(one.cpu) == pytest.approx(3, rel=1e-4)
    assert one.twin_s == pytest.approx(0.1)
