"""What a plugin announces is checked: an unfit entry costs itself alone."""

import pytest
from dnnbench.plugins.checking import Unfit, checked_backend, checked_workload
from dnnbench.plugins.discovery import plugins
from dnnbench.plugins.hooks import BackendInfo
from helpers.plugin_sources import backends, beside_own, faults_of, workloads

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
