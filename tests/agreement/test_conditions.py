"""Conditions that examples may not meet: made to happen in the first batch, or named."""

import numpy as np
import pytest
from dnnbench.agreement.conditions import meeting, unmet
from dnnbench.agreement.observing import with_optimizer
from dnnbench.protocol.batch import Batch
from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import CrossEntropy
from dnnbench.spec.optimizers import Adam, Sgd, WarmupCosine
from dnnbench.spec.workload import Task, Workload
from dnnbench.testing.cases import CASES


def tagger(length=4, vocabulary=1000, ignored=-1):
    """Ids, a mask over them, and a label for each."""
    net = Builder("tagger")
    x = net.embedding(net.input("ids", (length,), "int32"), vocabulary=vocabulary, features=4)
    q, k, v = (net.dense(x, units=4) for _ in range(3))
    y = net.attention(q, k, v, net.input("mask", (length,), "bool"), heads=1)
    model = net.build(net.dense(y, units=300, name="logits"))
    task = Task(loss=CrossEntropy(ignored=ignored))
    return Workload(name="tagger", model=model, task=task, batch_size=2)


def plain_batch(length=4):
    ids = np.full((2, length), 7, np.int32)
    mask = np.ones((2, length), bool)
    return Batch({"ids": ids, "mask": mask}, np.full((2, length), 5, np.int32))


def test_the_first_ids_are_those_of_padding_and_the_last():
    ids = meeting(tagger(), plain_batch()).inputs["ids"]
    assert ids.tolist() == [[0, 1, 999, 7], [7, 7, 7, 7]]


@pytest.mark.parametrize(("length", "wanted"), [(1, [[0], [1]]), (2, [[0, 1], [999, 7]])])
def test_short_examples_share_them(length, wanted):
    assert meeting(tagger(length), plain_batch(length)).inputs["ids"].tolist() == wanted


def test_ids_stay_within_a_small_table():
    assert meeting(tagger(vocabulary=2), plain_batch()).inputs["ids"][0].tolist() == [0, 1, 7, 7]
    assert meeting(tagger(vocabulary=1), plain_batch()).inputs["ids"][0].tolist() == [0, 7, 7, 7]


def test_one_key_is_hidden_where_none_is():
    mask = meeting(tagger(), plain_batch()).inputs["mask"]
    assert mask.tolist() == [[True, True, True, False], [True] * 4]


def test_a_mask_that_hides_something_stays():
    batch = plain_batch()
    batch.inputs["mask"][1, 2:] = False
    assert np.array_equal(meeting(tagger(), batch).inputs["mask"], batch.inputs["mask"])


def test_the_only_key_is_never_hidden():
    assert meeting(tagger(1), plain_batch(1)).inputs["mask"].all()


def test_labels_are_the_last_class_the_first_and_one_that_does_not_count():
    assert meeting(tagger(), plain_batch()).targets.reshape(-1).tolist() == [299, 0, *[5] * 5, -1]


def test_labels_that_do_not_count_stay_where_they_are():
    batch = plain_batch()
    batch.targets[0] = -1
    assert meeting(tagger(), batch).targets.tolist() == [[-1] * 4, [299, 0, 5, 5]]


def test_the_caller_s_arrays_stay():
    batch = plain_batch()
    meeting(tagger(), batch)
    assert set(batch.inputs["ids"].reshape(-1)) == {7}
    assert batch.inputs["mask"].all()
    assert set(batch.targets.reshape(-1)) == {5}


def named(workload, steps=5, norm=None, batches=()):
    return list(unmet(workload, batches, steps, norm))


@pytest.mark.parametrize(
    ("norm", "said"),
    [
        (2.0, ["gradients below adam's clip limit of 1 in the first step"]),
        (0.5, ["gradients above adam's clip limit of 1 in the first step"]),
        (None, []),
    ],
)
def test_the_direction_in_which_nothing_was_clipped_is_named(norm, said):
    assert named(with_optimizer(CASES["dense"](), Adam(clip_norm=1.0)), norm=norm) == said


@pytest.mark.parametrize(
    ("length", "said"), [(100, ["sgd's schedule from step 6 to 100"]), (5, []), (4, [])]
)
def test_the_rest_of_a_schedule_is_named(length, said):
    optimizer = Sgd(schedule=WarmupCosine(warmup=2, steps=length))
    assert named(with_optimizer(CASES["dense"](), optimizer)) == said


def test_nothing_is_said_of_steps_where_none_is_taken():
    optimizer = Adam(clip_norm=1.0, schedule=WarmupCosine(steps=100))
    assert named(with_optimizer(CASES["dense"](), optimizer), steps=0, norm=2.0) == []


def test_rows_that_no_id_names_are_counted():
    batch = meeting(tagger(), plain_batch())
    assert named(tagger(), batches=[batch, plain_batch()]) == [
        "996 of 1,000 rows that 'ids' may look up"
    ]


def test_a_table_that_is_read_whole_is_not_named():
    batch = plain_batch()
    batch.inputs["ids"][0] = range(4)
    batch.inputs["ids"][1] = range(4)
    assert named(tagger(vocabulary=4), batches=[batch]) == []
