"""The page explored in a real browser: a cell opened, another base, charts, hostile names."""

import numpy as np
import pytest
from dnnbench.report.html import render_report
from dnnbench.stats.flags import STEAL
from dnnbench.store.store import open_store
from helpers import reporting
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CLOSE = {"torch:eager": 1.0, "jax:jit": 1.02, "tensorflow:graph": 1.001, "numpy:eager": 3.0}
"""Arms of which some cannot be told apart, and some are the same."""
OTHER = "jax:jit"
HOSTILE = "</script><script>document.title='taken'</script>\"'<img src=x onerror=alert(1)>\u202egnp"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Pages of the same times: with the base as it was, with another, and with hostile names."""
    folder = tmp_path_factory.mktemp("cells")
    with open_store(folder / "s.sqlite") as store:
        reporting.add_run(store, "ab", arms=CLOSE, rotating=True)
        reporting.add_facts(store, "ab")
        reporting.add_run(store, "ba", arms=CLOSE, rotating=True, base=OTHER)
        reporting.add_facts(store, "ba")
        hostile = {"torch:eager": 1.0, HOSTILE: 2.0}
        reporting.add_run(store, "h", arms=hostile, label=HOSTILE, workloads=(HOSTILE,))
        reporting.add_run(store, "busy", generations=2, workloads=("w",))
        _disturb(store, "busy")
        return {
            run: render_report([store], folder / f"{run}.html", runs=[run]).as_uri()
            for run in ("ab", "ba", "h", "busy")
        }


def _disturb(store, run):
    """A third generation, of which every fourth round met other work."""
    cells = store.cells(run)["cell_id"].tolist()
    draw = np.random.default_rng(3)
    numbers = np.arange(24)
    blocks = {}
    for place, cell in enumerate(cells):
        blocks[cell] = reporting.visits(numbers, numbers * 0 + place, 1e-3 + 0 * numbers, draw)
        blocks[cell][:, 4] = np.where(numbers % 4 == 0, STEAL, 0)
    store.add_generation(run, 2, {}, blocks)


@pytest.fixture
def visit(browser, window, pages):
    """Opens a page; in the end nothing was complained of."""
    window()

    def opened(name):
        browser.get("about:blank")
        browser.get_log("browser")
        browser.get(pages[name])
        return browser

    yield opened
    assert browser.get_log("browser") == []


def wait(browser, condition):
    """Until a script says so; the driver's own limit of time ends it."""
    browser.set_script_timeout(30)
    browser.execute_async_script(
        f"""const done = arguments[0];
            const ask = () => ({condition}) ? done() : setTimeout(ask, 20); ask();"""
    )


