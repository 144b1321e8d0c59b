"""dnnbench in other people's tests: pytest sessions of their own, with the plugin as pip installs
it.
"""

import json

import pytest
from helpers.pytest_sessions import outcome, properties, session

pytestmark = pytest.mark.slow

MEASURED = """
import pytest

CALLS = []

def busy():
    CALLS.append(0)
    return sum(range(2000))

def test_function(dnnbench_measure, record_property):
    found = dnnbench_measure(busy, seconds=0.05)
    record_property("median_s", found.median_s)
    record_property("calls", len(CALLS))

@pytest.mark.benchmark(group="mine")
@pytest.mark.dnnbench("mlp_digits", backend="numpy")
def test_marked(dnnbench_measure, record_property):
    record_property("median_s", dnnbench_measure(phase="train_step", seconds=0.05).median_s)

@pytest.mark.dnnbench("mlp_digits", backend="numpy", batch_size=4)
def test_program(dnnbench_program, dnnbench_measure, record_property):
    built = dnnbench_program
    record_property("examples", len(built.batch.targets))
    found = dnnbench_measure(built.program, built.batch, seconds=0.05)
    record_property("said", str(found))
"""
FAULTS = """
import pytest

mark = pytest.mark.dnnbench

@mark("mlp_digit", backend="numpy")
def test_unknown_workload(dnnbench_measure):
    pass

@mark("mlp_digits", backend="nunpy")
def test_unknown_backend(dnnbench_measure):
    pass

@mark("mlp_digits")
def test_no_backend(dnnbench_measure):
    pass

@mark(backend="numpy")
def test_no_workload(dnnbench_measure):
    pass

@mark("mlp_digits", backend="numpy", batch=4)
def test_strange_option(dnnbench_measure):
    pass

@mark("mlp_digits", backend="numpy", batch_size=0)
def test_no_batch(dnnbench_measure):
    pass

@mark("mlp_digits", backend="all:all")
def test_many_arms(dnnbench_measure):
    pass

@mark("mlp_digits", backend="numpy")
def test_mark_alone():
    pass

def test_no_mark(dnnbench_program):
    pass

@pytest.mark.parametrize(
    "arguments, options",
    [((3,), {}), ((print,), {"phase": "train_step"}), ((print,), {"phase": "backward"})],
    ids=["no_function", "phase_of_function", "no_phase"],
)
def test_measure(dnnbench_measure, arguments, options):
    dnnbench_measure(*arguments, **options)

def test_twice(dnnbench_measure):
    dnnbench_measure(lambda: None, seconds=0.01)
    dnnbench_measure(lambda: None, seconds=0.01)

@mark("mlp_digits", backend="numpy")
def test_no_batch_of_program(dnnbench_program, dnnbench_measure):
    dnnbench_measure(dnnbench_program.program)
"""
SAID = {
    "test_unknown_workload": "did you mean 'mlp_digits'?",
    "test_unknown_backend": "did you mean 'numpy'?",
    "test_no_backend": "the mark dnnbench names no backend; add one, as @pytest.mark.dnnbench(",
    "test_no_workload": "got 0 arguments without a name, expected one, a workload's name",
    "test_strange_option": "has no option batch; it takes backend, batch_size",
    "test_no_batch": "got batch_size=0, expected a number from 1 on",
    "test_many_arms": "takes one arm; backend='all:all' names ",
    "test_mark_alone": "takes none of dnnbench_program, dnnbench_measure",
    "test_no_mark": "test_no_mark is not marked; mark it, as @pytest.mark.dnnbench(",
    "test_measure[no_function]": "got 3, expected a function without arguments, or a Program",
    "test_measure[phase_of_function]": "phase and batch are a Program's; a function has neither",
    "test_measure[no_phase]": "phase: got 'backward', expected one of infer, forward",
    "test_twice": "a test has one measurement; parametrize the test for several",
    "test_no_batch_of_program": "a Program is measured on a batch; give it as the second argument",
}


@pytest.fixture(scope="module")
def measured(tmp_path_factory, cache):
    folder = tmp_path_factory.mktemp("measured")
    done, cases = session(folder, MEASURED, "--benchmark-json=figures.json")
    assert done.returncode == 0, done.stdout
    document = json.loads((folder / "figures.json").read_text())
    return cases, {each["name"]: each for each in document["benchmarks"]}


@pytest.mark.parametrize("name", ["test_function", "test_marked"])
def test_pytest_benchmark_gets_the_figures(measured, name):
    cases, benchmarks = measured
    told_s = float(properties(cases[name])["median_s"])
    assert benchmarks[name]["stats"]["median"] == pytest.approx(told_s, rel=1e-6)
    assert benchmarks[name]["extra_info"]["dnnbench"]["processes"] == 1


def test_a_mark_of_the_test_s_own_stays(measured):
    assert measured[1]["test_marked"]["group"] == "mine"


def test_a_program_is_measured_on_its_batch(measured):
    told = properties(measured[0]["test_program"])
    assert told["examples"] == "4"
    assert told["said"].startswith("test_program: ")
    assert told["said"].endswith("in this process; one process gives no interval")


@pytest.mark.parametrize("words", [("-p", "no:benchmark"), ("--benchmark-disable",)], ids=str)
def test_figures_are_not_needed(tmp_path, cache, words):
    """Where nobody takes them, and where none are wanted: then a function is called once."""
    done, cases = session(tmp_path, MEASURED, *words)
    assert done.returncode == 0, done.stdout
    once = int(properties(cases["test_function"])["calls"]) == 1
    assert once == (words == ("--benchmark-disable",))


@pytest.fixture(scope="module")
def faults(tmp_path_factory, cache):
    return session(tmp_path_factory.mktemp("faults"), FAULTS)


@pytest.mark.parametrize("name, said", SAID.items())
def test_what_cannot_be_meant_is_said_in_a_sentence(faults, name, said):
    word, message = outcome(faults[1][name])
    assert word in ("failure", "error")
    assert said in message


def test_no_fault_gives_a_traceback(faults):
    done, cases = faults
    assert set(cases) == set(SAID)
    assert "Traceback" not in done.stdout
    assert "dnnbench/testing" not in done.stdout


def test_a_session_that_uses_nothing_imports_nothing(tmp_path):
    text = """if True:
        import sys

        def test_nothing():
            ours = sorted(name for name in sys.modules if name.startswith("dnnbench"))
            assert ours == [
                "dnnbench", "dnnbench.testing", "dnnbench.testing.measuring_plugin",
                "dnnbench.testing.pytest_plugin",
            ]
    """
    done, _ = session(tmp_path, text)
    assert done.returncode == 0, done.stdout
