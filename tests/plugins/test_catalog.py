"""Workloads by name with parameters: what they may say, what comes out,
and what is refused with which words.
"""

import json
from typing import Literal

import pytest
from dnnbench.cli.main import main
from dnnbench.cli.output import Output
from dnnbench.errors import PluginError, UsageError
from dnnbench.plugins import catalog
from dnnbench.plugins.catalog import find_workloads, parameters_of, workloads_of
from dnnbench.plugins.discovery import plugins
from dnnbench.plugins.hooks import WorkloadInfo
from dnnbench.plugins.parameters import canonical, chosen, split
from dnnbench.spec.builder import Builder
from dnnbench.spec.workload import Workload
from pydantic import PositiveInt, ValidationError
from rich.table import Table


def net(
    units: PositiveInt = 8,
    rate: float = 0.5,
    bias: bool = True,
    form: Literal["wide", "deep"] = "wide",
    label: str = "a",
    batch: int = 4,
) -> Workload:
    """A dense layer and a dropout."""
    builder = Builder("net")
    x = builder.dropout(builder.input("x", (4,)), rate=rate)
    if form == "deep" and units > 100:
        raise ValueError("a deep net has at most 100 units")
    model = builder.build(builder.dense(x, units=units, bias=bias, name="logits"))
    return Workload(name="net", description=label, model=model, batch_size=batch)


INFO = WorkloadInfo(
    "net", "a net", net, {"tiny": {"units": 2, "batch": 1}, "deep": {"form": "deep", "rate": 0.1}}
)
NAMES = {
    "net": "net",
    "net[]": "net",
    " net [ units = 3 ] ": "net[units=3]",
    "net[units=8]": "net",
    "net[batch=2,units=3]": "net[units=3,batch=2]",
    "net[tiny]": "net[tiny]",
    "net[units=2,batch=1]": "net[tiny]",
    "net[tiny,batch=4]": "net[units=2]",
    "net[batch=3,tiny]": "net[tiny,batch=3]",
    "net[tiny,units=8,batch=4]": "net",
    "net[tiny,deep]": "net[tiny,rate=0.1,form=deep]",
    "net[deep,units=2]": "net[deep,units=2]",
    "net[rate=.25]": "net[rate=0.25]",
    "net[rate=0]": "net[rate=0.0]",
    "net[bias=false]": "net[bias=false]",
    "net[form=deep]": "net[form=deep]",
    "net[label=v1.5]": "net[label=v1.5]",
}
REFUSED = {
    "net[units=3": "check its brackets",
    "net]units=3[": "check its brackets",
    "net[tiny][deep]": "check its brackets",
    "net[tinny]": "no preset 'tinny'; did you mean 'tiny'? (there are tiny, deep)",
    "net[units]": "parameter 'units' has no value; write units=VALUE",
    "net[unit=3]": (
        "no parameter 'unit'; did you mean 'units'? "
        "(there are units, rate, bias, form, label, batch)"
    ),
    "net[units=3,units=4]": "'units' is given twice",
    "net[units=many]": "got units=many, expected a valid integer",
    "net[units=2.5]": "got units=2.5, expected a valid integer",
    "net[units=]": "got units=, expected a valid integer",
    "net[rate=half]": "got rate=half, expected a valid number",
    "net[rate=nan]": "got rate=nan, expected a finite number",
    "net[bias=perhaps]": "got bias=perhaps, expected a valid boolean",
    "net[form=deap]": "got form=deap, expected 'wide' or 'deep'; did you mean 'deep'?",
    "net[label=a b]": "it makes a workload of name 'net[label=a b]': String should match pattern",
    "net[units=0]": "got units=0, expected greater than 0",
    "net[rate=1]": "it makes a dropout of rate 1.0: Input should be less than 1",
    "net[batch=0]": "it makes a workload of batch_size 0: Input should be greater than 0",
    "net[form=deep,units=200]": "a deep net has at most 100 units",
    "nett[tiny]": "no workload is called 'nett'; did you mean 'net'?",
}


@pytest.fixture
def only_net(monkeypatch):
    def offer(*infos):
        monkeypatch.setattr(plugins(), "workloads", {info.name: info for info in infos})

    offer(INFO)
    return offer


@pytest.mark.parametrize(("text", "name"), NAMES.items())
def test_a_name_is_the_shortest_text_of_its_parameters_and_finds_itself(only_net, text, name):
    workload = catalog.find_workload(text)
    assert workload.name == name
    assert catalog.find_workload(name) == workload


@pytest.mark.parametrize(("text", "message"), REFUSED.items())
def test_what_cannot_be_read_is_refused_in_words(only_net, text, message):
    with pytest.raises(UsageError) as caught:
        catalog.find_workload(text)
    assert message in str(caught.value)


def test_parameters_reach_the_network(only_net):
    workload = catalog.find_workload("net[units=3,rate=0.25,bias=false,label=mine,batch=2]")
    op = workload.model.node("logits").op
    assert (op.units, op.bias, workload.model.nodes[0].op.rate) == (3, False, 0.25)
    assert (workload.description, workload.batch_size) == ("mine", 2)


def test_sizes_differ_in_name_and_hash():
    small, full = (
        catalog.find_workload("resnet18[image=64,width=0.25]"),
        catalog.find_workload("resnet18"),
    )
    assert (small.name, small.model.name) == ("resnet18[image=64,width=0.25]", "resnet18")
    assert small.spec_hash != full.spec_hash


