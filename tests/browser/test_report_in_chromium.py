"""The page in a real browser: nothing fetched, nothing complained of,
nothing wider than the window.
"""

import json
import re
import socket
import sys
import tempfile
from pathlib import Path

import pytest
from dnnbench.report.html import render_report
from dnnbench.spec.phases import Phase
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.running import TINY, WITH_PAGE, dnnbench

pytestmark = [
    pytest.mark.browser,
    pytest.mark.xdist_group("browser"),
]  # one browser, and each page made once
WIDTHS = (400, 1280)


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """A page about one run, and one that sets two machines side by side.

    An arm has a very long name.
    """
    folder = tmp_path_factory.mktemp("pages")
    arms = reporting.SPEED | {
        "torch:compile@/home/somebody/environments/nightly/bin/python3.12": 0.9
    }
    with open_store(folder / "s.sqlite") as store:
        reporting.add_run(
            store, "r1", arms=arms, label="<b>night</b>", notes=["numpy:eager stays on the CPU"]
        )
        reporting.add_facts(store, "r1", reporting.SPEED)
        reporting.add_run(store, "r2", machine="m2", arms=arms)
        return {
            "one": render_report([store], folder / "one.html", runs=["r1"]),
            "two": render_report([store] * 2, folder / "two.html", runs=["r1", "r2"], by="machine"),
        }


@pytest.mark.parametrize("name", ["one", "two"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_opens_from_a_file_without_complaint_or_request(
    browser, pages, name, width, scheme
):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme_is = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": scheme_is})
    for kind in ("browser", "performance"):
        browser.get_log(kind)
    browser.get(pages[name].as_uri())
    assert browser.get_log("browser") == []
    assert requested(browser) == [pages[name].as_uri()]
    assert browser.execute_script("return window.innerWidth") == width
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    assert wider_than(browser, width) == []


def requested(browser) -> list[str]:
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    return [
        m["params"]["request"]["url"]
        for m in messages
        if m["method"] == "Network.requestWillBeSent"
    ]


def wider_than(browser, width: int) -> list[str]:
    """What sticks out of the window and is not inside a box that scrolls by itself."""
    return browser.execute_script(
        """return [...document.querySelectorAll("body *")].filter(e =>
             e.getBoundingClientRect().right > arguments[0] + 1 && !e.closest(".scroll, figure")
           ).map(e => e.outerHTML.slice(0, 120))""",
        width,
    )


def test_the_charts_are_there_and_drawn_in_the_colours_of_the_backends(browser, pages):
    browser.get(pages["one"].as_uri())
    sizes = browser.execute_script(
        "return [...document.querySelectorAll('figure svg')].map(e => [e.clientWidth, "
        "e.clientHeight])"
    )
    assert len(sizes) == 6
    assert all(w > 300 for w, h in sizes)
    assert all(h > 80 for w, h in sizes)
    inks = browser.execute_script(
        """return [...new Set([...document.querySelectorAll("figure svg path")].map(
             e => getComputedStyle(e).fill))]"""
    )
    dots = browser.execute_script(
        """return [...new Set([...document.querySelectorAll(".arm")].map(
             e => getComputedStyle(e, "::before").backgroundColor))]"""
    )
    assert len(dots) == 4
    assert set(dots) <= set(inks)


def test_tables_scroll_inside_their_own_box_on_a_phone(browser, pages):
    metrics = {"width": 400, "height": 800, "deviceScaleFactor": 2, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get(pages["one"].as_uri())
    boxes = browser.execute_script(
        "return [...document.querySelectorAll('.scroll')].map(e => [e.clientWidth, e.scrollWidth])"
    )
    assert len(boxes) >= 7
    assert all(shown <= 400 for shown, _ in boxes)
    assert sum(needed > shown for shown, needed in boxes) >= 5


REASON = "answers has no gradients"


@pytest.fixture(scope="module")
def lacking(tmp_path_factory, cache):
    """The page of a run in which one arm only infers."""
    place = tmp_path_factory.mktemp("lacking")
    (place / "tiny.toml").write_text(TINY)
    done = dnnbench(place, "run", "tiny.toml", "--backend", "numpy,answers", *WITH_PAGE)
    assert done.returncode == 0, done.stderr
    return place / "results" / "report.html"


@pytest.mark.parametrize("width", WIDTHS)
def test_the_page_of_a_run_with_an_arm_that_only_infers_opens_without_complaint(
    browser, lacking, width
):
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    browser.get_log("browser")
    browser.get(lacking.as_uri())
    assert browser.get_log("browser") == []
    assert wider_than(browser, width) == []


def rows_of(browser, arm):
    """Texts of the rows of every cell of an arm, by phase."""
    return dict(
        browser.execute_script(
            """const text = cell => [...cell.childNodes].filter(
                 node => !node.classList?.contains("here")).map(
                 node => node.textContent).join("").trim();
               return [...document.querySelectorAll("section[id$='-cells'] tbody tr")].filter(
                 row => text(row.cells[1]) === arguments[0]).map(
                 row => [text(row.cells[0]), row.innerText])""",
            arm,
        )
    )


@pytest.mark.parametrize(("phase", "unsupported"), [(Phase.INFER, False), (Phase.TRAIN_STEP, True)])
def test_the_arm_is_ranked_in_inference_and_unsupported_in_training(
    browser, lacking, phase, unsupported
):
    browser.get(lacking.as_uri())
    assert ("unsupported" in rows_of(browser, "answers:right")[phase]) is unsupported


def test_the_page_says_why_its_phases_are_missing(browser, lacking):
    browser.get(lacking.as_uri())
    text = browser.execute_script("return document.body.innerText")
    assert REASON in text


def test_the_page_of_a_run_tells_nothing_of_its_user_that_it_does_not_list(lacking):
    """No folder that it was run in, no home, no name of the host."""
    text = re.sub(r"<script>.*?</script>|<pre>.*?</pre>", "", lacking.read_text(), flags=re.S)
    listed = re.findall(r"<td>path<.*?>([^<]*)</td></tr>", text)
    assert listed == []
    for folder in (
        lacking.parent.parent,
        Path.home(),
        Path(sys.prefix),
        Path(tempfile.gettempdir()),
    ):
        assert f"{folder}/" not in text
    assert not re.search(rf"\b{re.escape(socket.gethostname())}\b", text)
