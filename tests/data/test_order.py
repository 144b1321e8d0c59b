"""The order of an epoch, its batches, masks, and the batch that is timed."""

import numpy as np
import pytest
from dnnbench.data.dataset import load
from dnnbench.data.masks import random_masks
from dnnbench.data.order import batches, epoch_order
from dnnbench.execution.batch import timing_batch
from dnnbench.spec.builder import Builder
from dnnbench.spec.data import Synthetic
from helpers.data_files import checksum, workload


def test_epoch_order_is_a_fixed_permutation():
    order = epoch_order(1438, seed=0, epoch=0)
    assert sorted(order) == list(range(1438))
    assert checksum(order.astype("<i8")) == "c2abd4da5fdb4e89"
    for other in (epoch_order(1438, 0, 1), epoch_order(1438, 1, 0)):
        assert not np.array_equal(order, other)


def test_epoch_order_puts_every_index_everywhere():
    first = np.bincount([epoch_order(10, seed, 0)[0] for seed in range(2000)], minlength=10)
    assert np.abs(first - 200).max() < 5 * np.sqrt(2000 * 0.1 * 0.9)


@pytest.mark.parametrize(
    "n, size, sizes", [(10, 4, [4, 4, 2]), (8, 4, [4, 4]), (3, 4, [3]), (1, 1, [1])]
)
def test_the_last_smaller_batch_counts(n, size, sizes):
    order = epoch_order(n, 0, 0)
    slices = list(batches(order, size))
    assert [len(rows) for rows in slices] == sizes
    np.testing.assert_array_equal(np.concatenate(slices), order)


@pytest.mark.parametrize("rate", [0.0, 0.2, 0.9])
def test_random_masks_keep_their_rate(rate):
    net = Builder("drop")
    x = net.dropout(net.input("x", (50,)), rate=rate, name="thin")
    model = net.build(net.dropout(net.dense(x, units=40), rate=rate, name="thinner"))
    masks = random_masks(model, 200, seed=3)
    assert {name: mask.shape for name, mask in masks.items()} == {
        "thin": (200, 50),
        "thinner": (200, 40),
    }
    for mask in masks.values():
        assert mask.dtype == np.float32
        assert set(np.unique(mask)) <= {0.0, 1.0}
        assert abs(mask.mean() - (1 - rate)) <= 5 * np.sqrt(rate * (1 - rate) / mask.size)
    again = random_masks(model, 200, seed=3)
    assert all(np.array_equal(masks[name], again[name]) for name in masks)
    if rate:
        assert not np.array_equal(masks["thin"], random_masks(model, 200, seed=4)["thin"])


def test_timing_batch_starts_the_epoch_and_repeats_when_data_run_out():
    data = load(workload(Synthetic(examples=6)))
    order = epoch_order(6, 5, 0)
    small, large = timing_batch(data, 4, seed=5), timing_batch(data, 14, seed=5)
    np.testing.assert_array_equal(small.inputs["image"], data.x_train["image"][order[:4]])
    np.testing.assert_array_equal(large.targets, data.y_train[[*order, *order, *order[:2]]])
    assert (small.size, large.size, dict(small.masks)) == (4, 14, {})
