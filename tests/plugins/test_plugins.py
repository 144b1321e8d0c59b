"""Plugins that clash, hang, exit, print or announce nonsense:
each costs itself alone, and is told with its distribution.
"""

import json
import signal
import sys
from pathlib import Path

import pytest
from dnnbench.errors import PluginError, WorkerError
from dnnbench.execution.execute import versions_so_far
from dnnbench.execution.pool import refuse_change, spawn, start_request
from dnnbench.plugins import guard
from dnnbench.plugins.catalog import default_workloads, find_workload, find_workloads
from dnnbench.plugins.checking import Unfit, checked_backend, checked_workload
from dnnbench.plugins.discovery import Plugins, missing, plugins
from dnnbench.plugins.entries import announced
from dnnbench.plugins.hooks import BackendInfo
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.backend import capabilities_of
from dnnbench.protocol.capabilities import Capabilities
from dnnbench.spec.phases import Phase
from dnnbench.store.store import open_store
from dnnbench.worker.clients.arm import ArmClient
from dnnbench.worker.server.arm import texts_of
from helpers import storing
from helpers.installing import dnnbench, install, installed_here

HEAD = """
from dnnbench.plugins.hooks import BackendInfo, WorkloadInfo, hookimpl
from dnnbench_workloads.digits import mlp_digits

def info(name="fine", **changes):
    values = dict(title="Fine", modes=("eager",), default_mode="eager", target="fine:Backend")
    return BackendInfo(name, **(values | changes))

def net(name="net", build=mlp_digits, **changes):
    return WorkloadInfo(name, "a net", build, **changes)

"""
OWN = ("jax", "tensorflow", "torch", "numpy")
BESIDE_OWN = ("onnxruntime",)
"""Of a distribution of its own, which is here or not."""


def beside_own(*names):
    """In the order of `Plugins.backends`."""
    return [*OWN[:-1], *names, OWN[-1]]


def backends(expression):
    return f"{HEAD}@hookimpl\ndef dnnbench_backends():\n    return {expression}\n"


def workloads(expression, before=""):
    return f"{HEAD}{before}\n@hookimpl\ndef dnnbench_workloads():\n    return {expression}\n"


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


def faults_of(all_):
    _ = all_.backends, all_.workloads
    return [str(fault) for fault in all_.faults]


@pytest.mark.parametrize("name", OWN)
def test_a_name_of_dnnbench_stays_its_own(plugins_of, name):
    own = plugins().backends[name]
    assert plugins_of(aaa=backends(f"[info('{name}')]")).backends[name] == own


def test_a_workload_of_dnnbench_stays_its_own(plugins_of):
    assert (
        plugins_of(aaa=workloads("[net('cnn_digits')]")).workloads["cnn_digits"]
        == plugins().workloads["cnn_digits"]
    )


def test_a_fault_over_a_name_of_dnnbench_names_both_distributions(plugins_of):
    [fault] = faults_of(plugins_of(aaa=backends("[info('numpy'), info()]")))
    assert fault.startswith(
        "plugin 'aaa' of aaa 1.0: backend 'numpy' is a name of dnnbench's own "
        "(plugin 'numpy' of dnnbench "
    )


def test_an_entry_point_that_is_called_as_one_of_dnnbench_takes_nothing_away(plugins_of):
    """Pluggy would register the first of a name alone: the one that stands first on the path."""
    assert list(plugins_of(numpy=backends("[info()]")).backends) == beside_own("fine")


def test_a_name_that_two_plugins_bring_is_no_backend(plugins_of):
    all_ = plugins_of(
        aaa=backends("[info('same'), info('mine')]"), bbb=backends("[info('same'), info('yours')]")
    )
    assert list(all_.backends) == beside_own("mine", "yours")
    first, second = faults_of(all_)
    assert first.startswith(
        "plugin 'bbb' of bbb 1.0: backend 'same' is brought by plugin 'aaa' of aaa 1.0 too"
    )
    assert second.startswith(
        "plugin 'aaa' of aaa 1.0: backend 'same' is brought by plugin 'bbb' of bbb 1.0 too"
    )
    with pytest.raises(PluginError, match=r"'same' cannot be used: plugin 'bbb' of bbb 1\.0"):
        all_.backend("same")


