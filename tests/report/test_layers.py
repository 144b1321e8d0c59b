"""Layers of a network, against figures worked out by hand."""

import pytest
from dnnbench.plugins.catalog import find_workload
from dnnbench.report.evidence import gather
from dnnbench.report.sections.layers import MOST_NODES, layers, layers_of
from helpers import reporting

BATCH = 64
PARAMETERS = {"fc1": 64 * 128 + 128, "fc2": 128 * 64 + 64, "logits": 64 * 10 + 10}


@pytest.fixture
def stored(empty, monkeypatch):
    """A run that keeps the specification of one of its workloads, and a broken one of the other."""

    def of(name):
        spec = find_workload(name).model_dump(mode="json")
        workloads = [spec, {"name": "cnn_digits", "model": 5, "task": {}}]
        monkeypatch.setitem(reporting.SETTINGS, "workloads", workloads)
        reporting.add_run(empty, "r", generations=1, workloads=(spec["name"], "cnn_digits"))
        return gather(empty, "r")

    return of


@pytest.mark.parametrize(("layer", "count"), PARAMETERS.items())
def test_a_layer_has_its_parameters(layer, count):
    rows = layers_of(find_workload("mlp_digits"), BATCH)
    assert {row.name: row.parameters for row in rows}[layer] == count


def test_a_later_layer_computes_more_backward_than_the_first():
    """fc1 and fc2 have as many weights, but the first needs no gradient of what it is fed."""
    rows = {row.name: row for row in layers_of(find_workload("mlp_digits"), BATCH)}
    macs = BATCH * 64 * 128
    assert rows["fc2"].flops - rows["fc1"].flops == pytest.approx(2 * macs, rel=0.02)


def test_the_section_names_the_heaviest_and_leaves_out_what_it_cannot_read(stored):
    section = layers(stored("mlp_digits"))
    (sentence,) = section.sentences
    assert sentence.startswith("mlp_digits: fc2 does 5")
    assert "fc1 holds 48 % of the parameters" in sentence
    shares = [row[5].value for row in section.tables[0].rows]
    assert sum(shares) == pytest.approx(1)


def test_of_a_deep_network_the_rest_stands_together(stored):
    (table,) = layers(stored("resnet18[tiny]")).tables
    assert len(table.rows) == MOST_NODES + 1
    assert table.rows[-1][0].text.endswith(" others")
    assert sum(row[3].value for row in table.rows) == pytest.approx(1)


def test_a_run_without_a_specification_has_no_such_section(known):
    assert layers(known) is None
