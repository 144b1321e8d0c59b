"""`dnnbench show`: sums, layers and formulas."""

import json

import pytest
from dnnbench.cli.formulas import formula
from dnnbench.cli.main import main
from dnnbench.report.quantity import scaled
from dnnbench.spec.builder import Builder
from helpers.examples import EXAMPLE
from helpers.installing import dnnbench


def test_show_adds_up(capsys):
    assert main(["show", str(EXAMPLE), "--json", "--batch-size", "2"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["batch_size"] == 2
    assert shown["parameters"] == 64 * 96 + 96 + 96 * 10 + 10
    assert (
        shown["macs"] == 2 * (64 * 96 + 96 * 10) == sum(layer["macs"] for layer in shown["layers"])
    )
    forward = sum(layer["forward_flops"] for layer in shown["layers"])
    assert (
        shown["totals"]["inference"]["flops"] == forward < shown["totals"]["training_step"]["flops"]
    )


def test_show_prints_every_layer_with_its_mathematics():
    text = dnnbench("show", "cnn_digits").stdout
    for line in (
        "relu1 = max(conv1, 0)",
        "conv2 = pool1 * W + b",
        "logits = relu3 W + b",
        "L = -mean log softmax(z)[label]",
    ):
        assert line in text
    assert "13,706 parameters, 5,873,664 MACs" in text
    assert "learning_rate 0.05, momentum 0.9" in text


def test_show_a_layer_of_ten_gigabytes(tmp_path):
    path = tmp_path / "giant.toml"
    path.write_text(
        EXAMPLE.read_text()
        .replace("shape = [64]", "shape = [50000]")
        .replace("units = 96", "units = 50000")
    )
    done = dnnbench("show", str(path))
    assert done.returncode == 0
    assert "2,500,050,000" in done.stdout
    assert "GB" in done.stdout


FORMULAS = [
    ("dense", {"units": 3}, "y = x W + b", "out = x W + b"),
    ("dense", {"units": 3, "bias": False}, "y = x W + b", "out = x W"),
    ("relu", {}, "", "out = max(x, 0)"),
    ("dropout", {"rate": 0.25}, "", "out = x m / (1 - 0.25)"),
    ("batch_norm", {}, "", "out = g (x - mu) / sqrt(v + eps) + b"),
]


@pytest.mark.parametrize("kind, attributes, _, expected", FORMULAS)
def test_formula_with_the_names_of_the_network(kind, attributes, _, expected):
    net = Builder("net")
    model = net.build(getattr(net, kind)(net.input("x", (4,)), name="out", **attributes))
    assert formula(model, model.node("out")) == expected


def test_formula_of_a_sum_of_many_and_of_long_names():
    net = Builder("net")
    x = net.input("x", (4,))
    a, b = net.relu(x, name="a"), net.relu(x, name="b")
    long = net.relu(net.add(x, a, b, name="sum"), name="a_very_long_name_of_a_layer")
    model = net.build(long)
    assert formula(model, model.node("sum")) == "sum = x + a + b"
    assert formula(model, model.node(long)) == "y = max(x, 0)"


@pytest.mark.parametrize(
    "n, text",
    [
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.00 kB"),
        (82432, "82.4 kB"),
        (999_600, "1.00 MB"),
        (10**10, "10.0 GB"),
        (10**22, "10,000 EB"),
    ],
)
def test_scaled(n, text):
    assert scaled(n, "B") == text
