"""One browser for all tests of a page."""

import os
import shutil

import pytest

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--hide-scrollbars", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--disable-dev-shm-usage",
)  # fmt: skip


def program(*names: str) -> str:
    """The first of these programs that is installed.

    Skips, or fails where the browser is required.
    """
    found = next(filter(None, map(shutil.which, names)), None)
    if found is None:
        told = f"{names[0]} is not installed (apt-get install chromium chromium-driver)"
        (pytest.fail if os.environ.get("DNNBENCH_REQUIRE_BROWSER") == "1" else pytest.skip)(told)
    return found


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('profile')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=program("chromedriver"))
    driver = webdriver.Chrome(options=options, service=service)
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
