"""Machines, versions and types side by side: simulated runs whose true ratios are known."""

import json
import math
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from dnnbench.api.frames import cells_frame
from dnnbench.cli.main import main
from dnnbench.errors import UsageError
from dnnbench.report import html, markdown
from dnnbench.report.across.answer import WITHIN
from dnnbench.report.across.by import By
from dnnbench.report.across.choosing import runs_of
from dnnbench.report.across.compared import side_by_side
from dnnbench.report.across.part import sections
from dnnbench.report.across.prices import Price
from dnnbench.report.evidence import gather
from dnnbench.stats.flags import STEAL
from dnnbench.store.store import open_store
from helpers import reporting

pytestmark = pytest.mark.slow

ARMS = {"torch:eager": 1.0, "jax:jit": 0.5}
NINE = ("mlp", "cnn", "resnet18", "resnet34", "vgg16", "unet", "bert", "gpt2", "ncf", "dlrm")
"""Nine families: two of the ten networks are one."""
OTHERS = {"workloads": ("mlp", "cnn"), "arms": ARMS, "generations": 4, "rounds": 8}
LEAD = re.compile(r"is (?P<value>[\d.]+)x \[(?P<low>[\d.]+), (?P<high>[\d.]+)\] as fast as")


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "new.sqlite") as opened:
        yield opened


def compared(store, by=By.MACHINE, **options):
    runs = runs_of(store, by)
    return side_by_side([gather(store, run) for run in runs], by, [store.place] * len(runs),
                        **options)  # fmt: skip


def by_id(comparison):
    return {section.id: section for section in sections(comparison)}


def two_machines(store, **changes):
    reporting.add_run(store, "ra", machine="m1", **OTHERS)
    changes = OTHERS | {"machine_speed": 0.5} | changes
    reporting.add_run(store, "rb", machine="m2", **changes)
    return compared(store)


@pytest.fixture(scope="module")
def twice(tmp_path_factory):
    """Two machines, one of which takes half the time of the other in everything."""
    with open_store(tmp_path_factory.mktemp("across") / "two.sqlite") as opened:
        yield two_machines(opened)


# How much faster, on these workloads.


def test_the_answer_is_the_geometric_mean_with_its_error(twice):
    """m2 takes half the time of everything, whatever its control arm says."""
    (overall,) = twice.overall["train_step"][1:]
    assert overall.faster.value == pytest.approx(2, rel=0.05)
    assert overall.faster.low <= 2 * 1.05
    assert overall.faster.high >= 2 / 1.05
    assert overall.within_runs_only


def test_workloads_that_differ_widen_the_range_and_not_the_interval(store):
    """mlp is 4x as fast on m2 and cnn as fast: 2x, certain of these two."""
    comparison = two_machines(store, slower_on={"mlp": 0.5, "cnn": 2.0})
    (overall,) = comparison.overall["infer"][1:]
    assert overall.faster.value == pytest.approx(2, rel=0.05)
    assert overall.faster.high / overall.faster.low < 1.1
    ratios = {case.workload: math.exp(log) for case, log in overall.by_case.items()}
    assert ratios == pytest.approx({"mlp": 4, "cnn": 1}, rel=0.1)


def test_only_what_both_measured_is_compared(store):
    (overall,) = two_machines(store, workloads=("cnn", "vgg16")).overall["infer"][1:]
    assert [case.workload for case in overall.by_case] == ["cnn"]


def test_training_and_inference_are_apart(store):
    seconds = reporting.SECONDS | {"train_step": reporting.SECONDS["train_step"] / 3}
    comparison = two_machines(store, seconds=seconds, machine_speed=1.0)
    values = {phase: of[1].faster.value for phase, of in comparison.overall.items()}
    assert values == pytest.approx({"train_step": 3, "infer": 1}, rel=0.05)


