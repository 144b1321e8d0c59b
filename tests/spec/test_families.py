"""Which workloads are one family."""

import pytest
from dnnbench.spec.families import family

FAMILIES = {
    "resnet": ("resnet18", "resnet34[tiny]", "resnet50[image=64,width=0.25]"),
    "vgg": ("vgg16", "vgg16_bn"),
    "mlp": ("mlp", "mlp_digits", "mlp_table"),
    "gpt": ("gpt2_small", "gpt2_small_decode[tokens=128]"),
    "vit": ("vit_b_16",),
    "make": ("nets/a.py:make_net",),
    "42": ("42",),
}


@pytest.mark.parametrize("name", FAMILIES)
def test_sizes_and_variants_of_a_network_are_one_family(name):
    assert {family(workload) for workload in FAMILIES[name]} == {name}