def test_every_announced_name_is_canonical_and_its_presets_are_parameters_of_it():
    for info in plugins().workloads.values():
        assert canonical(info, chosen(info, [])) == info.name
        for preset, values in info.presets.items():
            whole = chosen(info, [preset])
            assert set(values) <= set(whole)
            assert canonical(info, whole) == f"{info.name}[{preset}]"
            written = [
                f"{key}={value}" for key, value in values.items() if not isinstance(value, bool)
            ]
            assert chosen(info, [preset, *written]) == whole


UNNAMED = WorkloadInfo("odd", "", lambda units=3: net())
FAULTS = {
    "raises": (
        WorkloadInfo("odd", "", lambda: 1 / 0),
        "odd",
        "its plugin raised ZeroDivisionError",
    ),
    "makes none": (
        WorkloadInfo("odd", "", lambda: "net"),
        "odd",
        "gave 'net', expected a Workload",
    ),
    "bears a bad name": (WorkloadInfo("1st", "", net), "1st", "its plugin raised ValidationError"),
    "parameter without a kind": (UNNAMED, "odd[units=2]", "parameter 'units' has no annotation"),
}


@pytest.mark.parametrize(("info", "text", "message"), FAULTS.values(), ids=FAULTS)
def test_a_builders_own_fault_is_its_plugins(only_net, info, text, message):
    only_net(info)
    with pytest.raises(PluginError) as caught:
        catalog.find_workload(text)
    assert message in str(caught.value)


def test_without_a_name_the_small_ones_are_measured():
    assert [workload.name for workload in workloads_of(())] == ["mlp_digits", "cnn_digits"]


LISTS = {
    "net[units=2,3]": ["net[units=2]", "net[units=3]"],
    "net[tiny,batch=2,3]": ["net[tiny,batch=2]", "net[tiny,batch=3]"],
    "net[batch=2,3,tiny]": ["net[tiny,batch=2]", "net[tiny,batch=3]"],
    "net[units=3,5,bias=true,false]": [
        "net[units=3]", "net[units=3,bias=false]", "net[units=5]", "net[units=5,bias=false]",
    ],
    "net[form=wide,deep]": ["net[rate=0.1]"],  # the preset, and its form given
    "net[units=8,8]": ["net"],
    "all[units=2,3]": ["net[units=2]", "net[units=3]"],
}  # fmt: skip


@pytest.mark.parametrize("text", LISTS)
def test_a_list_of_values_is_a_workload_for_each(only_net, text):
    assert [workload.name for workload in workloads_of((text,))] == LISTS[text]


def test_where_one_workload_is_wanted_a_list_is_refused(only_net):
    with pytest.raises(UsageError, match="names 2 workloads, and one is wanted"):
        catalog.find_workload("net[units=2,3]")


def test_lists_that_make_too_many_workloads_are_refused(only_net):
    values = ",".join(map(str, range(1, 40)))
    with pytest.raises(UsageError, match="make 1,521 workloads, expected at most 1,000"):
        workloads_of((f"net[units={values},batch={values}]",))


def test_all_is_every_workload_that_takes_the_parameters(only_net):
    assert [w.name for w in workloads_of(("all",))] == ["net"]
    assert [w.name for w in workloads_of(("all[tiny,batch=3]", "net"))] == [
        "net[tiny,batch=3]",
        "net",
    ]
    with pytest.raises(UsageError, match=r"'all\[nothing\]': no workload takes these"):
        workloads_of(("all[nothing]",))


def test_one_workload_written_two_ways_is_measured_once(only_net):
    assert [w.name for w in workloads_of(("net[tiny]", "net[units=2,batch=1]", "net"))] == [
        "net[tiny]",
        "net",
    ]


def test_two_networks_of_one_name_are_refused(only_net, tmp_path):
    (tmp_path / "net.json").write_text(net(units=5).model_dump_json())
    with pytest.raises(UsageError, match="two different workloads are called 'net'"):
        workloads_of(("net", str(tmp_path / "net.json")))


def test_no_default_is_refused(only_net):
    with pytest.raises(UsageError, match="no workload is named"):
        workloads_of(())


@pytest.mark.parametrize(
    "name", ["net[a=b", "net]", "net[a b]", "net[<b>]", "[tiny]", "net[tiny]x"]
)
def test_a_workload_file_cannot_bear_a_broken_name(name):
    with pytest.raises(ValidationError):
        Workload(name=name, model=net().model)


def test_list_tells_parameters_presets_and_defaults(only_net, capsys):
    assert main(["list", "workloads", "--json"]) == 0
    [row] = json.loads(capsys.readouterr().out)["workloads"]
    assert row["parameters"] == {
        "units": 8,
        "rate": 0.5,
        "bias": True,
        "form": "wide",
        "label": "a",
        "batch": 4,
    }
    assert row["presets"]["tiny"] == {"units": 2, "batch": 1}
    assert row["default"] is False
    assert main(["list", "workloads"]) == 0
    text = capsys.readouterr().out
    assert "units=8 rate=0.5 bias=true form=wide" in text
    assert "tiny deep" in text


def test_a_name_with_brackets_is_printed_whole(only_net, capsys):
    assert main(["show", "net[tiny]"]) == 0
    assert capsys.readouterr().out.startswith("net[tiny]: a")
    table = Table()
    table.add_row("net[bold]")
    Output().table(table)
    assert "net[bold]" in capsys.readouterr().out


def test_split():
    assert split("net[tiny, a=1]") == ("net", ["tiny", "a=1"])


def test_a_network_of_one_s_own_that_is_called_as_one_of_the_zoo_has_no_parameters_of_it():
    (zoo,) = find_workloads("mlp_digits")
    (tiny,) = find_workloads("resnet18[tiny]")
    assert parameters_of([zoo])["mlp_digits"]
    own = tiny.model_copy(update={"name": zoo.name})
    assert parameters_of([own, tiny]).keys() == {tiny.name}