def test_no_other_backend_is_the_reference(plugins_of):
    all_ = plugins_of(aaa=backends("[info(reference=True)]"))
    assert all_.reference.name == "numpy"
    assert "backend 'fine': reference: got True" in faults_of(all_)[0]


def test_the_message_of_a_lost_reference_is_a_sentence(monkeypatch):
    """As a broken installation leaves it: dnnbench's own entry points but for NumPy's."""
    without = [each for each in announced() if each.origin.entry != "numpy"]
    with pytest.raises(
        PluginError, match="the NumPy reference cannot be used: no plugin of dnnbench brings it"
    ):
        _ = Plugins(without).reference


UNFIT_BACKENDS = {
    "info(name='Fine')": "name: got 'Fine', expected lower-case letters",
    "info(name='all')": "name: got 'all', expected",
    "info(name='a,b')": "name: got 'a,b', expected",
    "info(name='a:b')": "name: got 'a:b', expected",
    "info(name='a@b')": "name: got 'a@b', expected",
    "info(name='a\\n')": r"name: got 'a\n', expected",
    "info(name='../up')": "name: got '../up', expected",
    "info(name=3)": "backend 3: name: got 3, expected",
    "info(title='')": "title: got '', expected one line",
    r"info(title='\x1b[31mred')": r"title: got '\x1b[31mred', expected one line",
    "info(modes='eager')": "modes: got 'eager', expected a tuple",
    "info(modes=())": "modes: got none, expected at least one",
    "info(modes=('eager', 'eager'))": "modes: got ('eager', 'eager'), expected each once",
    "info(modes=('all',), default_mode='all')": "modes: got 'all', expected",
    "info(default_mode='eagr')": (
        "default_mode: got 'eagr', expected one of eager; did you mean 'eager'?"
    ),
    "info(default_mode=None)": "default_mode: got None, expected one of eager",
    "info(target='fine.Backend')": "target: got 'fine.Backend', expected 'module:Class'",
    "info(target=dict)": "target: got <class 'dict'>, expected 'module:Class'",
    "info(requires='torch')": "requires: got 'torch', expected a tuple",
    "info(requires=('torch>=2.1',))": (
        "requires: got 'torch>=2.1', expected a distribution's name without a version"
    ),
    "info(requires=('',))": "requires: got '', expected",
    "info(extra=None)": "extra: got None, expected the name of an extra",
    "info(cpu_only=1)": "cpu_only: got 1, expected True or False",
    "info(float64_apart=1)": "float64_apart: got 1, expected True or False",
    "info(caches=('PATH',))": (
        "caches: got 'PATH', expected an environment variable with CACHE in its name"
    ),
    "info(caches=('DNNBENCH_CACHE',))": (
        "caches: got 'DNNBENCH_CACHE', expected an environment variable"
    ),
    "info(caches='MY_CACHE')": "caches: got 'MY_CACHE', expected a tuple",
    "'fine'": "dnnbench_backends gave 'fine', expected BackendInfo",
    "net()": "dnnbench_backends gave WorkloadInfo(",
}
UNFIT_WORKLOADS = {
    "net('1st')": "name: got '1st', expected letters",
    "net('all')": "name: got 'all', expected",
    "net('net[3]')": "name: got 'net[3]', expected",
    "net(build=3)": "build: got 3, expected a function",
    "net(build=lambda n: 0)": "build: parameter 'n' has no default",
    "net(build=lambda *n: 0)": "build: parameter '*n' cannot be given by its name",
    (
        "net(build=lambda n=object: 0)"
    ): "build: default of 'n': got <class 'object'>, expected a number",
    "net(build=unresolved)": "looking at it raised NameError",
    "net(presets=['tiny'])": "presets: got ['tiny'], expected a mapping",
    "net(presets={'tiny': 3})": "presets: 'tiny': got 3, expected a mapping",
    "net(presets={'a=b': {}})": "presets: got 'a=b', expected letters",
    (
        "net(presets={'tiny': {'bach': 3}})"
    ): "'bach', expected a parameter of its builder; did you mean 'batch'?",
    "net(presets={'tiny': {'batch': [3]}})": "presets: 'tiny': 'batch': got [3], expected a number",
    "net(default='yes')": "default: got 'yes', expected True or False",
}
UNRESOLVED = "def unresolved(n: 'NoSuchType' = 3): pass"


