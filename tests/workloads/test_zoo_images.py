"""The image networks are the published ones: counted, compared with torchvision's choices, built,
and trained on digits.
"""

import csv
import json
import re
from collections import Counter
from itertools import product
from math import prod
from pathlib import Path

import pytest
from dnnbench.data.dataset import load
from dnnbench.errors import UsageError
from dnnbench.plugins.catalog import find_workload
from dnnbench.plugins.discovery import plugins
from dnnbench.spec.costs import node_costs, parameter_count
from helpers.running import dnnbench
from helpers.zoo_service import Shapes

HERE = Path(__file__).parents[1]
REFERENCE = {row["model"]: row for row in csv.DictReader((HERE / "golden" / "models.csv").open())}
COUNTED = (
    *("lenet5", "alexnet", "vgg16", "vgg16_bn", "resnet18", "resnet34", "resnet50"),
    *("mobilenet_v2", "densenet121", "efficientnet_b0", "convnext_tiny", "unet"),
)
IMAGES = ("mlp", "autoencoder", *COUNTED)
TINY = [f"{name}[tiny]" for name in IMAGES]
SMALL_ENOUGH = 2_500_000
"""Parameters, and multiply-adds of a tiny example: tens of milliseconds a step on two cores."""


def ops(workload):
    return Counter(node.op.kind for node in workload.model.nodes)


@pytest.mark.parametrize("name", COUNTED)
def test_parameters_and_products_are_the_published_ones(name):
    model, row = find_workload(name).model, REFERENCE[name]
    assert parameter_count(model) == int(row["params"])
    assert sum(cost.macs for cost in node_costs(model, batch_size=1)) == int(
        row["macs_forward_batch1"]
    )


@pytest.mark.parametrize("name", COUNTED)
def test_the_input_is_the_published_one(name):
    assert find_workload(name).model.inputs[0].shape == tuple(
        map(int, REFERENCE[name]["input"].split("x"))
    )


@pytest.mark.parametrize("name", IMAGES)
def test_tiny_keeps_every_kind_of_op(name):
    assert set(ops(find_workload(f"{name}[tiny]"))) == set(ops(find_workload(name)))


def blocks(workload):
    """Names of the blocks by stage: layer2.0.conv1 is of block 0 in stage layer2."""
    matches = [re.match(r"(\D+\d+)\.(\d+)", node.name) for node in workload.model.nodes]
    stages = {}
    for match in filter(None, matches):
        stages.setdefault(match[1], set()).add(match[2])
    return {stage: len(blocks) for stage, blocks in stages.items()}


STAGED = [name for name in COUNTED if blocks(find_workload(name))]


def test_blocks_of_each_stage_are_counted():
    assert len(STAGED) == 9
    assert blocks(find_workload("densenet121")) == {
        "dense1": 6,
        "dense2": 12,
        "dense3": 24,
        "dense4": 16,
    }
    assert list(blocks(find_workload("resnet50")).values()) == [3, 4, 6, 3]


@pytest.mark.parametrize("name", STAGED)
def test_tiny_keeps_two_blocks_a_stage(name):
    full, tiny = blocks(find_workload(name)), blocks(find_workload(f"{name}[tiny]"))
    assert tiny.keys() == full.keys()
    assert all(count >= min(2, full[stage]) for stage, count in tiny.items())


@pytest.mark.parametrize("text", TINY)
def test_tiny_is_small(text):
    model = find_workload(text).model
    assert parameter_count(model) <= SMALL_ENOUGH
    assert sum(cost.macs for cost in node_costs(model, batch_size=1)) <= 3 * SMALL_ENOUGH


@pytest.mark.parametrize("text", [*TINY, "lenet5"])
def test_digits_fit_and_a_target_is_stated(text):
    workload = find_workload(text)
    data = load(workload)
    assert workload.task.target is not None
    assert len(data.y_train) == 1438
    assert data.x_train["image"].shape[1:] == workload.model.inputs[0].shape


