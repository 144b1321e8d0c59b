"""The page for every reader: by axe-core's rules, on a phone, on paper, and without scripts."""

import base64
import io
from importlib.resources import files

import pytest
from dnnbench.report.evidence import gather
from dnnbench.report.html import page_of, render_report
from dnnbench.store.store import open_store
from helpers import reporting
from pypdf import PdfReader

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
LONG = "torch:compile@/home/somebody/environments/nightly/bin/python3.12"
GRAVE = ("serious", "critical")
MOST_PAGES = 8
A4 = {"paperWidth": 8.27, "paperHeight": 11.69}


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    folder = tmp_path_factory.mktemp("everywhere")
    with open_store(folder / "s.sqlite") as store:
        reporting.add_run(store, "r", arms=reporting.SPEED | {LONG: 0.9})
        reporting.add_facts(store, "r")
        render_report([store], folder / "page.html", runs=["r"])
        (folder / "static.html").write_text(page_of([gather(store, "r")], static=True))
    return folder


@pytest.fixture
def visit(browser, window, pages):
    def opened(name="page.html", **metrics):
        window(**metrics)
        browser.get("about:blank")
        browser.get((pages / name).as_uri())
        return browser

    return opened


def violations(browser):
    """What axe-core calls grave, each with the first element that it means."""
    browser.execute_script(files("axe_core_python").joinpath("axe.min.js").read_text())
    browser.set_script_timeout(120)
    return browser.execute_async_script(
        """const done = arguments[1];
           axe.run().then(result => done(result.violations.filter(
             one => arguments[0].includes(one.impact)).map(
             one => [one.id, one.nodes[0].html.slice(0, 200)])))""",
        GRAVE,
    )


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.exhaustive)])
@pytest.mark.parametrize(
    "name",
    ["page.html", pytest.param("static.html", marks=pytest.mark.exhaustive)],  # less of the same
)
def test_axe_finds_nothing_serious(visit, name, scheme):
    assert violations(visit(name, scheme=scheme)) == []


@pytest.mark.parametrize("scheme", ["light", pytest.param("dark", marks=pytest.mark.exhaustive)])
def test_axe_finds_nothing_serious_in_an_open_cell(visit, scheme):
    browser = visit(scheme=scheme)
    browser.execute_script("document.querySelector('a[data-cell]').click()")
    browser.set_script_timeout(30)
    browser.execute_async_script(
        """const done = arguments[0];
           const ask = () => document.querySelectorAll('dialog figure[data-drawn]').length === 2
             ? done() : setTimeout(ask, 20); ask();"""
    )
    assert violations(browser) == []


@pytest.mark.parametrize("name", ["page.html", "static.html"])
def test_on_a_phone_every_name_is_whole_and_the_page_does_not_scroll_sideways(visit, name):
    browser = visit(name, width=390, height=844, mobile=True)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= 390
    cut = browser.execute_script(
        """return [...document.querySelectorAll(".arm")].filter(name => name.checkVisibility()
             && name.getBoundingClientRect().right
                > name.closest(".scroll").getBoundingClientRect().right).map(
             name => name.textContent)"""
    )
    assert cut == []


def printed(browser):
    pdf = browser.execute_cdp_cmd("Page.printToPDF", A4)["data"]
    return [page.extract_text() for page in PdfReader(io.BytesIO(base64.b64decode(pdf))).pages]


def test_a_run_is_printed_on_few_pages_and_no_heading_ends_one(visit):
    browser = visit()
    headings = browser.execute_script(
        "return [...document.querySelectorAll('h2, h3')].map(one => one.textContent.trim())"
    )
    sheets = printed(browser)
    assert 2 < len(sheets) <= MOST_PAGES
    ends = [sheet.strip().splitlines()[-1].strip() for sheet in sheets]
    assert set(ends) & set(headings) == set()


def test_a_static_page_shows_every_table_and_chart(visit):
    browser = visit("static.html")
    assert browser.find_elements("css selector", "script, button, select") == []
    assert len(browser.find_elements("css selector", "figure svg")) == 6
    assert len(browser.find_elements("css selector", "main table")) > 10
