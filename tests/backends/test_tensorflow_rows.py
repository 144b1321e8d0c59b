"""Steps on the rows of a table that a batch named."""

import numpy as np
import pytest
from dnnbench.spec.optimizers import Momentum, Sgd
from helpers.in_this_process import TENSORFLOW

pytestmark = [TENSORFLOW, pytest.mark.slow]
TABLE = np.arange(10.0).reshape(5, 2)
TWICE = [3, 1, 3]


def stepped(optimizer, ids=TWICE):
    """The table after a step along the sum of what `ids` name, and the gradient that it took."""
    import tensorflow as tf
    from dnnbench_tensorflow import optimizers, rows

    table = tf.Variable(TABLE)
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(tf.gather(table, ids))
    named = {"table": tape.gradient(loss, table)}
    taken = rows.for_step(optimizer, named)
    slots = {slot: {"table": tf.Variable(tf.zeros_like(table))} for slot in optimizer.slots}
    getattr(optimizers, optimizer.kind)(optimizer, {"table": table}, taken, slots, None)
    return table.numpy(), taken["table"]


def by_formula(rate):
    """A row that is named twice has twice the gradient, one that is not has none."""
    return TABLE - rate * np.array([0, 1, 0, 2, 0.0])[:, None]


def test_a_row_moves_by_all_that_names_it():
    assert np.array_equal(stepped(Sgd(learning_rate=0.5))[0], by_formula(0.5))


def test_a_norm_is_of_whole_rows():
    """sqrt(2 * 1 + 2 * 4), where three terms one by one would have sqrt(6)."""
    clipped = stepped(Sgd(learning_rate=0.5, clip_norm=1.0))[0]
    assert clipped == pytest.approx(by_formula(0.5 / np.sqrt(10)))


def test_plain_descent_takes_the_rows_alone():
    taken = stepped(Sgd(learning_rate=0.5))[1]
    assert sorted(taken.indices.numpy()) == [1, 3]


@pytest.mark.parametrize(
    "optimizer",
    [Sgd(learning_rate=0.5, weight_decay=0.1), Momentum(learning_rate=0.5)],
    ids=["decay", "momentum"],
)
def test_what_moves_every_row_takes_all(optimizer):
    import tensorflow as tf

    assert tf.is_tensor(stepped(optimizer)[1])