def open_first(browser):
    link = browser.find_element(By.CSS_SELECTOR, "section[id$='-heat'] a[data-cell]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.send_keys(Keys.ENTER)
    wait(browser, "document.querySelectorAll('dialog figure[data-drawn]').length === 2")
    return link, browser.find_element(By.CSS_SELECTOR, "dialog[open]")


@pytest.mark.parametrize(
    "text",
    [
        "torch:eager on mlp_digits/64, train_step",
        "time a call",
        "72 visits in 3 generations; 0 rounds dropped",
        "300 MB",
        "import 2.00 s, build 100 ms, first call 500 ms",
        "How the visits lie",
        "Round by round",
    ],
)
def test_a_figure_of_the_heat_map_opens_its_cell(visit, text):
    _, dialog = open_first(visit("ab"))
    assert text in dialog.text


def test_a_key_closes_the_cell_and_leads_back(visit):
    browser = visit("ab")
    link, dialog = open_first(browser)
    dialog.send_keys(Keys.ESCAPE)
    assert browser.find_elements(By.CSS_SELECTOR, "dialog[open]") == []
    assert browser.switch_to.active_element == link


def test_its_link_leads_to_the_row_of_the_cell(visit):
    browser = visit("ab")
    link, dialog = open_first(browser)
    dialog.find_element(By.CSS_SELECTOR, "p a").click()
    row = browser.find_element(By.CSS_SELECTOR, "tr:target")
    assert row.get_attribute("id") == link.get_attribute("href").partition("#")[2]


def test_contended_rounds_are_marked_and_not_among_those_that_count(visit):
    browser = visit("busy")
    _, dialog = open_first(browser)
    assert "66 visits in 3 generations; 6 rounds dropped" in dialog.text
    inks = browser.execute_script(
        "return [...document.querySelectorAll('dialog .mark-symbol.role-mark path')].map("
        "mark => mark.getAttribute('fill'))"
    )
    assert inks.count("var(--bad)") == 6
    assert len(set(inks)) == 2


LIVE = """return [...document.querySelectorAll("td[data-shows]")].map(td => {
            const row = td.closest("tr").dataset;
            return [row.workload, row.arm, row.phase ?? td.cellIndex, td.dataset.shows,
                    td.innerText.trim()].join(" | ") })"""


def choose_base(browser, arm):
    Select(browser.find_element(By.CSS_SELECTOR, "select[data-chooses='base']")).select_by_value(
        arm
    )


def test_another_base_shows_what_a_run_with_that_base_shows(visit):
    wanted = sorted(visit("ba").execute_script(LIVE))
    browser = visit("ab")
    before = browser.execute_script(LIVE)
    choose_base(browser, OTHER)
    shown = browser.execute_script(LIVE)
    assert sorted(shown) == wanted
    assert {line.rpartition(" ")[2] for line in shown if "| verdict |" in line} >= {
        "SAME",
        "SLOWER",
    }
    choose_base(browser, "")
    assert sorted(browser.execute_script(LIVE)) == sorted(before) != wanted


def first_chart(browser):
    figure = browser.find_element(By.CSS_SELECTOR, "section[id$='-verdicts'] figure")
    browser.execute_script("arguments[0].scrollIntoView()", figure)
    wait(browser, "document.querySelector('section[id$=\"-verdicts\"] figure[data-drawn]')")
    return figure


def test_a_chart_of_ratios_follows_the_base(visit):
    browser = visit("ab")
    figure = first_chart(browser)
    assert "torch:eager" not in figure.find_element(By.CSS_SELECTOR, ".chart").text
    choose_base(browser, OTHER)
    wait(browser, "document.querySelector('figure .chart').textContent.includes('torch:eager')")


def test_a_mark_tells_its_figures_to_a_pointer(visit):
    from selenium.webdriver import ActionChains

    browser = visit("ab")
    figure = first_chart(browser)
    mark = figure.find_element(By.CSS_SELECTOR, ".mark-symbol.role-mark path")
    ActionChains(browser).move_to_element(mark).perform()
    wait(browser, "document.querySelector('.vg-tooltip.visible')")
    tip = browser.find_element(By.CSS_SELECTOR, ".vg-tooltip").text
    assert all(name in tip for name in ("arm", "phase", "ratio", "low", "high"))


def test_an_axis_is_log_or_linear(visit):
    browser = visit("ab")
    figure = first_chart(browser)
    assert "log axis" in figure.find_element(By.CSS_SELECTOR, ".chart").text
    figure.find_element(By.CSS_SELECTOR, "button.axis").click()
    wait(browser, "document.querySelector('figure .chart').textContent.includes('linear axis')")


def test_a_hostile_name_is_shown_and_not_obeyed(visit):
    browser = visit("h")
    open_first(browser)
    assert browser.title != "taken"
    assert browser.find_elements(By.CSS_SELECTOR, "img") == []
    title = browser.find_element(By.ID, "cell-title").text
    assert "</script><script>document.title='taken'</script>" in title
    assert "\u202e" not in browser.execute_script("return document.documentElement.outerHTML")


def test_code_from_elsewhere_does_not_run(visit, browser):
    visit("ab")
    browser.execute_script(
        """const script = document.createElement("script");
           script.textContent = "document.title = 'taken'"; document.body.append(script)"""
    )
    assert browser.title != "taken"
    refused = [entry["message"] for entry in browser.get_log("browser")]
    assert "Content Security Policy" in "".join(refused)
