"""dnnbench.toml and [tool.dnnbench]: where it is looked for, what it may hold, what is refused."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from dnnbench.configuration import schema
from dnnbench.configuration.model import Configuration
from dnnbench.configuration.reading import find_source, read_configuration
from dnnbench.configuration.settings import settable_keys, settings_of, variable_of
from dnnbench.configuration.starting import settings_text
from dnnbench.errors import UsageError

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text()
[EXAMPLE] = re.findall(r"```toml\n(.*?)```", PAGE, re.S)
KEYS = {
    key: row.split(",")
    for key, row in re.findall(
        r"^\| (?:`\[)?([\w. ]+?)(?:\]`)? \| (`store`.*|`\w.*) \|$", PAGE, re.M
    )
}


def write(folder, text, name="dnnbench.toml"):
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text(text)
    return folder


def test_the_nearest_file_counts(tmp_path):
    write(tmp_path, 'machine = "outer"')
    inner = write(tmp_path / "a" / "b", "", name="other.txt")
    assert settings_of(inner, {}).value("machine") == "outer"
    write(tmp_path / "a", 'machine = "inner"')
    assert settings_of(inner, {}).value("machine") == "inner"


def test_the_file_of_its_own_comes_before_the_projects(tmp_path):
    write(tmp_path, '[tool.dnnbench]\nmachine = "project"', name="pyproject.toml")
    assert settings_of(tmp_path, {}).value("machine") == "project"
    write(tmp_path, 'machine = "own"')
    assert settings_of(tmp_path, {}).value("machine") == "own"


def test_a_project_without_the_table_ends_the_search(tmp_path):
    write(tmp_path, 'machine = "outer"')
    inner = write(tmp_path / "project", "[project]\nname = 'x'", name="pyproject.toml")
    assert find_source(inner) is None


def test_a_variable_prevails_and_says_where_it_came_from(tmp_path):
    write(tmp_path, '[gate]\nfail-on = "5%"\nmust-see = 0.2')
    read = settings_of(tmp_path, {"DNNBENCH_GATE_FAIL_ON": "3%", "DNNBENCH_CACHE": "/elsewhere"})
    assert read.of_command("gate") == {"fail-on": "3%", "must-see": "0.2"}
    assert read.values["gate.fail-on"].origin == "environment variable DNNBENCH_GATE_FAIL_ON"
    assert read.values["gate.must-see"].origin == str(tmp_path / "dnnbench.toml")


def test_every_key_has_a_variable_of_its_own():
    names = [variable_of(key) for key in settable_keys()]
    assert len(set(names)) == len(names) > 20


FAULTS = {
    "[gate]\nfail-on = '5 per cent'": "gate.fail-on: got '5 per cent', expected a share such as",
    "[gate]\nfail_onn = 1": "gate.fail_onn: unknown key; did you mean 'fail-on'?",
    "[suites.small]\nworkload = ['x']": "suites.small.workload: unknown key; did you mean 'workl",
    "[suites.small]\nworkloads = []": "suites.small.workloads: got [], expected a list of",
    "[gate]\ninconclusive = 'maybe'": "gate.inconclusive: got 'maybe', expected one of",
    "[run]\ndtype = ['float31']": "run.dtype: got 'float31', expected all or some of",
    "[run]\nmax-time = true": "run.max-time: got True, expected a time such as",
    "[gate]\ngenerations = 3": "gate.generations: got '3', expected a number from 6 to 100",
    "store = 3": "store: got 3, expected text",
    "suites = 3": "suites: got 3, expected a table",
    "[environments.e]": "environments.e.requirements: missing; this key must be given",
    "a = ": "not TOML",
}


@pytest.mark.parametrize("text", FAULTS)
def test_a_fault_is_told_with_file_key_and_what_is_wanted(tmp_path, text):
    write(tmp_path, text)
    with pytest.raises(UsageError) as refusal:
        settings_of(tmp_path, {})
    assert FAULTS[text] in str(refusal.value)
    assert str(refusal.value).startswith(str(tmp_path / "dnnbench.toml"))


def test_all_faults_are_told_at_once(tmp_path):
    write(tmp_path, "x = 1\n[gate]\nfail-on = 2\ny = 1")
    with pytest.raises(UsageError) as refusal:
        settings_of(tmp_path, {})
    assert len(str(refusal.value).splitlines()) == 3


def test_a_fault_of_a_project_names_its_table(tmp_path):
    write(tmp_path, "[tool.dnnbench]\nx = 1", name="pyproject.toml")
    with pytest.raises(UsageError, match=r"pyproject.toml \[tool.dnnbench\]: x: unknown key"):
        settings_of(tmp_path, {})


def test_a_fault_of_a_variable_names_it(tmp_path):
    with pytest.raises(UsageError, match=r"variable DNNBENCH_RUN_MAX_TIME: run\.max-time: got"):
        settings_of(tmp_path, {"DNNBENCH_RUN_MAX_TIME": "soon"})


def test_a_suite_that_is_not_there_has_a_near_miss(tmp_path):
    write(tmp_path, "[suites.small]\nworkloads = ['mlp_digits']")
    with pytest.raises(UsageError, match=r"--suite smal: .* did you mean 'small'\?"):
        settings_of(tmp_path, {}).suite("smal")


def test_the_example_of_the_page_is_read(tmp_path):
    read = read_configuration(find_source(write(tmp_path, EXAMPLE)))
    assert read.suites["full"].workloads == ["resnet50[tiny]", "gpt2_small[tiny]"]
    assert read.environments["jax-0-9"].requirements == ["jax==0.9.2"]


@pytest.mark.parametrize("table", ["run", "gate", "suites.NAME", "environments.NAME"])
def test_the_page_names_every_key(table):
    name = table.partition(".")[0]
    kind = Configuration.model_fields[name].annotation
    fields = (kind if hasattr(kind, "model_fields") else kind.__args__[1]).model_fields
    assert {key.strip(" `") for key in KEYS[table]} == {each.alias for each in fields.values()}


def test_the_schema_that_ships_is_that_of_the_file():
    shipped = json.loads(Path(schema.__file__).with_name("schema.json").read_text())
    assert shipped == {"$schema": schema.DIALECT, **schema.schema_of_file()}


def test_what_init_writes_is_read_again(tmp_path):
    text = settings_text('resnet50[tiny,batch=2], net.py:a"b', "torch,jax")
    read = read_configuration(find_source(write(tmp_path, text)))
    assert read.suites["ci"].workloads == ["resnet50[tiny,batch=2]", 'net.py:a"b']
    assert read.suites["ci"].backend == "torch,jax"
    assert tomllib.loads(settings_text("a", ""))["suites"]["ci"] == {"workloads": ["a"]}