CHOICES = {
    "v1.5: the stride is on the 3x3": ("resnet50", "layer2.0.conv2", "strides", (2, 2)),
    "v1.5: not on the first 1x1": ("resnet50", "layer2.0.conv1", "strides", (1, 1)),
    "the shortcut strides too": ("resnet50", "layer2.0.downsample", "strides", (2, 2)),
    "padding is symmetric": ("resnet50", "conv1", "padding", ((3, 3), (3, 3))),
    "densenet normalises before it convolves": ("densenet121", "dense1.0.conv1", "kernel", (1, 1)),
    "densenet's bottleneck": ("densenet121", "dense4.15.conv1", "filters", 128),
    "densenet halves the channels": ("densenet121", "transition3", "filters", 512),
    "a transition reads all layers": ("densenet121", "transition1", "filters", 128),
    "squeezed by the block's input channels": (
        "efficientnet_b0",
        "stage2.0.squeeze.fc1",
        "units",
        4,
    ),
    "and by the next block's": ("efficientnet_b0", "stage2.1.squeeze.fc1", "units", 6),
    "depthwise": ("efficientnet_b0", "stage3.0.depthwise", "groups", 144),
    "kernel of the stage": ("efficientnet_b0", "stage6.3.depthwise", "kernel", (5, 5)),
    "first kept residual": ("efficientnet_b0", "stochastic_depth1", "rate", 0.2 * 2 / 16),
    "last kept residual": ("efficientnet_b0", "stochastic_depth9", "rate", 0.2 * 14 / 16),
    "convnext's last rate": ("convnext_tiny", "stochastic_depth17", "rate", 0.1),
    "convnext's epsilon": ("convnext_tiny", "stage1.0.norm", "epsilon", 1e-6),
    "convnext's gelu is exact": ("convnext_tiny", "gelu1", "approximation", "erf"),
    "batch norm's epsilon": ("mobilenet_v2", "stem.norm", "epsilon", 1e-5),
    "batch norm's momentum": ("mobilenet_v2", "stem.norm", "momentum", 0.9),
    "mobilenet's first block does not expand": ("mobilenet_v2", "stage1.0.depthwise", "groups", 32),
    "alexnet's first padding": ("alexnet", "conv1", "padding", ((2, 2), (2, 2))),
    "alexnet's dropout": ("alexnet", "dropout1", "rate", 0.5),
}


@pytest.mark.parametrize(("name", "node", "attribute", "wanted"), CHOICES.values(), ids=CHOICES)
def test_torchvisions_choices(name, node, attribute, wanted):
    got = getattr(find_workload(name).model.node(node).op, attribute)
    assert got == (pytest.approx(wanted) if isinstance(wanted, float) else wanted)


@pytest.mark.parametrize(
    ("name", "count"), {"resnet50": 53, "densenet121": 120, "efficientnet_b0": 81}.items()
)
def test_no_bias_stands_before_a_norm(name, count):
    convolutions = [node.op for node in find_workload(name).model.nodes if node.op.kind == "conv2d"]
    squeezes = 2 * ops(find_workload(name))["mul"]
    assert len(convolutions) == count - squeezes
    assert not any(c.bias for c in convolutions)


def test_layer_scale_starts_at_a_millionth():
    starts = {
        c.initializer.kind: c.initializer.value
        for c in find_workload("convnext_tiny").model.constants
    }
    assert starts == {"constant": 1e-6}


def test_unet_labels_the_middle_of_its_image():
    model = find_workload("unet").model
    assert model.types["logits"].shape == (388, 388, 2)
    assert find_workload("unet").target.shape == (388, 388)
    crops = [node.op for node in model.nodes if node.op.kind == "slice"]
    assert [(c.start, c.stop) for c in crops] == [(4, 60)] * 2 + [(16, 120)] * 2 + [
        (40, 240)
    ] * 2 + [(88, 480)] * 2


@pytest.mark.parametrize(
    ("text", "message"),
    {
        "resnet18[image=100,data=digits]": "multiple of 8",
        "lenet5[image=8]": "does not fit",
        "unet[image=60]": "only 4 pixels reach 'down3'",
        "vgg16[image=8]": "does not fit",
        "mobilenet_v2[width=0]": "greater than 0",
    }.items(),
)
def test_sizes_that_make_no_network_are_refused_in_words(text, message):
    with pytest.raises(UsageError, match=message):
        find_workload(text)


def in_one_process(backend):
    """A framework starts for shapes alone, which the zoo's gradients have too:
    asked in the matrix.
    """
    return [pytest.mark.xdist_group(f"{backend}:counting"), pytest.mark.exhaustive]


@pytest.fixture(scope="module")
def counting():
    """Workers find this folder's services."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(HERE))
        yield "helpers.zoo_service:Counting"


BUILT = [
    pytest.param(backend, text, marks=in_one_process(backend), id=f"{backend}-{text}")
    for backend, text in product(plugins().backends, (*TINY, "resnet18", "mobilenet_v2"))
]


@pytest.mark.parametrize(("backend", "text"), BUILT)
def test_every_backend_builds_the_arrays_that_the_rule_counts(workers, counting, backend, text):
    workload = find_workload(text)
    shapes = workers.get(backend, service=counting).ask(Shapes.shapes, 120, workload)
    assert {name: tuple(shape) for name, shape in shapes.items()} == {
        name: parameter.shape for name, parameter in workload.model.parameters.items()
    }
    if text in REFERENCE:
        assert sum(map(prod, shapes.values())) == int(REFERENCE[text]["params"])


@pytest.mark.exhaustive
@pytest.mark.parametrize(
    ("text", "epochs"),
    [("autoencoder[tiny]", 30), ("lenet5[tiny]", 8), ("convnext_tiny[tiny]", 12)],
)
def test_training_on_digits_reaches_the_target(tmp_path, text, epochs):
    arm = ("--backend", "torch", "--threads", "1")
    done = dnnbench(tmp_path, "train", text, *arm, "--epochs", str(epochs), "--json")
    assert done.returncode == 0, done.stderr
    assert [course["reached"] for course in json.loads(done.stdout)["courses"]] == [True]