@pytest.mark.parametrize(("bad", "reason"), UNFIT_BACKENDS.items())
def test_an_unfit_backend_costs_itself_alone(plugins_of, bad, reason):
    all_ = plugins_of(aaa=backends(f"[info('before'), {bad}, info('after')]"))
    [fault] = faults_of(all_)
    assert fault.startswith("plugin 'aaa' of aaa 1.0: ")
    assert reason in fault
    assert list(all_.backends) == beside_own("before", "after")


@pytest.mark.parametrize(("bad", "reason"), UNFIT_WORKLOADS.items())
def test_an_unfit_workload_costs_itself_alone(plugins_of, bad, reason):
    all_ = plugins_of(aaa=workloads(f"[net('before'), {bad}, net('after')]", UNRESOLVED))
    [fault] = faults_of(all_)
    assert fault.startswith("plugin 'aaa' of aaa 1.0: ")
    assert reason in fault
    assert set(all_.workloads) - set(plugins().workloads) == {"before", "after"}


def test_every_problem_of_an_entry_is_reported():
    with pytest.raises(Unfit) as caught:
        checked_backend(BackendInfo("A", "", (), "eager", "nothing"))
    assert [problem.partition(":")[0] for problem in caught.value.problems] == [
        "name",
        "title",
        "target",
    ]


def test_lists_are_taken_for_tuples():
    info = BackendInfo("a", "A", ["eager"], "eager", "a:B", ["c"], caches=["A_CACHE"])
    assert checked_backend(info) == BackendInfo(
        "a", "A", ("eager",), "eager", "a:B", ("c",), caches=("A_CACHE",)
    )


@pytest.mark.parametrize("info", plugins().backends.values(), ids=lambda info: info.name)
def test_dnnbench_s_own_backends_are_fit(info):
    assert checked_backend(info) == info


@pytest.mark.parametrize("info", plugins().workloads.values(), ids=lambda info: info.name)
def test_dnnbench_s_own_workloads_are_fit(info):
    assert checked_workload(info) == info


