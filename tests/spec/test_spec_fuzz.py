"""Workload files that nobody wrote: each is read, or refused by a SpecError of bounded length;
nothing else.
"""

import copy
import json

import pytest
import tomli_w
from dnnbench.errors import SpecError
from dnnbench.spec.files import parse_workload, read_workload, write_workload
from dnnbench.spec.model import MOST_PROBLEMS
from dnnbench.spec.ops import OPS
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

pytestmark = pytest.mark.slow

FUZZ = settings(
    deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)
LONGEST_LINE = 1500
GOOD = {
    "name": "net",
    "batch_size": 3,
    "model": {
        "name": "net",
        "inputs": [{"name": "image", "shape": [8, 8, 1]}],
        "constants": [{"name": "shift", "shape": [8, 8, 1], "initializer": {"kind": "ones"}}],
        "nodes": [
            {"name": "sum", "inputs": ["shift", "image"], "op": {"kind": "add"}},
            {
                "name": "conv",
                "inputs": ["sum"],
                "op": {
                    "kind": "conv2d",
                    "filters": 2,
                    "kernel": 3,
                    "strides": [2, 2],
                    "padding": [[1, 1], [1, 1]],
                },
            },
            {"name": "flat", "inputs": ["conv"], "op": {"kind": "flatten"}},
            {
                "name": "fc1",
                "inputs": ["flat"],
                "op": {"kind": "dense", "units": 10},
                "parameters": {"weight": "w"},
            },
        ],
        "outputs": ["fc1"],
    },
    "task": {
        "loss": {"kind": "cross_entropy", "smoothing": 0.1},
        "optimizer": {"kind": "adam", "schedule": {"steps": 9}},
        "data": {"kind": "npz", "path": "x"},
    },
}
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
WORDS = st.sampled_from(
    [
        "name",
        "model",
        "nodes",
        "op",
        "kind",
        "dense",
        "units",
        "image",
        "fc1",
        "tuple[",
        "literal[",
        "task",
    ]
)
VALUES = st.recursive(
    SCALARS | WORDS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(WORDS | st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def checked_lines(error):
    """The lines of a refusal, after what holds of each."""
    assert error.problems
    assert len(error.problems) <= MOST_PROBLEMS + 1
    for line in error.problems:
        assert "net." in line
        assert len(line) <= LONGEST_LINE
    return error.problems


def accepted_or_refused(raw):
    try:
        read = parse_workload(raw, "net.toml")
    except SpecError as error:
        checked_lines(error)
    else:
        assert parse_workload(json.loads(write_workload(read)), "net.json") == read


def read_or_refused(path):
    try:
        read = read_workload(path)
    except SpecError as error:
        checked_lines(error)
    else:
        assert parse_workload(json.loads(write_workload(read)), "net.json") == read


def places(raw, way=()):
    """Key path of every value inside."""
    items = (
        raw.items() if isinstance(raw, dict) else enumerate(raw) if isinstance(raw, list) else ()
    )
    for key, value in items:
        yield (*way, key)
        yield from places(value, (*way, key))


@settings(FUZZ, max_examples=150)
@given(VALUES)
def test_no_value_gives_anything_but_a_spec_error(raw):
    accepted_or_refused(raw)


@settings(FUZZ, max_examples=300)
@given(st.data())
def test_no_damage_to_a_good_file_gives_anything_but_a_spec_error(data):
    raw = copy.deepcopy(GOOD)
    for _ in range(data.draw(st.integers(1, 3))):
        *way, last = data.draw(st.sampled_from(list(places(raw)) or [("name",)]))
        place = raw
        for key in way:
            place = place[key]
        if isinstance(place, dict) and data.draw(st.booleans()):
            place[data.draw(WORDS | st.text(max_size=5))] = data.draw(VALUES)
        else:
            place[last] = data.draw(VALUES)
    accepted_or_refused(raw)


SIZES = st.sampled_from([0, 1, 2, 3, 4, 8, 2**20, 2**62, -1])
ATTRIBUTES = (
    SIZES
    | st.booleans()
    | st.sampled_from(["same", "valid", "erf", "tanh", 0.5, 1e-5, None])
    | st.lists(SIZES, max_size=4)
    | st.tuples(st.tuples(SIZES, SIZES), st.tuples(SIZES, SIZES))
)
FIT = {
    "shape": st.sampled_from([[8], [2, 4], [64]]),
    "axes": st.sampled_from([[0], [1, 0], [0, 1, 2]]),
}
SHAPES = st.sampled_from(
    [[8], [2, 4], [8, 8, 1], [4, 4, 8], [1, 1, 8], [8, 8], [1], []]
) | st.lists(SIZES, max_size=4)
SELDOM = st.integers(0, 9).map(lambda drawn: drawn == 9)


@st.composite
def ops(draw):
    """An op whose required attributes have the right form, and whose others are as they are
    by default, but seldom.
    """
    kind = draw(st.sampled_from(list(OPS)))
    op = {"kind": kind}
    for key, field in OPS[kind].model_fields.items():
        if draw(SELDOM):
            op[key] = draw(ATTRIBUTES)
        elif field.is_required():
            op[key] = draw(FIT.get(key, st.sampled_from([1, 2, 8])))
    return op


def fewest_inputs(kind):
    return OPS[kind].arity[0] if isinstance(kind, str) and kind in OPS else 1


@st.composite
def networks(draw):
    """A network of any ops, of inputs of every kind; shapes fit by chance."""
    kinds = st.sampled_from(["float", "float", "float", "int32", "bool"])
    inputs = [
        {"name": f"x{i}", "shape": draw(SHAPES), "dtype": draw(kinds)}
        for i in range(draw(st.integers(1, 3)))
    ]
    constants = [{"name": "c", "shape": draw(SHAPES)}] if draw(SELDOM) else []
    names = [source["name"] for source in (*inputs, *constants)]
    nodes = []
    for i in range(draw(st.integers(1, 4))):
        op = draw(ops())
        fewest = fewest_inputs(op["kind"])
        readable = st.sampled_from([*names, "n3"] if draw(SELDOM) else names)
        sources = draw(st.lists(readable, min_size=fewest, max_size=fewest + draw(SELDOM)))
        nodes.append({"name": f"n{i}", "inputs": sources, "op": op})
        names.append(f"n{i}")
    model = {
        "name": "net",
        "inputs": inputs,
        "constants": constants,
        "nodes": nodes,
        "outputs": [nodes[-1]["name"]],
    }
    return {"name": "net", "model": model}


@settings(FUZZ, max_examples=400)
@given(networks())
def test_no_network_gives_anything_but_a_spec_error(raw):
    accepted_or_refused(raw)


TEXTS = {"net.json": json.dumps(GOOD).encode(), "net.toml": tomli_w.dumps(GOOD).encode()}
PIECES = st.binary(max_size=4) | st.sampled_from(
    [
        b'"',
        b"'''",
        b'"""',
        b"[",
        b"]",
        b"{",
        b"}",
        b".",
        b"a.",
        b"=",
        b"\n",
        b"#",
        b"\\u",
        b"1e999",
        b"nan",
        b"0x",
        b",",
    ]
)


@pytest.mark.parametrize("name", TEXTS)
@settings(FUZZ, max_examples=150)
@given(
    st.lists(
        st.tuples(st.floats(0, 1), st.integers(0, 3), PIECES, st.sampled_from([1, 1, 40])),
        min_size=1,
        max_size=3,
    )
)
def test_no_damage_to_the_text_of_a_file_gives_anything_but_a_spec_error(
    tmp_path_factory, name, edits
):
    content = TEXTS[name]
    for where, cut, piece, times in edits:
        at = int(where * len(content))
        content = content[:at] + piece * times + content[at + cut :]
    path = tmp_path_factory.getbasetemp() / name
    path.write_bytes(content)
    read_or_refused(path)


@pytest.mark.parametrize("name", TEXTS)
def test_the_file_that_is_damaged_is_sound(tmp_path, name):
    (tmp_path / name).write_bytes(TEXTS[name])
    assert read_workload(tmp_path / name) == parse_workload(GOOD, "net.toml")


def test_the_networks_that_are_drawn_reach_the_shape_rules():
    """Among so many some are sound, and some are refused by an op and not by their form."""
    outcomes = {"sound": 0, "an op": 0}

    @settings(FUZZ, max_examples=400)
    @given(networks())
    def look(raw):
        try:
            parse_workload(raw, "net.toml")
            outcomes["sound"] += 1
        except SpecError as error:
            outcomes["an op"] += "node 'n" in str(error)

    look()
    assert min(outcomes.values()) >= 5, outcomes
