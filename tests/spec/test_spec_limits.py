"""A workload file of any size and kind is answered in time that grows with its size,
by a message of bounded length.
"""

import json
import os
import socket
import sys

import pytest
from dnnbench.errors import SpecError, UsageError
from dnnbench.plugins.catalog import find_workload, find_workloads
from dnnbench.spec.builder import Builder
from dnnbench.spec.costs import inference, training_step
from dnnbench.spec.files import MOST_BYTES, MOST_KEY_PARTS, parse_workload, read_workload
from dnnbench.spec.model import MOST_NODES, MOST_PROBLEMS
from dnnbench.wording import listed, near_miss

pytestmark = pytest.mark.slow

LONGEST = 30_000
"""Characters of any message about a workload file."""


def raw(nodes, outputs=()):
    inputs = [{"name": "image", "shape": [8]}]
    model = {
        "name": "net",
        "inputs": inputs,
        "nodes": nodes,
        "outputs": outputs or [nodes[-1]["name"]],
    }
    return {"name": "net", "model": model}


def node(i, *sources, kind="relu", **more):
    return {"name": f"layer{i:05}", "inputs": list(sources), "op": {"kind": kind}, **more}


def name(i):
    return f"layer{i:05}"


NETWORKS = {
    "sound": lambda n: raw([node(0, "image"), *(node(i, name(i - 1)) for i in range(1, n))]),
    "mistyped inputs": lambda n: raw([node(i, f"layr{i:05}") for i in range(n)]),
    "a ring": lambda n: raw([node(i, name((i + 1) % n)) for i in range(n)]),
    "rings of two": lambda n: raw([node(i, name(i ^ 1)) for i in range(n)]),
    "backwards": lambda n: raw(
        [*(node(i, name(i + 1)) for i in range(n - 1)), node(n - 1, "image")]
    ),
    "a node that reads all": lambda n: raw(
        [*(node(i, "image") for i in range(n)), node(n, *map(name, range(n)), kind="add")]
    ),
    "one name": lambda n: raw([node(0, "image") for _ in range(n)]),
    "unknown ops": lambda n: raw([node(i, "image", kind="rleu") for i in range(n)]),
    "unknown keys": lambda n: raw([node(i, "image", inptus=3) for i in range(n)]),
    "unknown roles": lambda n: raw(
        [node(i, "image", parameters={"weigth": "w"}) for i in range(n)]
    ),
    "unknown outputs": lambda n: raw(
        [node(i, "image") for i in range(n)], [f"layr{i:05}" for i in range(n)]
    ),
    "many outputs": lambda n: raw(
        [node(i, "image") for i in range(n)], [name(i) for i in range(n)]
    ),
    "reserved names": lambda n: raw([{**node(i, "image"), "name": "outputs"} for i in range(n)]),
}


def calls_of(action):
    """How many functions of Python and of C `action` calls, and what it says against its input."""
    count = 0

    def see(frame, event, argument):
        nonlocal count
        count += event in ("call", "c_call")

    before, refusal = sys.getprofile(), ""
    sys.setprofile(see)
    try:
        action()
    except (SpecError, UsageError) as error:
        refusal = str(error)
    finally:
        sys.setprofile(before)
    return count, refusal


@pytest.mark.parametrize("network", NETWORKS.values(), ids=NETWORKS)
def test_four_times_the_nodes_take_at_most_four_times_the_calls_and_no_longer_message(network):
    few, many = network(80), network(320)
    calls_of(lambda: parse_workload(few, "net.toml"))  # what is made once, is made here
    few_calls, _ = calls_of(lambda: parse_workload(few, "net.toml"))
    many_calls, refusal = calls_of(lambda: parse_workload(many, "net.toml"))
    assert few_calls > 80
    assert many_calls <= 4.1 * few_calls
    assert len(refusal) <= LONGEST


def instructions_of(action):
    """How many instructions of Python `action` takes, those of loops among them."""
    count = 0

    def see(frame, event, argument):
        nonlocal count
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        count += event == "opcode"
        return see

    before = sys.gettrace()
    sys.settrace(see)
    try:
        action()
    finally:
        sys.settrace(before)
    return count