ODD_HOOKS = {
    "misspelt": (
        "@hookimpl\ndef dnnbench_backend():\n    return []",
        "dnnbench has no hook 'dnnbench_backend'; did you mean 'dnnbench_backends'?",
    ),
    "not marked": (
        "def dnnbench_backends():\n    return []",
        "implements no hook; mark its dnnbench_backends or dnnbench_workloads with @hookimpl",
    ),
    "asks for arguments": (
        "@hookimpl\ndef dnnbench_backends(config):\n    return []",
        "its import raised PluginValidationError: Plugin",
    ),
    "returns nothing": (
        "@hookimpl\ndef dnnbench_backends():\n    [info()]",
        "dnnbench_backends gave None, expected a list of BackendInfo",
    ),
    "returns one": (
        "@hookimpl\ndef dnnbench_backends():\n    return info()",
        "dnnbench_backends gave BackendInfo(",
    ),
    "exits": (
        "import sys\n@hookimpl\ndef dnnbench_backends():\n    sys.exit(3)",
        "dnnbench_backends raised SystemExit: 3",
    ),
    "exits at import": ("import sys\nsys.exit(3)", "its import raised SystemExit: 3"),
    "raises past Exception": (
        "class Odd(BaseException): pass\nraise Odd('through')",
        "its import raised Odd: through",
    ),
    "raises what has no text": (
        "class Odd(Exception):\n    def __str__(self): raise KeyError\nraise Odd",
        "its import raised Odd, whose text raises KeyError",
    ),
    "gives what has no repr": (
        "class Odd:\n"
        "    def __repr__(self): raise KeyError\n"
        "@hookimpl\n"
        "def dnnbench_backends():\n"
        "    return [Odd()]",
        "dnnbench_backends gave <Odd instance at",
    ),
    "raises what exits as it is told": (
        "class Odd(Exception):\n    def __str__(self): exit(3)\nraise Odd",
        "its import raised Odd, whose text raised SystemExit: 3",
    ),
    "gives what exits as it is told": (
        "class Odd:\n"
        "    def __repr__(self): exit(3)\n"
        "@hookimpl\n"
        "def dnnbench_backends():\n"
        "    return Odd()",
        "dnnbench_backends gave <Odd>, expected a list",
    ),
    "brings what exits as it is told": (
        "class Odd:\n"
        "    def __repr__(self): exit(3)\n"
        "@hookimpl\n"
        "def dnnbench_backends():\n"
        "    return [info(Odd())]",
        "backend <Odd>: name: got <Odd>, expected",
    ),
    "gives a number of 5,001 digits": (
        "@hookimpl\ndef dnnbench_backends():\n    return 10**5000",
        "dnnbench_backends gave <int>, expected a list",
    ),
}


@pytest.mark.parametrize(("source", "reason"), ODD_HOOKS.values(), ids=ODD_HOOKS)
def test_an_odd_hook_is_a_fault(plugins_of, source, reason):
    all_ = plugins_of(aaa=HEAD + source, bbb=backends("[info()]"))
    [fault] = faults_of(all_)
    assert fault.startswith("plugin 'aaa' of aaa 1.0: ")
    assert reason in fault
    assert list(all_.backends) == beside_own("fine")


def test_a_misspelt_hook_costs_no_other(plugins_of):
    source = backends("[info()]") + "@hookimpl\ndef dnnbench_workload():\n    return []\n"
    assert "fine" in plugins_of(aaa=source).backends


def test_an_optional_hook_of_a_later_dnnbench_is_no_fault(plugins_of):
    assert (
        faults_of(
            plugins_of(
                aaa=backends("[info()]")
                + "@hookimpl(optionalhook=True)\ndef dnnbench_later(): pass\n"
            )
        )
        == []
    )


def test_many_faults_of_a_plugin_give_one_line(plugins_of):
    all_ = plugins_of(aaa=backends("[None] * 100_000"))
    _ = all_.backends
    [line] = all_.complaints().values()
    assert line.endswith("; and 99995 more")
    assert len(line) < 1000


HANGING = {
    "import": ("import time\ntime.sleep(3600)", "its import did not end within 1 s"),
    "busy import": ("while True: pass", "its import did not end within 1 s"),
    "import that catches": (
        "import time\ntry:\n    time.sleep(3600)\nexcept Exception:\n    time.sleep(3600)",
        "its import did not end within 1 s",
    ),
    "hook": (
        "import time\n@hookimpl\ndef dnnbench_backends():\n    time.sleep(3600)",
        "dnnbench_backends did not end within 1 s",
    ),
}


@pytest.mark.parametrize(("source", "reason"), HANGING.values(), ids=HANGING)
def test_a_hook_that_hangs_is_ended_and_reported(plugins_of, monkeypatch, source, reason):
    monkeypatch.setattr(guard, "LIMIT_S", 1.0)
    all_ = plugins_of(aaa=HEAD + source, bbb=backends("[info()]"))
    assert f"plugin 'aaa' of aaa 1.0: {reason}" in faults_of(all_)
    assert "fine" in all_.backends


