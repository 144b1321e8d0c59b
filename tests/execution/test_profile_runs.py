"""`run --profile`, from a real worker to the store, the folder of traces, and the page."""

import json
import re
from urllib.parse import unquote

import pytest
from dnnbench.cli.main import main
from dnnbench.execution.facts import CellFacts, GenerationFacts, ProfileFacts
from dnnbench.execution.stored_facts import read, stored
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey
from dnnbench.report.evidence import gather
from dnnbench.report.html import page_of
from dnnbench.report.layer_times import looked_into
from dnnbench.spec.phases import Phase
from dnnbench.store.store import open_store
from helpers.reporting import section_of
from helpers.running import FAST, TINY

NODES = ("hidden", "active", "logits")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder in which a tiny network was run."""
    folder = tmp_path_factory.mktemp("profiled")
    (folder / "tiny.toml").write_text(TINY)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        words = ["run", "tiny.toml", "--backend", "numpy", "--no-check", "--profile", *FAST]
        assert main(words) == 0
    return folder


@pytest.fixture(scope="module")
def evidence(place):
    with open_store(place / "results/dnnbench.sqlite", create=False) as store:
        return gather(store, store.find_run("latest"))


@pytest.mark.slow
def test_every_purpose_was_looked_into(evidence):
    looked = looked_into(evidence.measured)
    assert [one.phase for one in looked] == [Phase.TRAIN_STEP, Phase.INFER]
    assert all(set(one.nodes_s) == set(NODES) for one in looked)


@pytest.mark.slow
def test_gradients_are_of_a_training_step_alone(evidence):
    step, infer = looked_into(evidence.measured)
    assert set(step.facts.backward_s) == set(NODES)
    assert infer.facts.backward_s == {}


@pytest.mark.slow
def test_shares_of_all_layers_are_the_whole(evidence):
    for one in looked_into(evidence.measured):
        assert sum(one.share(node) for node in NODES) == pytest.approx(1)
        assert 0 <= one.outside < 1


@pytest.mark.slow
def test_a_trace_lies_beside_the_store(place, evidence):
    for one in looked_into(evidence.measured):
        events = json.loads((place / "results" / one.file).read_text())["traceEvents"]
        assert {event["name"] for event in events} == set(NODES)


@pytest.mark.slow
def test_the_layers_section_shows_time_by_layer_and_where_traces_are(evidence):
    section = section_of(evidence, "layers")
    titles = [table.title for table in section.tables]
    assert titles[:3] == [
        "Time by layer: tiny/4, training",
        "Time by layer: tiny/4, inference",
        "Traces, beside the store",
    ]
    assert {row[0].text for row in section.tables[0].rows} == {*NODES, "outside of layers"}
    assert any("of the time of all layers" in sentence for sentence in section.sentences)


@pytest.mark.slow
@pytest.mark.parametrize("page", ["results/page.html", "elsewhere/deep/page.html"])
def test_the_page_links_to_the_traces_wherever_it_is(place, evidence, page):
    at = place / page
    links = re.findall(r'<a href="([^"#]*profiles/[^"]*)"', page_of([evidence], at=at))
    assert len(links) == 2
    assert all((at.parent / unquote(link)).resolve().is_file() for link in links)


def test_a_run_that_was_not_asked_to_looks_into_nothing(known_run):
    assert looked_into(known_run.measured) == []


@pytest.fixture
def known_run(tmp_path):
    from helpers import reporting

    with open_store(tmp_path / "s.sqlite") as store:
        reporting.add_run(store, "r", generations=1, workloads=("mlp_digits",))
        return gather(store, "r")


def test_a_profile_comes_out_of_the_store_as_it_went_in():
    arm, case = Arm("torch", "eager"), CaseKey("net", 8)
    key = CellKey(arm, case, Phase.INFER)
    profile = ProfileFacts(1e-3, {"a": 1e-4}, {}, "", "file.json", "Perfetto", "")
    facts = GenerationFacts(cells={key: CellFacts(profile=profile)})
    again = read(json.loads(json.dumps(stored(facts))), {arm.name: arm}, [case])
    assert again.cell(key).profile == profile