@pytest.mark.slow
def test_runs_of_several_days_are_the_unit_of_the_interval(store):
    """A day moves a whole run by 10 %, which no generation of it shows."""
    draw = np.random.default_rng(0)
    for day in range(6):
        for machine, speed in (("m1", 1.0), ("m2", 0.5)):
            moved = speed * math.exp(draw.normal(0, 0.1))
            reporting.add_run(
                store, f"{machine}-{day}", machine=machine, machine_speed=moved, **OTHERS
            )
    (overall,) = compared(store).overall["infer"][1:]
    assert overall.runs == 6
    assert overall.faster.low < 2 < overall.faster.high
    assert overall.faster.high / overall.faster.low > 1.1
    assert not overall.within_runs_only


def test_a_run_with_other_versions_repeats_none(store):
    reporting.add_run(store, "old", machine="m1", versions={"torch": "2.12.0"}, **OTHERS)
    two_machines(store)
    assert runs_of(store, By.MACHINE) == ["ra", "rb"]


def test_each_generation_gives_one_mean_over_workloads_and_arms(twice):
    (overall,) = twice.overall["infer"][1:]
    logs = [math.log(cell.faster[1].value) for cell in twice.cells if cell.same.phase == "infer"]
    assert math.log(overall.faster.value) == pytest.approx(np.mean(logs), abs=1e-9)


# What is said of it.


def test_the_answer_names_both_numbers_and_the_worst(twice):
    (said, different, *_) = by_id(twice)["across"].sentences
    assert LEAD.search(said)
    assert "on these 2 workloads (geometric mean, 2 arms; within-run error only)" in said
    assert re.search(r"Workloads differ: [\d.]+x to [\d.]+x, in order: ", different)
    assert "2 families tell too little of other workloads; 8 would" in different


def test_from_eight_families_on_other_workloads_are_spoken_of(store):
    few = {"workloads": NINE, "generations": 2, "rounds": 4, "seconds": {"infer": 1e-3}}
    said = by_id(two_machines_of(store, few))["across"].sentences[1]
    assert re.search(r"Of other workloads like these: \[[\d.]+, [\d.]+\] on average", said)
    assert "by 9 families (resnet18 and resnet34 are one)" in said
    assert said.count("x,") == 3, "the worst three"


def two_machines_of(store, changes):
    reporting.add_run(store, "ra", machine="m1", **(OTHERS | changes))
    reporting.add_run(store, "rb", machine="m2", machine_speed=0.5, **(OTHERS | changes))
    return compared(store)


def test_disturbed_rounds_leave_no_interval_anywhere(store):
    comparison = two_machines(store, flags=STEAL)
    (overall,) = comparison.overall["infer"][1:]
    assert math.isnan(overall.faster.low)
    assert all(math.isnan(cell.faster[1].low) for cell in comparison.cells)
    section = by_id(comparison)["across"]
    assert "not judged: disturbed" in section.sentences[0]
    assert any("shown without an interval" in doubt for doubt in section.doubts)


def test_other_versions_are_an_alarm_and_stand_in_a_table_of_their_own(store):
    found = by_id(two_machines(store, versions={"torch": "2.14.0", "python": "3.11.9"}))
    assert found["across"].alarm.startswith("Versions differ (torch): ")
    rows = {
        row[0].text: [cell.text for cell in row[1:]]
        for row in found["across-environment"].tables[0].rows
    }
    assert rows == {"version of torch": ["2.13.0", "2.14.0"]}


def test_threads_that_differ_stand_beside_the_versions(store):
    found = by_id(two_machines(store, threads=8))
    assert found["across"].alarm == ""
    (row,) = found["across-environment"].tables[0].rows
    assert [cell.text for cell in row] == ["used threads", "2", "8"]


def test_sides_that_differ_in_nothing_have_no_table_of_differences(twice):
    assert "across-environment" not in by_id(twice)


# Names.


def test_two_machines_of_one_model_are_told_apart(store, tmp_path):
    """The same hardware, so the same id; another host."""
    with open_store(tmp_path / "cloud.sqlite") as other:
        reporting.add_run(store, "ra", machine="m1", machine_label="", **OTHERS)
        twice = OTHERS | {"machine_speed": 0.5, "host": "beef42"}
        reporting.add_run(other, "rb", machine="m1", machine_label="", **twice)
        runs, places = [gather(store, "ra"), gather(other, "rb")], [store.place, other.place]
        comparison = side_by_side(runs, By.MACHINE, places)
        assert comparison.names == [
            "Example CPU 9000, 4 cores, 16 GiB (new)",
            "Example CPU 9000, 4 cores, 16 GiB (cloud)",
        ]
        assert comparison.overall["infer"][1].faster.value == pytest.approx(2, rel=0.05)
        alike = side_by_side(runs, By.MACHINE, ["new", "new"]).names
        assert alike[1] == "Example CPU 9000, 4 cores, 16 GiB (new) (host beef42)"