def test_the_time_limit_leaves_another_s_timer_as_it_was():
    """Such as that of pytest-timeout."""
    calls = []
    before = signal.signal(signal.SIGALRM, lambda *_: calls.append("alarm"))
    try:
        signal.setitimer(signal.ITIMER_REAL, 1000)
        with guard.plugin_code():
            pass
        remaining, _ = signal.setitimer(signal.ITIMER_REAL, 0)
        assert 900 < remaining <= 1000
        signal.raise_signal(signal.SIGALRM)
        assert calls == ["alarm"]
    finally:
        signal.signal(signal.SIGALRM, before)


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


COUNTED = """
from pathlib import Path
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend

STARTS = Path({folder!r}) / "starts"

@hookimpl
def dnnbench_backends():
    place, needs = "{name}_plugin:Counted", ("numpy",)
    return [BackendInfo("counted", "Counted", ("eager",), "eager", place, needs)]

class Counted(NumpyBackend):
    def versions(self):
        with STARTS.open("a") as file:
            file.write("started\\n")
        return {{"{name}": {version}}}
"""
NUMBER = "str(len(STARTS.read_text().splitlines()))"


@pytest.fixture
def counted(tmp_path):
    """Installs NumPy's backend under another name; `version` is the expression for its own."""

    def add(name, version):
        install(tmp_path, name, COUNTED.format(folder=str(tmp_path), name=name, version=version))
        return tmp_path

    return add


def test_workers_take_what_the_run_began_with(counted):
    """Not what is installed later under the same name, whose entry point comes first."""
    arm = Arm("counted", "eager")
    with installed_here(counted("zzz", "'1'")) as began:
        assert "counted" in began.backends
        counted("aaa", "'2'")
        with spawn(arm, "later") as worker:
            assert ArmClient(worker).start(start_request(arm)).versions == {"zzz": "1"}


@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_an_arm_whose_library_changes_in_mid_run_is_measured_no_further(counted, tmp_path):
    folder = counted("moving", NUMBER)
    options = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--generations",
        "2",
        "--wait",
        "--json",
    )
    done = dnnbench(
        "run", "mlp_digits", "--backend", "numpy,counted", *options, path=[folder], cwd=tmp_path
    )
    document = json.loads(done.stdout)
    cells = {cell["arm"]: cell for cell in document["cells"]}
    assert done.returncode == 1, done.stderr
    assert "moving 1 became 2 while the run was under way" in cells["counted:eager"]["reason"]
    assert cells["counted:eager"]["status"] == "failed"
    assert cells["numpy:eager"]["status"] == "ok"
    assert [each["facts"]["versions"]["counted:eager"] for each in document["generations"]] == [
        {"moving": "1"}
    ] * 2


CACHING = """
import os
from pathlib import Path
from dnnbench.plugins.hooks import BackendInfo, hookimpl
from dnnbench_numpy.backend import NumpyBackend

@hookimpl
def dnnbench_backends():
    place, caches = "caching_plugin:Caching", ("KERNEL_CACHE_DIR",)
    return [BackendInfo("caching", "Caching", ("eager",), "eager", place, caches=caches)]

class Caching(NumpyBackend):
    def configure(self, arm):
        super().configure(arm)
        cache = Path(os.environ["KERNEL_CACHE_DIR"])
        with open({log!r}, "a") as log:
            print(cache, sorted(path.name for path in cache.glob("*")), file=log)
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "kernel").touch()
"""


