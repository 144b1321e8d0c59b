"""Where plugins are installed."""

import sys
from pathlib import Path

import pytest
from dnnbench.plugins.discovery import Plugins
from dnnbench.plugins.entries import announced
from helpers.installing import install
from helpers.plugin_sources import BESIDE_OWN


@pytest.fixture
def plugins_of(tmp_path, monkeypatch):
    """Plugins as this process would find them with some distributions installed,
    and none of other tests'.
    """
    others = [path for path in sys.path if Path(path).is_relative_to(Path(__file__).parents[1])]
    monkeypatch.setattr(sys, "path", [path for path in sys.path if path not in others])
    monkeypatch.syspath_prepend(tmp_path)
    modules = set(sys.modules)

    def find(**sources):
        for name, source in sources.items():
            install(tmp_path, name, source)
        entries = announced()
        return Plugins([each for each in entries if each.origin.entry not in BESIDE_OWN])

    yield find
    for name in set(sys.modules) - modules:
        if name.endswith("_plugin"):
            del sys.modules[name]