def test_what_is_counted_of_a_network_grows_as_its_nodes():
    def count(n):
        workload = parse_workload(NETWORKS["sound"](n), "net.toml")
        return instructions_of(lambda: training_step(workload, 1) and inference(workload.model, 1))

    count(10)
    few = count(100)
    assert 100 < count(400) <= 4.1 * few


def test_builder_names_the_next_node_without_looking_at_all_before():
    def build(n):
        net = Builder("net")
        x = net.input("x", (8,))
        for _ in range(n):
            x = net.relu(x)

    build(10)
    few, _ = calls_of(lambda: build(150))
    many, _ = calls_of(lambda: build(600))
    assert many <= 4.1 * few


def test_near_miss_picks_one_of_thousands():
    names = [name(i) for i in range(5000)]
    assert near_miss("layr04321", names) == "; did you mean 'layer04321'?"


def test_faults_beyond_the_limit_share_one_line():
    with pytest.raises(SpecError) as caught:
        parse_workload(NETWORKS["mistyped inputs"](MOST_PROBLEMS + 1), "net.toml")
    problems = caught.value.problems
    assert len(problems) == MOST_PROBLEMS + 1
    assert (
        problems[-1]
        == f"net.toml: there are more faults than these {MOST_PROBLEMS}; mend them first"
    )


def test_as_many_faults_as_the_limit_have_no_last_line():
    with pytest.raises(SpecError) as caught:
        parse_workload(NETWORKS["mistyped inputs"](MOST_PROBLEMS), "net.toml")
    assert len(caught.value.problems) == MOST_PROBLEMS
    assert "reads 'layr00049'" in caught.value.problems[-1]


def test_each_cycle_gives_one_line_beside_a_wrong_order_behind_them():
    nodes = [
        node(0, name(1)),
        node(1, name(0)),
        node(2, name(2)),
        node(3, name(4)),
        node(4, name(1)),
    ]
    with pytest.raises(SpecError) as caught:
        parse_workload(raw(nodes), "net.toml")
    assert [line.partition("; ")[0] for line in caught.value.problems] == [
        "net.toml: model.nodes[0].inputs[0]: cycle: layer00000 -> layer00001 -> layer00000",
        "net.toml: model.nodes[2].inputs[0]: cycle: layer00002 -> layer00002",
        (
            "net.toml: model.nodes[3].inputs[0]: node 'layer00003' reads 'layer00004', "
            "which comes later"
        ),
    ]


def test_a_cycle_is_written_in_the_direction_of_data():
    nodes = [node(0, name(2)), node(1, name(0)), node(2, name(1))]
    with pytest.raises(
        SpecError, match="cycle: layer00000 -> layer00001 -> layer00002 -> layer00000;"
    ):
        parse_workload(raw(nodes), "net.toml")


def test_listed():
    assert listed(["a", "b"]) == "a, b"
    assert listed(["a"] * 13) == "a, a, a, a, a, a, a, a, a, a, a, a and 1 more"


def test_the_largest_network_is_read_and_one_node_more_refused():
    parse_workload(NETWORKS["sound"](MOST_NODES), "net.toml")
    with pytest.raises(
        SpecError, match=r"model\.nodes: more than 10,000 entries, which is the limit"
    ):
        parse_workload(NETWORKS["sound"](MOST_NODES + 1), "net.toml")


@pytest.mark.parametrize("where", ["", "model"])
def test_a_table_of_thousands_of_keys_is_refused_before_each_is_looked_at(where):
    file = NETWORKS["sound"](1)
    table = file[where] if where else file
    table.update({f"k{i}": 1 for i in range(MOST_NODES)})
    with pytest.raises(SpecError) as caught:
        parse_workload(file, "net.toml")
    assert (
        str(caught.value)
        == f"net.toml: {where or '(top level)'}: more than 10,000 entries, which is the limit"
    )


def test_a_workload_of_too_many_layers_is_refused_while_it_is_built():
    with pytest.raises(
        UsageError, match=r"workload 'mlp\[layers=\d*\]': network 'mlp' has more than 10,000 nodes"
    ):
        find_workload("mlp[layers=1000000000000]")