@pytest.mark.exhaustive  # test_run.py has a cold start often
@pytest.mark.xdist_group("run")
def test_a_cold_start_is_one_for_every_backend_that_names_its_caches(tmp_path, cache):
    log = tmp_path / "log"
    folder = install(tmp_path, "caching", CACHING.format(log=str(log)))
    options = (
        "--phase",
        "infer",
        "--no-check",
        "--threads",
        "1",
        "--max-time",
        "1s",
        "--generations",
        "2",
        "--wait",
    )
    for cold in ([], ["--cold-start"]):
        done = dnnbench(
            "run",
            "mlp_digits",
            "--backend",
            "caching",
            *options,
            *cold,
            path=[folder],
            cwd=tmp_path,
        )
        assert done.returncode == 0, done.stderr
    met = [line.split(" ", 1) for line in log.read_text().splitlines()]
    assert [contents for _, contents in met] == ["[]", "['kernel']", "[]", "['kernel']"]
    assert [path == str(cache / "kernel_cache_dir") for path, _ in met] == [
        True,
        True,
        False,
        False,
    ]


def test_a_resumed_run_knows_the_versions_of_its_generations(tmp_path):
    with open_store(tmp_path / "store.sqlite") as store:
        storing.add_run(store, "r")
        for number, facts in enumerate(
            [{}, {"versions": {"torch": {"x": "1"}}}, {"versions": {"jax:jit": {"y": "2"}}}]
        ):
            store.add_generation("r", number, facts, {})
        versions = versions_so_far(store, "r")
    assert {arm.backend: libraries for arm, libraries in versions.items()} == {
        "torch": {"x": "1"},
        "jax": {"y": "2"},
    }


def test_a_change_is_reported_library_by_library():
    with pytest.raises(
        WorkerError, match=r"x:eager: torch 2\.9 became 2\.10, cuda absent became 13 while the run"
    ):
        refuse_change(
            "x:eager", {"torch": "2.9", "numpy": "2"}, {"torch": "2.10", "numpy": "2", "cuda": "13"}
        )
    refuse_change("x:eager", {"torch": "2.9"}, {"torch": "2.9"})


class Says:
    """A backend that gives these answers."""

    def __init__(self, answer):
        self._answer = answer

    def capabilities(self, workload, arm):
        return self._answer


@pytest.mark.parametrize(
    ("answer", "offered"),
    [
        (Capabilities(), tuple(Phase)),
        (Capabilities.none("no lstm here"), ()),
        (Capabilities.inference_only("no gradients"), (Phase.INFER,)),
        (
            Capabilities({"train_step": "no adam"}),
            tuple(phase for phase in Phase if phase is not Phase.TRAIN_STEP),
        ),
    ],
)
def test_capabilities_name_the_phases_that_are_offered(answer, offered):
    assert capabilities_of(Says(answer), None, Arm("mine", "eager")).offered == offered


@pytest.mark.parametrize("answer", [None, False, True, "", "no lstm"])
def test_an_answer_that_is_no_capabilities_is_refused(answer):
    with pytest.raises(
        TypeError, match=r"mine's capabilities\(\) gave .*, expected Capabilities\(\)"
    ):
        capabilities_of(Says(answer), None, Arm("mine", "eager"))


@pytest.mark.parametrize("reason", [None, "", "  ", ["no lstm"]])
def test_a_missing_phase_needs_a_reason(reason):
    with pytest.raises(
        TypeError, match=r"the reason for no infer is .*, expected a sentence for users"
    ):
        Capabilities({Phase.INFER: reason})


def test_a_phase_that_is_none_is_refused():
    with pytest.raises(ValueError, match="'backward' is not a valid Phase"):
        Capabilities({"backward": "no gradients"})


@pytest.mark.parametrize(
    ("capabilities", "refusal"),
    [
        (Capabilities(), None),
        (Capabilities.inference_only("no gradients"), None),
        (Capabilities.none("no lstm"), "no lstm"),
        (Capabilities(dict.fromkeys(Phase, "a") | {Phase.INFER: "b"}), "b; a"),
    ],
)
def test_a_workload_is_refused_where_no_phase_is_offered(capabilities, refusal):
    assert capabilities.refusal == refusal


@pytest.mark.parametrize("versions", [None, "2.9", {"torch": 2.9}, {3: "3"}])
def test_versions_that_are_no_texts_are_refused(versions):
    with pytest.raises(TypeError, match="expected texts by name"):
        texts_of(versions)
