"""Masks that leave a query of an attention nothing to look at are refused where data come in."""

from pathlib import Path

import numpy as np
import pytest
from dnnbench.cli import exitcodes
from dnnbench.cli.main import main
from dnnbench.data.dataset import load
from dnnbench.data.sight import check_sight
from dnnbench.errors import DataError
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.builder import Builder
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of

INPUTS = Path(__file__).parents[1] / "inputs"
T, F = True, False


def attending(mask_shape, queries=3, keys=3, causal=True):
    net = Builder("attending")
    q = net.input("q", (queries, 4))
    k = net.input("k", (keys, 4))
    net.attention(
        q, k, k, net.input("mask", mask_shape, "bool"), heads=1, causal=causal, name="att"
    )
    return net.build("att")


def refusal(model, mask):
    with pytest.raises(DataError) as caught:
        check_sight(model, {"mask": np.array(mask)}, "own.npz: x_train")
    return str(caught.value)


@pytest.mark.parametrize(
    ("mask", "options", "place"),
    [
        ([[T, F, F], [F, T, T]], {}, "row 1 leaves no key to query 0 of node 'att'"),
        ([[T, T, T], [F, F, F]], {"causal": False}, "row 1 leaves no key to query 0 of node 'att'"),
        (
            [[[T, F, F], [F, F, T], [T, T, T]]],
            {},
            "row [0, 1] leaves no key to query 1 of node 'att'",
        ),
        (
            [[[T, F, F], [F, F, F], [T, T, T]]],
            {"causal": False},
            "row [0, 1] leaves no key to query 1 of node 'att'",
        ),
        (
            [[T, F, F, F, F], [F, F, F, T, T]],
            {"keys": 5},
            "row 1 leaves no key to query 0 of node 'att'",
        ),
        (
            [[[F, F, T, F, F], [F, F, F, F, T], [T] * 5]],
            {"keys": 5},
            "row [0, 1] leaves no key to query 1",
        ),
    ],
)
def test_a_query_without_keys_is_named_with_its_input_row_and_node(mask, options, place):
    message = refusal(attending(np.shape(mask)[1:], **options), mask)
    assert message.startswith("own.npz: x_train, input 'mask': ")
    assert place in message


def test_the_message_names_the_cause_and_the_keys_to_choose_from():
    triangle = refusal(attending((5,), keys=5), [[F, F, F, T, T]])
    assert "once mask and causal triangle are taken together" in triangle
    assert triangle.endswith("let query 0 attend to a key up to 2")
    alone = refusal(attending((3,), causal=False), [[F, F, F]])
    assert alone.endswith("for nothing is True there; let query 0 attend to a key")


@pytest.mark.parametrize(
    ("mask", "options"),
    [
        ([[T, F, F]], {}),
        ([[F, F, T]], {"causal": False}),
        ([[[T, F, F], [F, T, F], [F, F, T]]], {}),
        ([[F, F, T, F, F]], {"keys": 5}),
    ],
)
def test_one_key_for_each_query_is_enough(mask, options):
    check_sight(attending(np.shape(mask)[1:], **options), {"mask": np.array(mask)}, "here")


@pytest.mark.parametrize("case", [name for name, build in CASES.items() if "attention" in name])
def test_the_cases_of_the_conformance_kit_leave_every_query_a_key(case):
    workload = CASES[case]()
    for batch in batches_of(workload):
        check_sight(workload.model, batch.inputs, case)


def test_boolean_inputs_that_no_attention_reads_may_be_false_throughout():
    net = Builder("unread")
    net.input("mask", (3,), "bool")
    model = net.build(net.dense(net.input("x", (4,)), units=2))
    check_sight(model, {"x": np.zeros((2, 4)), "mask": np.zeros((2, 3), bool)}, "here")


def test_a_file_with_padding_on_the_left_of_a_causal_attention_is_refused(monkeypatch):
    monkeypatch.chdir(INPUTS)
    with pytest.raises(
        DataError,
        match=r"left\.npz: x_train, input 'mask': row 0 leaves no key to query 0 of node 'att'",
    ):
        load(find_workload("causal.toml"))


@pytest.mark.parametrize("command", ["check", "train", "run"])
def test_it_is_refused_before_a_worker_starts(monkeypatch, tmp_path, capsys, command):
    monkeypatch.chdir(INPUTS)
    monkeypatch.setattr(
        "dnnbench.worker.supervised._start", lambda *_: pytest.fail("a worker was started")
    )
    store = ("--store", str(tmp_path / "store.sqlite")) if command == "run" else ()
    assert main([command, "causal.toml", "--backend", "numpy", *store]) == exitcodes.USAGE
    assert "row 0 leaves no key to query 0 of node 'att'" in capsys.readouterr().err
