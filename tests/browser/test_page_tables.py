"""Tables of the page in a real browser: sorted, filtered, copied, linked; and the theme."""

import csv
import io

import pytest
from helpers import reporting
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

pytestmark = [pytest.mark.browser, pytest.mark.xdist_group("browser")]
CELLS = "section[id$='-cells']"


@pytest.fixture
def opened(browser, window, address):
    """The page as it opens, with a clipboard that may be read."""
    window()
    permissions = {"permissions": ["clipboardReadWrite", "clipboardSanitizedWrite"]}
    browser.execute_cdp_cmd("Browser.grantPermissions", permissions)
    browser.get("about:blank")
    browser.get(address)
    yield browser
    assert browser.get_log("browser") == []


def column(browser, place, table=f"{CELLS} table"):
    """Texts of a column of the first such table, in the order in which they are shown."""
    return browser.execute_script(
        """return [...document.querySelector(arguments[0]).querySelectorAll("tbody tr")].filter(
             row => !row.hidden).map(row => row.cells[arguments[1]].firstChild.textContent)""",
        table,
        place,
    )


def times(browser):
    return [float(text) for text in column(browser, 2)]


def head(browser, name):
    buttons = browser.find_elements(By.CSS_SELECTOR, f"{CELLS} table:first-of-type th button")
    return next(button for button in buttons if button.text == name)


def test_a_column_is_sorted_up_then_down_then_as_it_was(opened):
    before = times(opened)
    head(opened, "ms a call").click()
    assert times(opened) == sorted(before)
    head(opened, "ms a call").click()
    assert times(opened) == sorted(before, reverse=True)
    head(opened, "ms a call").click()
    assert times(opened) == before != sorted(before)


def test_times_of_several_units_are_sorted_by_what_they_mean(opened):
    table = "section[id$='-answer'] table"
    button = opened.find_elements(By.CSS_SELECTOR, f"{table} th button")[3]
    button.click()
    button.click()
    slowest_first = ["numpy:eager", "tensorflow:graph", "torch:eager", "jax:jit"]
    assert column(opened, 0, table) == slowest_first
    units = opened.execute_script(
        "return [...document.querySelector(arguments[0]).tBodies[0].rows].map("
        "row => row.cells[3].innerText.split(' ').pop())",
        table,
    )
    assert units == ["ms", "ms", "ms", "µs"]


def test_a_key_sorts_as_a_click_does(opened):
    button = head(opened, "ms a call")
    button.send_keys(Keys.ENTER)
    assert times(opened) == sorted(times(opened))
    assert opened.find_element(By.CSS_SELECTOR, "th[aria-sort]").text.startswith("ms a call")


def choose(browser, what, value):
    Select(browser.find_element(By.CSS_SELECTOR, f"select[data-chooses='{what}']")).select_by_value(
        value
    )


def shown(browser, attribute):
    return set(
        browser.execute_script(
            """return [...document.querySelectorAll("main tbody tr")].filter(
                 row => row.checkVisibility() && arguments[0] in row.dataset).map(
                 row => row.dataset[arguments[0]])""",
            attribute,
        )
    )


@pytest.mark.parametrize(
    ("what", "attribute", "value"),
    [
        ("workload", "workload", "cnn_digits"),
        ("arm", "arm", "jax:jit"),
        ("phase", "phase", "train_step"),
        ("type", "type", "float64"),
    ],
)
def test_a_filter_leaves_the_rows_of_one_value_and_all_comes_back(opened, what, attribute, value):
    everything = shown(opened, attribute)
    assert len(everything) > 1
    choose(opened, what, value)
    assert shown(opened, attribute) == {value}
    choose(opened, what, "")
    assert shown(opened, attribute) == everything


def test_two_filters_hold_together(opened):
    choose(opened, "workload", "cnn_digits")
    choose(opened, "arm", "jax:jit")
    assert (shown(opened, "workload"), shown(opened, "arm")) == ({"cnn_digits"}, {"jax:jit"})


def test_what_is_the_same_everywhere_has_no_filter(opened):
    assert opened.find_elements(By.CSS_SELECTOR, "select[data-chooses='batch size']") == []


def copied(browser, form):
    browser.execute_script("document.querySelector(arguments[0]).scrollIntoView()", CELLS)
    buttons = browser.find_elements(By.CSS_SELECTOR, f"{CELLS} .copy button")
    next(button for button in buttons if button.text.endswith(form)).click()
    browser.execute_async_script("setTimeout(arguments[0], 50)")
    return browser.execute_async_script("navigator.clipboard.readText().then(arguments[0])")


def test_a_table_is_copied_as_csv_with_the_rows_that_are_shown(opened):
    choose(opened, "arm", "jax:jit")
    rows = list(csv.DictReader(io.StringIO(copied(opened, "CSV"))))
    assert len(rows) == len(reporting.SECONDS)
    assert {row["arm"] for row in rows} == {"jax:jit"}
    assert rows[0]["verdict"].endswith("FASTER")


def test_a_table_is_copied_as_markdown(opened):
    lines = copied(opened, "Markdown").splitlines()
    assert len(lines) == 2 + 4 * len(reporting.SECONDS)
    assert lines[0].startswith("| phase | arm | ms a call |")
    assert lines[1].startswith("| --- | --- | ---: |")
    assert {line.count("|") for line in lines} == {14}


def test_a_link_leads_to_its_row_though_a_filter_hides_it(opened):
    link = opened.find_element(By.CSS_SELECTOR, "section[id$='-heat'] td a")
    target = link.get_attribute("href").partition("#")[2]
    choose(opened, "workload", "cnn_digits")
    opened.execute_script("location.hash = arguments[0]", target)
    row = opened.find_element(By.ID, target)
    assert row.is_displayed()
    assert opened.execute_script("return arguments[0].matches(':target')", row)


def test_every_row_has_a_link_of_its_own(opened):
    names = opened.execute_script(
        "return [...document.querySelectorAll('main tbody tr')].map("
        "row => [row.id, row.querySelector('.here').getAttribute('href')])"
    )
    assert all(href == f"#{name}" for name, href in names)
    assert len({name for name, _ in names}) == len(names) > 100


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_theme_is_the_systems_until_it_is_chosen(opened, window, scheme):
    def background():
        return opened.execute_script("return getComputedStyle(document.body).backgroundColor")

    window(scheme=scheme)
    of_system = background()
    choose(opened, "theme", scheme)
    assert background() == of_system
    choose(opened, "theme", {"light": "dark", "dark": "light"}[scheme])
    assert background() != of_system