LONG = "9" * 50_000
LONG_TEXTS = {
    "a name": LONG,
    "a path": f"./{LONG}",
    "a file": f"{LONG}.toml",
    "a parameter": f"mlp[{LONG}=1]",
    "a preset": f"mlp[{LONG}]",
    "a whole number": f"mlp[layers={LONG}]",
    "a number": f"lstm_lm[dropout={LONG}]",
    "a batch": f"gpt2_small[batch={'9' * 4000}]",
    "brackets": f"mlp[{LONG}",
    "parameters of all": f"all[{LONG}]",
    "no patch": "vit_b_16[patch=0]",
}


@pytest.mark.parametrize("text", LONG_TEXTS.values(), ids=LONG_TEXTS)
def test_a_name_of_any_length_is_refused_in_a_message_of_bounded_length(text):
    with pytest.raises((UsageError, SpecError)) as caught:
        find_workloads(text)
    assert len(str(caught.value)) < 2000


def refusal_of(path, content=None):
    if content is not None:
        path.write_text(content)
    with pytest.raises(SpecError) as caught:
        read_workload(path)
    return str(caught.value)


def test_a_key_of_many_parts_is_refused_before_tomllib_takes_their_square(tmp_path):
    path = tmp_path / "net.toml"
    parts = MOST_KEY_PARTS + 1
    assert "not TOML: a key of more than 32 parts (at line 2)" in refusal_of(
        path, "x = 1\n" + ".".join("a" * parts)
    )
    assert "a key of more than 32 parts" in refusal_of(
        path, "[" + " . ".join(['"a"', "'b'"] * parts) + "]"
    )
    assert "a key of more than 32 parts" in refusal_of(
        path, "x = {" + ".".join("a" * 100_000) + " = 1}"
    )


def test_a_text_with_dots_and_a_key_of_as_many_parts_as_may_be_are_no_long_keys(tmp_path):
    assert "unknown key" in refusal_of(
        tmp_path / "net.toml", ".".join("a" * MOST_KEY_PARTS) + " = 1"
    )
    words = "first. Then one more. " * 50 + "." * 200 + " 1.2.3.4"
    assert "unknown key" in refusal_of(tmp_path / "net.toml", f"x = '{words}'")


TWICE = {
    "a key": ('{"name": "a", "name": "b"}', "the key 'name' is given twice"),
    "a key deep inside": (
        '{"model": [{"op": {"units": 1, "units": 1}}]}',
        "the key 'units' is given twice",
    ),
    "a long key": ('{"' + "k" * 100 + '": 1, "' + "k" * 100 + '": 1}', "...kkk"),
}


@pytest.mark.parametrize("content, message", TWICE.values(), ids=TWICE)
def test_json_with_a_key_twice_is_refused_as_in_toml(tmp_path, content, message):
    refusal = refusal_of(tmp_path / "net.json", content)
    assert "net.json: not JSON: " in refusal
    assert message in refusal


def test_a_file_above_the_limit_is_refused_with_the_limit(tmp_path):
    refusal = refusal_of(tmp_path / "net.json", " " * (MOST_BYTES + 1))
    assert "cannot be read: it has more than 4,194,304 bytes, which is the limit" in refusal
    assert "4,194,304" not in refusal_of(tmp_path / "net.json", " " * MOST_BYTES)


def special(kind, folder):
    path = folder / "net.toml"
    if kind == "a named pipe":
        os.mkfifo(path)
    elif kind == "a device":
        path.symlink_to("/dev/zero")
    elif kind == "a folder":
        path.mkdir()
    else:
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    return path


@pytest.mark.parametrize("kind", ["a named pipe", "a device", "a folder", "a socket"])
def test_what_is_no_regular_file_is_refused_without_waiting_for_it(tmp_path, kind):
    refusal = refusal_of(special(kind, tmp_path))
    assert f"net.toml: cannot be read: it is {kind}, expected a regular file" in refusal


def test_a_link_to_a_regular_file_is_one(tmp_path):
    (tmp_path / "real").write_text(json.dumps(NETWORKS["sound"](2)))
    (tmp_path / "net.json").symlink_to(tmp_path / "real")
    assert len(read_workload(tmp_path / "net.json").model.nodes) == 2
