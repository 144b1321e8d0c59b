"""A headless Chromium for tests and benchmarks of a page."""

import os
import shutil
from pathlib import Path

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


def started(profile: Path):
    """A driver, whose `quit` is the caller's.  profile: an empty folder."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = program("chromium", "chromium-browser", "google-chrome")
    for flag in (*FLAGS, f"--user-data-dir={profile}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService(executable_path=program("chromedriver"))
    return webdriver.Chrome(options=options, service=service)
