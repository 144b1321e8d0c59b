"""What a workload works through, by the network that a store keeps."""

import pytest
from dnnbench.plugins.catalog import find_workload
from dnnbench.spec.units import EXAMPLES, Unit, unit_of

UNITS = {
    "gpt2_small[tiny]": Unit("tokens", 32),
    "gpt2_small_decode[tiny]": Unit("tokens", 1),
    "bert_base[tiny]": Unit("tokens", 32),
    "lstm_lm[tiny]": Unit("tokens", 32),
    "gru_seq2seq[tiny]": Unit("tokens", 6),
    "mlp_digits": Unit("images"),
    "unet[tiny]": Unit("images"),
    "vit_b_16[tiny]": Unit("images"),
    "ncf[tiny]": EXAMPLES,
    "dlrm[tiny]": EXAMPLES,
    "mlp_table": EXAMPLES,
}


@pytest.mark.parametrize("name", UNITS)
def test_tokens_images_and_examples_are_told_by_the_network(name):
    assert unit_of(find_workload(name).model_dump(mode="json")) == UNITS[name]


def test_a_store_that_keeps_no_network_counts_examples():
    assert unit_of({"name": "w"}) == EXAMPLES
