"""One browser for all tests of a page."""

import pytest
from dnnbench.report.html import render_report
from dnnbench.store.store import open_store
from helpers import reporting
from helpers.chromium import started


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    driver = started(tmp_path_factory.mktemp("profile"))
    yield driver
    driver.quit()


@pytest.fixture
def window(browser):
    """Sets width, height and colour scheme of what the browser shows."""

    def set_window(width=1280, height=900, scheme="light", mobile=False):
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})

    return set_window


@pytest.fixture(scope="session")
def address(tmp_path_factory):
    """Of the page of a run whose times are known."""
    folder = tmp_path_factory.mktemp("page")
    with open_store(folder / "s.sqlite") as store:
        reporting.add_run(store, "r1")
        reporting.add_facts(store, "r1")
        return render_report([store], folder / "page.html", runs=["r1"]).as_uri()
