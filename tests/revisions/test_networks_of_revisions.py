"""`net.py:make_net` at either revision of a repository that has nothing for pip to install."""

import json
import sys
from pathlib import Path

import pytest
from dnnbench.errors import BuildError, UsageError
from dnnbench.execution.environments import create_borrowing_environment
from dnnbench.execution.plan_check import check_requests_of
from dnnbench.execution.reporter import Silent
from dnnbench.execution.request import Request, make_plan
from dnnbench.execution.settings import Settings
from dnnbench.revisions import environment
from dnnbench.revisions.arms import Added, sides_of_revisions
from dnnbench.revisions.networks import network_file
from dnnbench.revisions.repository import repository_of
from dnnbench.spec.phases import Phase
from helpers.project import Project
from helpers.running import NEVER_CONTENDED, dnnbench

pytestmark = pytest.mark.slow

NET = """
from dnnbench.spec.builder import Builder

from sizes import UNITS

def make_net():
    net = Builder("small")
    x = net.relu(net.dense(net.input("x", (6,)), units=UNITS))
    return net.build(net.dense(x, units=3))
"""
DEEPER = NET.replace("    return", "    x = net.relu(net.dense(x, units=UNITS))\n    return")
SIZES = "UNITS = 8\n"


@pytest.fixture(scope="module")
def repository(tmp_path_factory):
    """Of four commits: a network, a comment in it, a wider one by another file, a deeper one."""
    folder = tmp_path_factory.mktemp("networks")
    made = Project(folder)
    made.commit("A network", net__py=NET, sizes__py=SIZES)
    made.commit("A comment", net__py=f"{NET}# said\n")
    made.commit("Wider", sizes__py="UNITS = 16\n")
    made.commit("Deeper", net__py=DEEPER)
    return made


@pytest.fixture(scope="module")
def environments(tmp_path_factory):
    """Where every test of this file finds the environments that an earlier one made."""
    return tmp_path_factory.mktemp("envs")


@pytest.fixture
def there(repository, environments, monkeypatch):
    """The working directory: the repository's top."""
    monkeypatch.chdir(repository.folder)
    monkeypatch.setenv("DNNBENCH_ENVS", str(environments))
    return repository


def sides(git, *networks, backends=("numpy",)):
    said = []
    found = sides_of_revisions(
        git, backends, Added(), networks or ("net.py:make_net",), said.append
    )
    return found, said


def units(workload):
    return [node.op.units for node in workload.model.nodes if node.op.kind == "dense"]


def test_each_side_has_the_network_of_its_own_revision(there):
    found, said = sides("HEAD~1..HEAD")
    [instead] = found.instead.values()
    assert units(found.networks["net.py:make_net"]) == [16, 3]
    assert units(instead[0]) == [16, 16, 3]
    assert any("different networks at HEAD~1" in line for line in said)


def test_what_a_network_imports_is_its_revisions_as_well(there):
    found, _ = sides("HEAD~2..HEAD~1")
    [instead] = found.instead.values()
    assert units(found.networks["net.py:make_net"]) == [8, 3]
    assert units(instead[0]) == [16, 3]


def test_a_comment_makes_no_other_network(there):
    found, said = sides("HEAD~3..HEAD~2")
    assert found.instead == {}
    assert not any("different networks" in line for line in said)


def test_the_working_tree_may_be_the_candidate(there):
    kept = Path("net.py").read_text()
    Path("net.py").write_text(NET)
    try:
        found, _ = sides("HEAD")
    finally:
        Path("net.py").write_text(kept)
    [instead] = found.instead.values()
    assert units(found.networks["net.py:make_net"]) == [16, 16, 3]
    assert units(instead[0]) == [16, 3]


def test_both_sides_see_the_packages_of_this_environment(there):
    found, _ = sides("HEAD~1..HEAD")
    assert len(set(found.arms)) == 2
    assert all(arm.startswith("numpy@git-") for arm in found.arms)


def test_names_are_left_as_they_are(there):
    found, _ = sides("HEAD~1..HEAD", "mlp_digits", "net.py:make_net")
    assert set(found.networks) == {"net.py:make_net"}


def test_a_file_elsewhere_is_of_no_revision(there, tmp_path):
    (tmp_path / "net.py").write_text(NET)
    assert network_file(repository_of(Path.cwd()), f"{tmp_path}/net.py:make_net") is None


def test_requirements_are_installed_without_a_project(there, monkeypatch):
    """pip is asked for them alone."""
    wanted = []

    def create(name, requirements, constraints):
        wanted.append((requirements, constraints))
        return create_borrowing_environment(name)

    monkeypatch.setattr(environment, "create_environment", create)
    added = Added(("torch==2.13.0",), ("pins.txt",))
    Path("pins.txt").write_text("")
    try:
        sides_of_revisions("HEAD~1..HEAD", ("numpy",), added, ("net.py:make_net",), print)
    finally:
        Path("pins.txt").unlink()
    assert wanted == [(("torch==2.13.0",), ("pins.txt",))] * 2


