"""The page without scripts, and the page without a mouse."""

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
MOST_STOPS = 400
"""Of the Tab key before the page is given up."""


@pytest.fixture
def opened(browser, window, address):
    window()
    browser.get("about:blank")
    browser.get(address)
    return browser


# Without scripts.


@pytest.fixture
def without_scripts(browser, window, address):
    """The same page in a browser that runs no script of it."""
    window()
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": True})
    browser.get("about:blank")
    browser.get(address)
    yield browser
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})


READ = """const shown = text => text.replace(/\\s+/g, " ").trim();
          return [...document.querySelectorAll("main h2, main li, main p.lead, main td")].filter(
            one => one.checkVisibility({checkVisibilityCSS: true})).map(
            one => shown(one.textContent))"""


def test_a_browser_without_scripts_runs_none(without_scripts):
    assert without_scripts.find_elements(By.CSS_SELECTOR, "th button, select") == []


def test_every_sentence_and_figure_is_read_without_scripts(
    browser, window, address, without_scripts
):
    bare = set(browser.execute_script(READ))
    browser.execute_cdp_cmd("Emulation.setScriptExecutionDisabled", {"value": False})
    browser.get("about:blank")
    browser.get(address)
    assert len(bare) > 300
    assert set(browser.execute_script(READ)) - bare == set()


def test_every_chart_is_drawn_without_scripts(without_scripts):
    sizes = without_scripts.execute_script(
        "return [...document.querySelectorAll('main figure')].map("
        "one => one.querySelector('svg')?.getBoundingClientRect().height ?? 0)"
    )
    assert [size for size in sizes if size < 80] == []
    assert len(sizes) == 6


# Without a mouse.

HERE = """const one = document.activeElement, box = one.getBoundingClientRect();
          const style = getComputedStyle(one);
          return {cell: one.matches("[data-cell]"), dialog: one.closest("dialog") !== null,
                  shown: box.width > 0 && box.height > 0,
                  ringed: style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0,
                  what: one.outerHTML.slice(0, 120)}"""


def press(browser, key):
    ActionChains(browser).send_keys(key).perform()
    return browser.execute_script(HERE)


def stops_before_a_cell(browser):
    """What the Tab key stops at from the top of the page to the first figure of the heat map."""
    stops = []
    while not (stops and stops[-1]["cell"]):
        stops.append(press(browser, Keys.TAB))
        assert len(stops) < MOST_STOPS
    return stops


def test_every_stop_of_the_tab_key_is_shown(opened):
    assert [stop["what"] for stop in stops_before_a_cell(opened) if not stop["shown"]] == []


def test_every_stop_of_the_tab_key_is_marked(opened):
    assert [stop["what"] for stop in stops_before_a_cell(opened) if not stop["ringed"]] == []


def open_by_key(browser):
    stops_before_a_cell(browser)
    return press(browser, Keys.ENTER)


def test_a_cell_that_keys_open_takes_the_focus(opened):
    assert open_by_key(opened)["dialog"]


def test_the_tab_key_stays_in_an_open_cell(opened):
    """Or goes to the browser's own controls, which the page sees as its body."""
    open_by_key(opened)
    stops = [press(opened, Keys.TAB) for _ in range(12)]
    outside = [s["what"] for s in stops if not s["dialog"] and not s["what"].startswith("<body")]
    assert outside == []


def test_escape_leads_back_to_the_cell(opened):
    open_by_key(opened)
    assert press(opened, Keys.ESCAPE)["cell"]


def test_a_click_opens_a_cell_as_a_key_does(opened):
    link = opened.find_element(By.CSS_SELECTOR, "section[id$='-heat'] a[data-cell]")
    opened.execute_script("arguments[0].scrollIntoView({block: 'center'})", link)
    link.click()
    assert opened.find_elements(By.CSS_SELECTOR, "dialog[open]") != []
