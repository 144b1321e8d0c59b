"""The page of a run whose true times are known, and the commands that write and merge."""

import json
import math
import re
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli.main import main
from dnnbench.errors import StoreError, UsageError
from dnnbench.report import drawing, html, palette, quantity
from dnnbench.report.evidence import gather
from dnnbench.report.page.scripts import own_script
from dnnbench.report.page.vega import vega_script
from dnnbench.report.steps import steps_of
from dnnbench.report.writing import refuse_unwritable
from dnnbench.stats.estimates import Visits
from dnnbench.stats.flags import STEAL
from dnnbench.store.store import open_store
from helpers import reporting

pytestmark = pytest.mark.slow


def page(*runs, static=True, **options):
    return html.page_of(list(runs), static=static, **options)


LOADS = re.compile(
    r"""\bsrc\s*=|<link|@import|url\(|<script|<iframe|<object|https?:|\bon\w+\s*=\s*["']""", re.I
)


@pytest.fixture(scope="module")
def whole(known):
    return page(known, static=False)


def without_scripts(text):
    """The page without the scripts that are ours, byte for byte, and without their data and
    licences.
    """
    for script in (vega_script(), own_script()):
        assert f"<script>{script.text}</script>" in text
        text = text.replace(f"<script>{script.text}</script>", "")
    text = re.sub(r'<script type="application/json" id="data">[^<]*</script>', "", text)
    return re.sub(r"<pre>[^<]*</pre>", "", text)


def test_the_page_refers_to_nothing_outside_itself(whole):
    assert LOADS.findall(without_scripts(whole)) == []
    assert_links_lead_somewhere(whole)


def test_a_static_page_has_no_script_and_lets_none_run(known):
    text = page(known)
    assert LOADS.findall(text) == []
    assert "script-src" not in text


def test_the_policy_lets_the_scripts_of_the_page_run_and_nothing_else(whole):
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', whole)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.replace("&#39;", "'").split(";"))
    assert rules.pop("style-src") == "'unsafe-inline'"
    scripts = re.findall(r"<script>(.*?)</script>", whole, re.S)
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in scripts]
    assert rules.pop("script-src").split() == [f"'sha256-{text}'" for text in hashes]
    assert set(rules.values()) == {"'none'"}
    assert {"default-src", "base-uri", "form-action"} <= set(rules)


@pytest.mark.parametrize(
    "licence", ["Apache-2.0", "BSD 3-Clause", "Copyright 2010-2026 Mike Bostock", "vega-lite"]
)
def test_the_page_states_the_licences_of_what_it_holds(whole, licence):
    assert licence in whole.split("<footer>")[1].split("<script")[0]


def test_a_page_of_a_run_is_small(whole):
    assert len(whole.encode()) < 2e6


def assert_links_lead_somewhere(text):
    if "<script" in text:
        text = without_scripts(text)
    targets = re.findall(r'href="([^"]*)"', text)
    assert targets
    assert set(targets) <= {f"#{name}" for name in re.findall(r'\bid="([^"]+)"', text)}


TOLD = [
    "Ratio to torch:eager",
    "The four steps of training",
    "Pieces run alone",
    "Training beside inference",
    "Every cell",
    "Agreement",
    "Training curves",
    "How to read this",
    "left out: ",
    "numpy:eager stays on the CPU",
    "a: b",
    "Example CPU 9000",
    '<td>torch</td><td class="why">2.13.0</td>',
    '<td>governor</td><td class="why">absent</td>',
    "is faster than torch:eager",
    "are slower than torch:eager",
    "examples/s",
    "rmse 7.0e-06, allowed 1.0e-06",
]


def test_the_page_says_what_the_issue_asks_of_it(whole):
    text = re.sub(r'<a class="here".*?</a>', "", whole)
    missing = [told for told in TOLD if told not in text]
    assert missing == []
    assert without_scripts(whole).count("<svg") == 2 + 2 + 2
    assert whole.count("<tr id=") > 56


def test_the_page_tells_how_the_machine_was_set_up_for_this_run_and_not_for_the_last(
    empty, tmp_path
):
    reporting.add_run(
        empty, "first", generations=1, facts=[{"system": {"governor": "first governor"}}]
    )
    reporting.add_run(empty, "old", generations=1)
    page = html.render_report([empty], tmp_path / "page.html", runs=["first"]).read_text()
    assert "first governor" in page
    assert "Linux 6.1" not in page
    page = html.render_report([empty], tmp_path / "page.html", runs=["old"]).read_text()
    assert "Linux 6.1" in page, "the machine's facts, where the run keeps none of its own"


def test_every_cell_has_a_row_with_its_colour(known, whole):
    places = palette.places(known.cells.backend)
    assert len(set(places.values())) == 4
    for arm, backend in zip(known.cells.arm, known.cells.backend, strict=True):
        assert f'<span class="arm b{places[backend]}">{arm}</span>' in whole


