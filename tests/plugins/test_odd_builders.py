"""What a plugin prints, and builders that exit, hang or raise: each costs itself alone."""

import json

import pytest
from dnnbench.errors import PluginError
from dnnbench.plugins import guard
from dnnbench.plugins.catalog import default_workloads, find_workload, find_workloads
from helpers.installing import dnnbench, install
from helpers.plugin_sources import HEAD, backends, faults_of, workloads

PRINTS = (
    "import os, subprocess\n"
    "print('said {0}')\n"
    "os.write(1, b'wrote {0}')\n"
    "subprocess.run(['echo', 'child {0}'])"
)
SPOILS = f"""
{PRINTS.format("at import")}
import atexit
atexit.register(print, "said at exit")
{HEAD}
@hookimpl
def dnnbench_workloads():
    {PRINTS.format("in the hook").replace(chr(10), chr(10) + "    ")}
    return [net("loud", build)]

def build():
    {PRINTS.format("in the builder").replace(chr(10), chr(10) + "    ")}
    return mlp_digits()
"""


@pytest.mark.parametrize("arguments", [["list", "workloads"], ["show", "loud"]], ids=" ".join)
def test_what_a_plugin_prints_is_no_data(tmp_path, arguments):
    done = dnnbench(*arguments, "--json", path=[install(tmp_path, "loud", SPOILS)])
    assert done.returncode == 0
    assert "schema_version" in json.loads(done.stdout)
    places = ["at import", "in the hook", *(["in the builder"] if "show" in arguments else [])]
    assert [place for place in places if f"said {place}" not in done.stderr] == []


@pytest.mark.parametrize("ending", ["import sys; sys.exit(3)", "raise SystemExit(3)", "exit(3)"])
def test_a_builder_that_exits_chooses_no_exit_code(tmp_path, ending):
    folder = install(
        tmp_path, "odd", workloads("[net('odd', build)]", f"def build():\n    {ending}\n")
    )
    done = dnnbench("show", "odd", path=[folder])
    assert done.returncode == 2
    assert "workload 'odd': its plugin raised SystemExit: 3; tell its author" in done.stderr


def test_a_builder_whose_value_exits_when_printed_chooses_no_exit_code(tmp_path):
    odd = "class Odd:\n    def __repr__(self): exit(3)\n"
    done = dnnbench(
        "show",
        "odd",
        path=[install(tmp_path, "odd", workloads("[net('odd', lambda: Odd())]", odd))],
    )
    assert done.returncode == 2
    assert "its plugin gave <Odd>, expected a Workload" in done.stderr


def test_a_builder_that_hangs_is_ended_and_reported(plugins_of, monkeypatch):
    monkeypatch.setattr(guard, "LIMIT_S", 1.0)
    build = "def build():\n    import time\n    time.sleep(3600)\n"
    all_ = plugins_of(odd=workloads("[net('odd', build)]", build))
    monkeypatch.setattr("dnnbench.plugins.catalog.plugins", lambda: all_)
    with pytest.raises(PluginError, match="workload 'odd': its plugin did not end within 1 s"):
        find_workload("odd")


def test_a_builder_that_raises_costs_itself_alone_among_many(plugins_of, monkeypatch):
    all_ = plugins_of(
        odd=workloads("[net('odd', lambda: 1 / 0, default=True), net('even', default=True)]")
    )
    monkeypatch.setattr("dnnbench.plugins.catalog.plugins", lambda: all_)
    assert [workload.name for workload in default_workloads()] == [
        "mlp_digits",
        "cnn_digits",
        "even",
    ]
    [fault] = faults_of(all_)
    assert fault.startswith(
        "plugin 'odd' of odd 1.0: workload 'odd': its plugin raised ZeroDivisionError"
    )
    assert {"mlp_digits", "even"} == {
        workload.name for workload in find_workloads("all[batch=64]")
    } & {
        "mlp_digits",
        "even",
    }


def test_a_name_whose_plugin_is_at_fault_is_refused_with_why(plugins_of, monkeypatch):
    all_ = plugins_of(odd=workloads("[net('odd', default='yes')]"))
    monkeypatch.setattr("dnnbench.plugins.catalog.plugins", lambda: all_)
    with pytest.raises(
        PluginError, match=r"workload 'odd' cannot be used: plugin 'odd' of .* default: got 'yes'"
    ):
        find_workload("odd")


def test_a_dry_run_tells_who_wanted_the_reference_s_name(tmp_path):
    folder = install(tmp_path, "aaa", backends("[info('numpy', target='aaa_plugin:Backend')]"))
    done = dnnbench(
        "run",
        "mlp_digits",
        "--backend",
        "numpy",
        "--dry-run",
        "--json",
        path=[folder],
        cwd=tmp_path,
    )
    whose = "backend 'numpy' is a name of dnnbench's own (plugin 'numpy' of dnnbench "
    assert done.returncode == 0
    assert f"plugin 'aaa' of aaa 1.0: {whose}" in done.stderr
    assert whose in json.loads(done.stdout)["skipped"]["plugin 'aaa' of aaa 1.0"]