def test_a_file_that_holds_one_network_is_of_a_revision_too(there):
    file = network_file(repository_of(Path.cwd()), "nets/small.toml")
    assert (file.path, file.name) == ("nets/small.toml", "")


@pytest.mark.parametrize("name", ["mlp_digits", "resnet50[tiny]", "all"])
def test_a_name_is_no_file(there, name):
    assert network_file(repository_of(Path.cwd()), name) is None


def commit_of(there, message, **files):
    """A commit beside the others; its name."""
    there.git("checkout", "--quiet", "--detach", "main")
    try:
        return there.commit(message, **files)
    finally:
        there.git("checkout", "--quiet", "main")


def test_a_file_that_one_revision_has_not_is_told(there):
    added = commit_of(there, "Another", other__py=NET)
    with pytest.raises(UsageError, match=r"other\.py: .*Another.* has it and HEAD .* has not"):
        sides(f"HEAD..{added}", "other.py:make_net")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (('Builder("small")', 'Builder("large")'), "its name is small at the base and large"),
        (("def make_net", "def make_nett"), "nothing is called 'make_net' in it"),
        (("return", "raise ValueError('no') or"), "line 10 .*ValueError: no"),
    ],
)
def test_what_is_no_case_of_both_is_told_with_its_revision(there, change, words):
    broken = commit_of(there, "Broken", net__py=DEEPER.replace(*change))
    with pytest.raises((UsageError, BuildError), match=words):
        sides(f"HEAD..{broken}")


def test_a_network_alone_needs_a_backend(there):
    with pytest.raises(UsageError, match="name what computes it, such as --backend torch"):
        sides("HEAD~1..HEAD", backends=())


@pytest.fixture
def plan(there):
    """Of a gate over two networks of one name."""
    found, _ = sides("HEAD~1..HEAD")
    settings = Settings(phases=(Phase.INFER,), threads=(1,))
    request = Request(tuple(found.networks.values()), found.arms, settings, networks=found.instead)
    return request, *make_plan(request, Silent())


def test_each_arm_s_cell_is_of_its_own_network(plan):
    _, made, _ = plan
    rows = [row for row in made.cells() if row["workload"]]
    assert len({row["spec_hash"] for row in rows}) == 2
    assert len({row["rank_group"] for row in rows}) == 1
    assert rows[0]["flops"] < rows[1]["flops"]


def test_each_network_has_a_reference_of_its_own(plan):
    _, made, datasets = plan
    [environment] = made.cases[0].variants
    [base], [candidate] = (check_requests_of(made, datasets, place) for place in ("", environment))
    assert units(base.workload) == [16, 3]
    assert units(candidate.workload) == [16, 16, 3]


def test_a_stored_request_has_both_networks(plan):
    request, made, _ = plan
    again = Request.from_json(json.loads(json.dumps(request.to_json(made))))
    assert again.networks == request.networks


def gated(there, store, git):
    """A gate of two generations, which names a figure."""
    done = dnnbench(
        there.folder, "gate", "net.py:make_net", "--git", git, "--backend", "numpy",
        "--figure", "operators", "--phase", "infer", "--threads", "1", "--max-time", "2s",
        "--generations", "2", "--fail-on", "90%", "--inconclusive", "pass", "--wait", "--json",
        "--store", str(store),
        changes=NEVER_CONTENDED | {"dnnbench.stats.split:FEWEST": 2},
    )  # fmt: skip
    return done, json.loads(done.stdout)


@pytest.mark.exhaustive
@pytest.mark.xdist_group("run")
def test_a_harmless_commit_passes_a_gate_that_names_a_figure(there, tmp_path):
    done, document = gated(there, tmp_path / "gate.sqlite", "HEAD~3..HEAD~2")
    assert done.returncode == 0, done.stderr
    assert document["cells"][0]["different_networks"] is None
    assert {row["change"] for row in document["counted"] if row["deterministic"]} == {"EQUAL"}


@pytest.mark.exhaustive  # the plan of such a gate is tested above
@pytest.mark.slow
@pytest.mark.xdist_group("run")
def test_a_gate_says_different_networks_and_fails_for_the_figure_that_it_names(there, tmp_path):
    done, document = gated(there, tmp_path / "gate.sqlite", "HEAD~1..HEAD")
    assert done.returncode == 3, done.stderr
    assert document["outcome"] == "REGRESSED"
    [cell] = document["cells"]
    assert "different networks" in cell["different_networks"]
    assert cell["regressed"] == ["operators"]
    counted = {row["figure"]: row for row in document["counted"]}
    assert (counted["operators"]["base"], counted["operators"]["candidate"]) == (3, 5)
    assert counted["page_faults"]["change"] == "UNDECIDED"
    assert "operators: 5, of the base 3" in done.stderr
    assert document["unproven"] == []
    assert sys.prefix not in cell["arm"]
