"""Distributions with odd entry points, versions or requirements are named, and cost no other."""

import pytest
from dnnbench.plugins.discovery import Plugins, missing
from dnnbench.plugins.entries import announced
from dnnbench.plugins.hooks import BackendInfo
from helpers.installing import install
from helpers.plugin_sources import backends, faults_of

UNREADABLE = {
    "no equals sign": "[dnnbench]\nnonsense\n",
    "not UTF-8": b"[dnnbench]\nx = \xff\n",
}


@pytest.mark.parametrize("text", UNREADABLE.values(), ids=UNREADABLE)
def test_unreadable_entry_points_of_one_distribution_cost_no_other(tmp_path, plugins_of, text):
    install(tmp_path, "torn", "")
    (tmp_path / "torn-1.0.dist-info" / "entry_points.txt").write_bytes(
        text if isinstance(text, bytes) else text.encode()
    )
    all_ = plugins_of(bbb=backends("[info()]"))
    [fault] = faults_of(all_)
    assert fault.startswith("plugin 'entry_points.txt' of torn 1.0: cannot be read: ")
    assert "fine" in all_.backends


@pytest.mark.parametrize("metadata", ["", "Name: aaa\n"], ids=["none", "no version"])
def test_a_distribution_without_a_version_is_named_all_the_same(tmp_path, plugins_of, metadata):
    install(tmp_path, "aaa", "1 / 0")
    (tmp_path / "aaa-1.0.dist-info" / "METADATA").write_text(metadata)
    [fault] = faults_of(Plugins(announced()))
    assert "aaa" in fault
    assert "ZeroDivisionError" in fault


def test_a_dotted_requirement_is_looked_up_without_importing_its_parent(plugins_of):
    assert missing(
        BackendInfo("a", "A", ("eager",), "eager", "a:B", ("no.such.thing",))
    ).startswith("no.such.thing is not")


def test_what_is_not_installed_is_installed_by_its_own_name_where_there_is_no_extra():
    reason = missing(BackendInfo("a", "A", ("eager",), "eager", "a:B", ("no-such-framework",)))
    assert reason == "no-such-framework is not installed (pip install no-such-framework)"