def test_labels_are_escaped_wherever_they_stand(empty):
    nasty = "<script>alert(1)</script>\"'&"
    arms = {"torch:eager": 1.0, nasty: 2.0}
    reporting.add_run(
        empty,
        "r",
        arms=arms,
        label=nasty,
        workloads=(nasty,),
        notes=[nasty],
        skipped={nasty: nasty},
        base=nasty,
    )
    text = without_scripts(page(gather(empty, "r"), static=False))
    assert "alert(1)" in text
    assert "<script" not in text
    assert 'alert(1)</script>"' not in text
    assert LOADS.findall(text) == []


def test_a_run_with_nothing_but_training_curves_has_a_page(empty):
    reporting.add_run(empty, "r", generations=0, arms={}, workloads=())
    reporting.add_epochs(empty, "r", ["torch:eager", "jax:jit"])
    text = page(gather(empty, "r"))
    assert text.count("<svg") == 2
    assert "Training curves" in text
    assert "Ratio to" not in text
    assert_links_lead_somewhere(text)
    assert re.search(r"0\.96\d*</td>", text)


def test_a_regression_shows_its_test_loss(empty, monkeypatch):
    task = {"metric": "loss", "target": 0.55}
    monkeypatch.setitem(reporting.SETTINGS, "workloads", [{"name": "mlp_table", "task": task}])
    reporting.add_run(empty, "r", generations=0, arms={}, workloads=())
    row = {
        "arm": "numpy:eager",
        "workload": "mlp_table",
        "dtype": "float32",
        "accuracy": None,
        "n_test": 89,
        "wrong": 0,
    }
    losses = [0.9, 0.6, 0.5125]
    empty.add_epochs(
        "r",
        [
            row | {"epoch": e, "loss": 1 / e, "test_loss": loss, "seconds": 0.1}
            for e, loss in enumerate(losses, 1)
        ],
    )
    text = page(gather(empty, "r"))
    assert text.count("<svg") == 2
    assert "mlp_table in float32: test loss" in text
    assert re.search(r">0\.5125</td>.*test loss 0\.55", text, re.S)


@pytest.mark.parametrize("loss", [0.0, float("nan"), float("inf")])
def test_a_loss_that_a_log_axis_cannot_show_takes_nothing_else_from_the_page(empty, loss):
    reporting.add_run(empty, "r", generations=0, arms={}, workloads=())
    row = {
        "arm": "numpy:eager",
        "workload": "w",
        "dtype": "float32",
        "accuracy": 0.9,
        "n_test": 89,
        "wrong": 0,
    }
    empty.add_epochs("r", [row | {"epoch": 1, "loss": loss, "test_loss": loss, "seconds": 0.1}])
    text = page(gather(empty, "r"))
    assert text.count("<svg") == 1
    assert "w in float32: test accuracy" in text


def test_an_arm_that_no_clean_round_met_has_no_steps_and_the_page_all_others(known):
    """One that is visited every other round may have had none but contended ones.

    NaN is no JSON for a chart.
    """
    run = known.measured
    name = ("jax:jit", "train_step", "mlp_digits")
    (seldom,) = (row.cell_id for row in run.cells if (row.arm, row.phase, row.workload) == name)
    visits = {
        cell: replace(v, flags=np.where(v.round % 24 < 2, STEAL, 0))
        for cell, v in run.visits.items()
    }
    kept = visits[seldom].round % 24 < 2
    visits[seldom] = Visits(*(column[kept] for column in vars(visits[seldom]).values()))
    steps = steps_of(replace(run, visits=visits))
    assert len(steps) == len(known.steps) - 1
    assert all(
        math.isfinite(e.value) for found in steps for e in (*found.seconds.values(), found.whole)
    )
    page(replace(known, steps=steps))


