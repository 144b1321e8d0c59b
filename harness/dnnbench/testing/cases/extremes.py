"""Numbers far from 1, and many of them: logits in thousands, ids of every width,
more keys, steps and weights than a kernel takes at once.
"""

from ...spec.builder import Builder
from .registry import case

LONG, STEPS = 130, 70
"""More than two blocks of 64, and than one."""


@case
def softmax_of_large(net: Builder) -> str:
    """exp(1000) is infinite and exp(-1000) is 0 in every type, unless the maximum is
    taken away first.
    """
    return net.softmax(net.add(net.dense(net.input("x", (6,)), units=8), net.input("large", (8,))))


@case
def attention_of_large_scores(net: Builder) -> str:
    """As `softmax_of_large`, of scores: keys lie around +-1000, or apart by as much.

    What a mask hides lies below a score of -1000, too.
    """
    q = net.dense(net.input("x", (3, 6)), units=8)
    memory = net.input("memory", (5, 4))
    k = net.add(net.dense(memory, units=8), net.input("keys_large", (5, 8)))
    return net.attention(q, k, net.dense(memory, units=8), net.input("mask", (5,), "bool"), heads=2)


@case
def attention_to_many_keys(net: Builder) -> str:
    """A kernel that takes keys in blocks: what is beyond the first ones counts."""
    memory = net.input("memory", (LONG, 4))
    q = net.dense(net.input("x", (3, 6)), units=8)
    return net.attention(q, net.dense(memory, units=8), net.dense(memory, units=8), heads=2)


@case
def attention_causal_of_many_steps(net: Builder) -> str:
    """As `attention_to_many_keys`, where each query has its own last block."""
    x = net.input("x", (LONG, 4))
    q, k, v = (net.dense(x, units=4) for _ in range(3))
    return net.attention(q, k, v, heads=1, causal=True)


@case
def lstm_of_many_steps(net: Builder) -> str:
    """The state goes on beyond the first steps."""
    return net.lstm(net.input("x", (STEPS, 3)), units=3, sequences=False)


@case
def gru_of_many_steps(net: Builder) -> str:
    """As `lstm_of_many_steps`."""
    return net.gru(net.input("x", (STEPS, 3)), units=3)


@case
def embedding_of_large_ids(net: Builder) -> str:
    """Ids on both sides of 8 and of 16 bits, the first one and the last."""
    return net.embedding(net.input("ids_wide", (6,), "int32"), vocabulary=70_001, features=2)


@case
def dense_of_many_weights(net: Builder) -> str:
    """More than a megabyte in float32, of odd sides: what is chosen beyond a cache computes the
    same.
    """
    return net.dense(net.input("x", (523,)), units=509)


@case
def gradients_of_small_size(net: Builder) -> str:
    """A gradient of each place is a thousandth of their mean's: float16 holds it where the loss is
    scaled, and as long as it is.
    """
    offset = net.constant("offset", (32, 32, 2))
    return net.global_avg_pool(net.sigmoid(net.add(net.input("image", (32, 32, 2)), offset)))
