"""Hooks that raise, hang or give nonsense cost their plugin alone."""

import signal

import pytest
from dnnbench.plugins import guard
from helpers.plugin_sources import HEAD, backends, beside_own, faults_of

pytestmark = pytest.mark.slow

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
