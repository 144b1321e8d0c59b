"""Large stores and large reports, of simulated visits: writing, reading, statistics, the page."""

import pytest
from dnnbench.cli.main import main
from dnnbench.report.evidence import gather
from dnnbench.report.html import page_of
from dnnbench.report.sections.answer import answer
from dnnbench.store.store import open_store
from helpers import reporting, storing
from helpers.chromium import started

CELLS, GENERATIONS, VISITS = 1000, 4, 250
RUNS = 1000
WORKLOADS, ARMS = 200, 12
MOST_BYTES = 5_000_000
PURPOSES = {phase: reporting.SECONDS[phase] for phase in ("infer", "train_step")}


@pytest.fixture
def million(tmp_path):
    """(a store, its cells, visits of each): a million visits to be written."""
    with open_store(tmp_path / "million.sqlite") as store:
        storing.add_run(store, "r")
        rows = [storing.cell_row(workload=f"w{place}") for place in range(CELLS)]
        cells = store.add_cells("r", rows)
        blocks = dict.fromkeys(cells, storing.visits(0, VISITS))
        yield store, cells, blocks


def write(store, blocks):
    for generation in range(GENERATIONS):
        store.add_generation("r", generation, {}, blocks)


@pytest.mark.benchmark(group="a million visits in 1,000 cells, written")
def test_a_million_visits_are_written(benchmark, million):
    store, _, blocks = million
    benchmark.pedantic(write, (store, blocks), rounds=1)


@pytest.mark.benchmark(group="a million visits in 1,000 cells, framed")
def test_a_million_visits_are_framed(benchmark, million):
    store, cells, blocks = million
    write(store, blocks)
    frame = benchmark.pedantic(store.samples, (cells,), rounds=3)
    assert len(frame) == CELLS * GENERATIONS * VISITS


@pytest.mark.benchmark(group="report on a store of 1,000 runs")
def test_a_store_of_many_runs_is_reported(benchmark, tmp_path):
    small = {"workloads": ("mlp",), "seconds": PURPOSES, "generations": 2, "rounds": 4}
    with open_store(tmp_path / "runs.sqlite") as store:
        for place in range(RUNS):
            reporting.add_run(store, f"r{place:04}", machine=f"m{place % 2}", **small)
    words = ["report", str(tmp_path / "runs.sqlite"), "-o", str(tmp_path / "page.html")]
    assert benchmark.pedantic(main, (words,), rounds=1) == 0


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """200 workloads, 12 arms, training and inference: 4,800 cells, with first calls, checks and
    what every program says of itself.
    """
    others = {f"torch:mode{place}": 1 + 0.1 * place for place in range(1, ARMS)}
    arms = {reporting.BASE: 1.0} | others
    names = tuple(f"net{place}" for place in range(WORKLOADS))
    with open_store(tmp_path_factory.mktemp("wide") / "wide.sqlite") as store:
        reporting.add_run(
            store, "r", arms=arms, workloads=names, seconds=PURPOSES, rounds=24, rotating=True,
            facts=[reporting.facts_of(arms, names)] * 3,
        )  # fmt: skip
        reporting.add_facts(store, "r", arms, names)
        yield store


@pytest.mark.benchmark(group="200 workloads x 12 arms: statistics of every cell")
def test_the_statistics_of_a_wide_run(benchmark, wide):
    evidence = benchmark.pedantic(gather, (wide, "r"), rounds=1)
    assert len(evidence.rows) == WORKLOADS * ARMS * len(PURPOSES)


@pytest.mark.benchmark(group="200 workloads x 12 arms: the answer")
def test_the_answer_of_a_wide_run(benchmark, wide):
    evidence = gather(wide, "r")
    assert benchmark.pedantic(answer, (evidence,), rounds=1) is not None


@pytest.mark.benchmark(group="200 workloads x 12 arms: the page")
def test_the_page_of_a_wide_run(benchmark, wide):
    evidence = gather(wide, "r")
    page = benchmark.pedantic(page_of, ([evidence],), rounds=1)
    benchmark.extra_info["megabytes"] = len(page.encode()) / 1e6
    assert len(page.encode()) < MOST_BYTES


@pytest.fixture
def browser(tmp_path):
    driver = started(tmp_path / "profile")
    yield driver
    driver.quit()


@pytest.mark.benchmark(group="200 workloads x 12 arms: the page, opened")
def test_the_page_of_a_wide_run_is_opened(benchmark, wide, browser, tmp_path):
    (tmp_path / "page.html").write_text(page_of([gather(wide, "r")]))
    address = (tmp_path / "page.html").as_uri()

    def opened():
        browser.get("about:blank")
        browser.get(address)

    benchmark.pedantic(opened, rounds=3)
    assert browser.execute_script("return document.querySelectorAll('a[data-cell]').length") > 4000