def test_without_the_extra_the_page_says_what_to_install_and_keeps_its_tables(known, monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    text = page(known)
    assert "charts need pip install &#39;dnnbench[report]&#39;" in text
    assert "<svg" not in text
    assert text.count("<table") >= 6


def test_charts_take_what_no_interval_and_extreme_ratios_bring(empty):
    reporting.add_run(
        empty,
        "r",
        generations=1,
        arms=reporting.SPEED | {"numpy:other": 5000.0, "torch:compile": 1.0001},
    )
    drawn = without_scripts(page(gather(empty, "r"), static=False))
    assert drawn.count("<svg") == 4
    assert "NaN" not in drawn
    assert "Infinity" not in drawn


def test_a_page_that_cannot_be_written_is_an_error_that_says_so(store, tmp_path):
    with pytest.raises(StoreError, match="cannot be written"):
        html.render_report([store], tmp_path, runs=["known"])
    with pytest.raises(UsageError, match="expected one of machine, version, dtype"):
        html.render_report([store], tmp_path / "x.html", runs=["known"], by="colour")


def test_asking_whether_a_page_can_be_written_leaves_what_is_there_as_it_is(tmp_path):
    page = tmp_path / "pages/page.html"
    refuse_unwritable(page)
    assert not page.parent.exists()
    page.parent.mkdir()
    page.write_text("an older one")
    refuse_unwritable(page)
    assert page.read_text() == "an older one"


# Numbers, colours, and the command.

WRITTEN = [
    (quantity.digits, 0.0123, "0.0123"),
    (quantity.digits, 1234.5, "1,230"),
    (quantity.digits, 9.996, "10.0"),
    (quantity.digits, 0, "0"),
    (quantity.digits, 73.2e9, "7.3e+10"),
    (quantity.digits, 6.2e-9, "6.2e-09"),
    (quantity.digits, 12_345_67, "1,230,000"),
    (quantity.digits, -0.05, "-0.0500"),
    (quantity.digits, float("inf"), "∞"),
    (quantity.digits, float("nan"), "–"),
    (quantity.milliseconds, 0.00123, "1.23"),
    (quantity.seconds, 0.00123, "1.23 ms"),
    (quantity.seconds, 0.9999, "1.00 s"),
    (quantity.seconds, 2.5e-5, "25.0 µs"),
    (quantity.seconds, 0, "0 ns"),
    (quantity.scaled, (1234567, "B"), "1.23 MB"),
    (quantity.scaled, (0, "B"), "0 B"),
    (quantity.ratio, 0.5, "0.500"),
    (quantity.ratio, 1.0034, "1.003"),
    (quantity.ratio, 31.24, "31.2"),
    (quantity.interval, (0.5, None), ""),
    (quantity.interval, (0.5, 1.25), "[0.500, 1.25]"),
    (quantity.percent, 0.02, "2 %"),
    (quantity.percent, 0.0123, "1.2 %"),
    (quantity.percent, 1.5, "150 %"),
    (quantity.throughput, 126862.3, "126,862"),
    (quantity.throughput, None, "–"),
]


@pytest.mark.parametrize(("show", "value", "text"), WRITTEN)
def test_numbers_are_written_as_people_read_them(show, value, text):
    assert show(*value if isinstance(value, tuple) else (value,)) == text


def test_a_backend_keeps_its_colour_from_page_to_page():
    four = palette.places(["torch", "jax", "numpy", "tensorflow"])
    assert len(set(four.values())) == 4
    assert palette.places(["torch"])["torch"] == four["torch"]
    assert len(set(palette.places(f"b{i}" for i in range(7)).values())) == 7
    assert len(palette.places(f"b{i}" for i in range(20))) == 20


def test_the_command_writes_the_newest_run(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with open_store("results/dnnbench.sqlite") as opened:
        for run in ("r1", "r2"):
            reporting.add_run(opened, run, generations=2, workloads=("w",))
    assert main(["report"]) == 0
    assert capsys.readouterr().out == "results/report.html\n"
    assert "Run r2" in Path("results/report.html").read_text()


REFUSED = {
    "no store": (("report", "none.sqlite"), "none.sqlite"),
    "no such run": (
        ("report", "--run", "zz"),
        "no run has id, label, revision, day or machine 'zz'",
    ),
    "one machine": (("report", "--by", "machine"), "two machines or more"),
    "price alone": (("report", "--price", "a=1/h"), "--price belongs to --by"),
    "no price": (("report", "--by", "dtype", "--price", "a=free"), "lab-3=1.23/h"),
    "nothing to merge": (("merge", "a.sqlite", "none.sqlite"), "none.sqlite"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_reported_is_said_without_a_traceback(tmp_path, monkeypatch, capsys, case):
    monkeypatch.chdir(tmp_path)
    with open_store("results/dnnbench.sqlite") as opened:
        reporting.add_run(opened, "r1", generations=1, workloads=("w",))
    words, said = REFUSED[case]
    assert main(words) == 2
    told = capsys.readouterr().err
    assert said in told
    assert "Traceback" not in told


def test_the_command_merges_another_machines_store(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b"):
        with open_store(f"{name}.sqlite") as opened:
            reporting.add_run(opened, f"run-{name}", machine=name, generations=1, workloads=("w",))
    assert main(["merge", "a.sqlite", "b.sqlite"]) == 0
    assert capsys.readouterr().out.startswith("1 run added to a.sqlite")
    assert main(["merge", "a.sqlite", "b.sqlite", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["added"]["run"] == 0
    with open_store("a.sqlite") as opened:
        assert opened.runs().run_id.tolist() == ["run-a", "run-b"]


def test_a_tab_is_told_apart_by_machine_and_date(whole, known):
    day = known.run.created[:10]
    assert f"<title>mlp_digits and cnn_digits: machine m1, {day}, dnnbench 0.1.0</title>" in whole
