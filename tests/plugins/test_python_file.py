"""A network in a user's Python file: what is taken of it, and how its faults are told."""

import json
import sys

import pytest
from dnnbench.cli.main import main
from dnnbench.errors import SpecError, UsageError
from dnnbench.plugins.catalog import find_workload, workloads_of
from dnnbench.spec.builder import Builder

NET = """
from dnnbench.spec.builder import Builder
from dnnbench.spec.workload import Workload

def make_net(units=3):
    net = Builder("own")
    return net.build(net.dense(net.input("x", (6,)), units=units, name="logits"))

def with_task():
    return Workload(name="with_task", model=make_net(), batch_size=4)

NET = make_net()
WORK = Workload(name="work", model=NET, batch_size=2)
NUMBER = 3
"""
TAKEN = {
    "a model": ("NET", "own"),
    "a workload": ("WORK", "work"),
    "a function that makes a model": ("make_net", "own"),
    "a function that makes a workload": ("with_task", "with_task"),
}


@pytest.fixture
def net(tmp_path):
    path = tmp_path / "net.py"
    path.write_text(NET)
    return path


@pytest.mark.parametrize("name, workload", TAKEN.values(), ids=TAKEN)
def test_it_is_taken(net, name, workload):
    assert find_workload(f"{net}:{name}").name == workload


def test_a_model_is_trained_on_synthetic_data(net):
    assert find_workload(f"{net}:NET").task.data.kind == "synthetic"


def test_the_file_is_executed_anew_each_time(net):
    find_workload(f"{net}:NET")
    net.write_text(NET.replace("units=3", "units=5"))
    assert find_workload(f"{net}:NET").model.types["logits"].shape == (5,)


def test_what_lies_beside_it_can_be_imported(tmp_path):
    (tmp_path / "beside_the_net.py").write_text(NET)
    (tmp_path / "net.py").write_text("from beside_the_net import NET\n")
    assert find_workload(f"{tmp_path}/net.py:NET").name == "own"


def test_the_path_is_as_before_afterwards(net):
    before = list(sys.path)
    find_workload(f"{net}:NET")
    assert sys.path == before


REFUSED = {
    "no name": ("", "", "name what to take of it"),
    "what there is": (":zzz", "", "(it has make_net, with_task, NET, WORK)"),
    "a near miss": (":NETT", "", "nothing is called 'NETT' in it; did you mean 'NET'?"),
    "a number": (":NUMBER", "", "net.py:NUMBER: got 3, expected a Workload, a Model"),
    "a function that makes a number": (":f", "def f(): return 3", "net.py:f: got 3, expected"),
    "not Python": (":NET", "def", "net.py, line 1: not Python: "),
    "it raises": (":NET", "x = 1\ny = {}['gone']", "net.py, line 2 (y = {}['gone']): KeyError"),
    "a function raises": (
        ":make_net",
        "def make_net():\n    return 1 / 0",
        "net.py, line 2 (return 1 / 0): ZeroDivisionError: division by zero",
    ),
    "no such op": (
        ":f",
        "from dnnbench import spec\nfrom dnnbench.spec.builder import Builder\n"
        "def f():\n    n = Builder('n')\n    return n.build(n.denze(n.input('x', (3,))))",
        "net.py, line 5 (return n.build(n.denze(n.input('x', (3,))))): AttributeError: no op is",
    ),
    "an op that is wrong": (
        ":f",
        "from dnnbench.spec.builder import Builder\n"
        "def f():\n    n = Builder('n')\n    return n.build(n.dense(n.input('x', (3,)), units=0))",
        "ValidationError: it makes a dense of units 0: Input should be greater than 0",
    ),
    "a graph that is wrong": (
        ":f",
        "from dnnbench.spec.builder import Builder\n"
        "def f():\n    n = Builder('n')\n"
        "    return n.build(n.dense(n.input('x', (3, 3)), units=2), 'gone')",
        "net.py, line 4",
    ),
    "it ends the process": (
        ":f",
        "import sys\nsys.exit(3)",
        "net.py, line 2 (sys.exit(3)): raised",
    ),
    "an argument is missing": (":f", "def f(units): pass", "TypeError: f() missing 1 required"),
}


@pytest.mark.parametrize("name, source, message", REFUSED.values(), ids=REFUSED)
def test_a_fault_is_told_with_the_file_s_own_line(net, name, source, message):
    if source:
        net.write_text(source)
    with pytest.raises((SpecError, UsageError)) as refused:
        find_workload(f"{net}{name}")
    assert message in str(refused.value)


def test_a_file_that_is_not_there(tmp_path):
    with pytest.raises(UsageError, match="cannot be read: No such file"):
        find_workload(f"{tmp_path}/none.py:NET")


def test_the_command_line_shows_it_without_a_traceback(net, capsys):
    net.write_text("1 / 0")
    code = main(["show", f"{net}:NET"])
    assert (code, "Traceback" in capsys.readouterr().err) == (2, False)


def test_what_it_prints_is_not_among_the_data(net, capsys):
    net.write_text(f"{NET}\nprint('hello')")
    main(["show", f"{net}:NET", "--json"])
    assert json.loads(capsys.readouterr().out)["workload"] == "own"


def own():
    builder = Builder("own")
    return builder.build(builder.dense(builder.input("x", (6,)), units=3, name="logits"))


VALUES = {"a model": own(), "a function": own, "a workload": workloads_of([own])[0]}


@pytest.mark.parametrize("value", VALUES.values(), ids=VALUES)
def test_values_of_python_stand_beside_names(value):
    assert [w.name for w in workloads_of([value, "mlp_digits"])] == ["own", "mlp_digits"]