def test_labels_name_machines(twice):
    assert twice.names == ["machine m1", "machine m2"]


REFUSED = {
    "specification": ({"spec_hash": "ffff"}, "no cell in common"),
    "arms": ({"arms": {"mx:eager": 1.0}}, "no cell in common"),
    "workloads": ({"workloads": ("w",)}, "no cell in common"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_sides_without_a_common_cell_are_refused(store, case):
    changes, message = REFUSED[case]
    with pytest.raises(UsageError, match=message):
        two_machines(store, **changes)


@pytest.mark.parametrize("by", By)
def test_one_side_is_refused_with_what_to_do(store, by):
    reporting.add_run(store, "ra", **OTHERS)
    with pytest.raises(UsageError, match=r"or more .*; .*"):
        compared(store, by)


# Versions and types.


def test_versions_of_one_machine_are_compared_in_units_of_the_control(store):
    """The machine became slower by half between the runs, which is none of the version's."""
    reporting.add_run(store, "ra", **OTHERS)
    newer = {"torch": "2.14.0", "python": "3.11.9"}
    reporting.add_run(store, "rb", versions=newer, machine_speed=1.5, slower=0.8, **OTHERS)
    comparison = compared(store, By.VERSION)
    assert comparison.names == ["torch 2.13.0", "torch 2.14.0"]
    assert comparison.overall["infer"][1].faster.value == pytest.approx(1.25, rel=0.05)
    assert by_id(comparison)["across"].alarm == ""


def test_types_of_one_run_are_paired_in_rounds(store):
    arms = {"torch:eager[dtype=float32]": 1.0, "torch:eager[dtype=bfloat16]": 0.5}
    reporting.add_run(store, "ra", **(OTHERS | {"arms": arms}))
    comparison = compared(store, By.DTYPE)
    assert comparison.names == ["float32", "bfloat16"]
    (overall,) = comparison.overall["train_step"][1:]
    assert overall.paired
    assert overall.faster.value == pytest.approx(2, rel=0.01)
    assert {cell.same.arm for cell in comparison.cells} == {"torch:eager"}
    assert WITHIN not in by_id(comparison)["across"].sentences[0]


# Costs.


def test_what_an_example_costs_is_its_time_at_the_price_of_an_hour(store):
    two_machines(store)
    prices = (Price("machine m1", 1.0), Price("m2", 4.0))
    section = by_id(compared(store, prices=prices))["across-costs"]
    assert "for the same money: machine m2 does 0.5" in section.conclusions[0]
    first = section.data["costs"][0]["examples_for_one_unit_of_money"]
    call_s = reporting.SECONDS["train_step"]
    assert first["machine m1"] == pytest.approx(64 / call_s * 3600, rel=0.05)
    assert first["machine m2"] == pytest.approx(2 * 64 / call_s * 3600 / 4, rel=0.05)


@pytest.mark.parametrize("name", ["m3", "m"])
def test_a_price_of_no_side_is_refused(store, name):
    two_machines(store)
    with pytest.raises(UsageError, match="'machine m1', 'machine m2'"):
        compared(store, prices=(Price(name, 1.0),))


def test_energy_is_shown_where_a_counter_counted_it(store):
    joules = {"joules": 0.02, "source": "RAPL package-0"}
    facts = {"energy": {"torch:eager mlp/64 infer": joules}}
    section = by_id(two_machines(store, facts=[facts, {}, {}, {}]))["across-costs"]
    (energy,) = section.tables
    (row,) = energy.rows
    assert energy.note == "machine m2: RAPL package-0"
    examples, watts = (float(cell.text.replace(",", "")) for cell in row[3:])
    assert examples == pytest.approx(64 / 0.02)
    assert watts == pytest.approx(0.02 / 0.5e-3, rel=0.1)


def test_without_price_and_counter_nothing_is_said_of_costs(twice):
    assert "across-costs" not in by_id(twice)


# Every renderer, and many sides.


@pytest.mark.slow
def test_twenty_machines_stand_below_each_other(store):
    small = OTHERS | {"workloads": ("mlp",), "generations": 2, "rounds": 4}
    small |= {"seconds": {"infer": 1e-3, "train_step": 4e-3}}
    for place in range(20):
        speed = 1 / (1 + place)
        reporting.add_run(
            store, f"r{place:02}", machine=f"m{place:02}", machine_speed=speed, **small
        )
    comparison = compared(store)
    found = by_id(comparison)
    assert len(found["across"].sentences) == 4, "the fastest, for each purpose"
    assert "machine m19 is 20x" in found["across"].sentences[0]
    assert len(found["across"].tables[0].rows) == 20
    assert len(found["across-cells"].tables[0].columns) == 6
    reporting.add_run(store, "r20", machine="m20", **small)
    with pytest.raises(UsageError, match="got 21 machines, and 20"):
        compared(store)


@pytest.mark.slow
def test_page_markdown_and_terminal_begin_with_the_answer(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name, speed in (("a", 1.0), ("b", 0.5)):
        with open_store(f"{name}.sqlite") as store:
            reporting.add_run(store, f"r{name}", machine=name, machine_speed=speed, **OTHERS)
    words = ["report", "a.sqlite", "b.sqlite", "--by", "machine"]
    assert main([*words, "--price", "a=1/h", "--price", "b=3/h", "-o", "out/page.html"]) == 0
    shown = capsys.readouterr().out
    assert LEAD.search(" ".join(shown.split()))
    assert shown.endswith("out/page.html\n")
    page = Path("out/page.html").read_text().partition("<main")[2]
    assert page.index("as fast as machine a on these") < page.index("Run on machine a")
    assert main([*words, "--format", "markdown", "-o", "out/page.md", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["side_by_side"]["sides"] == ["machine a", "machine b"]
    assert [run["run_id"] for run in document["runs"]] == ["ra", "rb"]
    assert LEAD.search(Path("out/page.md").read_text().replace("\\", ""))


def test_names_of_machines_are_no_markup(store):
    hostile = "<script>alert(1)</script>|`x`"
    reporting.add_run(store, "ra", machine="m1", machine_label=hostile, **OTHERS)
    reporting.add_run(store, "rb", machine="m2", **OTHERS)
    found = sections(compared(store))
    assert "<script>" not in markdown.markdown(found)
    assert "<script>alert" not in "".join(
        html.section_html(one, {"torch": 0, "jax": 1}) for one in found[:1]
    )


def test_doubted_cells_are_left_out_of_the_mean(twice):
    runs = [side.newest for side in twice.sides]
    cell = twice.cells[0]
    doubts = {cell.cells[1].cell_id: "its bench contradicts itself"}
    again = side_by_side([runs[0], replace(runs[1], time_doubts=doubts)], By.MACHINE)
    overall = again.overall[cell.same.phase][1]
    assert overall.doubted == 1
    assert overall.faster.value != twice.overall[cell.same.phase][1].faster.value
    assert overall.sound
    assert math.isnan(again.cells[0].faster[1].low)


TOKENS = {"name": "mlp", "model": {"inputs": [{"dtype": "int32", "shape": [128]}]}, "task": {}}


def test_a_language_model_has_tokens_a_second_in_tables_and_frames(store):
    comparison = two_machines_of(store, {"networks": [TOKENS], "workloads": ("mlp",)})
    (row, *_) = by_id(comparison)["across-cells"].tables[0].rows
    assert row[3].text.endswith(" tokens")
    evidence = comparison.sides[0].newest
    (table,) = reporting.section_of(evidence, "cells").tables
    assert "tokens/s" in {column.heading for column in table.columns}
    frame = cells_frame(evidence.cells, evidence.measured.settings.units)
    assert set(frame["unit"]) == {"tokens"}
    assert np.allclose(frame["units_per_s"], 128 * frame["examples_per_s"])
