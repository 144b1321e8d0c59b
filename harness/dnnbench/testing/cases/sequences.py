"""Recurrent layers and attention."""

from ...spec.builder import Builder
from .registry import case


@case
def lstm(net: Builder) -> str:
    return net.lstm(net.dense(net.input("x", (4, 6)), units=5), units=3)


@case
def lstm_last(net: Builder) -> str:
    return net.lstm(net.input("x", (4, 6)), units=3, sequences=False)


@case
def lstm_from_state(net: Builder) -> str:
    h, c = (net.tanh(net.dense(net.input(name, (5,)), units=3)) for name in ("h", "c"))
    return net.lstm(net.input("x", (3, 6)), h, c, units=3)


@case
def gru(net: Builder) -> str:
    return net.gru(net.dense(net.input("x", (4, 6)), units=5), units=3)


@case
def gru_last_from_state(net: Builder) -> str:
    h = net.tanh(net.dense(net.input("h", (5,)), units=3))
    return net.gru(net.input("x", (4, 6)), h, units=3, sequences=False)


def projected(net: Builder, x: str, memory: str | None = None) -> tuple[str, str, str]:
    """Queries of x, keys and values of `memory` or x itself."""
    memory = memory or x
    return net.dense(x, units=8), net.dense(memory, units=8), net.dense(memory, units=8)


@case
def attention(net: Builder) -> str:
    return net.attention(*projected(net, net.input("x", (4, 6))), heads=2)


@case
def attention_causal(net: Builder) -> str:
    return net.attention(*projected(net, net.input("x", (4, 6))), heads=4, causal=True)


@case
def attention_masked(net: Builder) -> str:
    """True means attend."""
    return net.attention(
        *projected(net, net.input("x", (4, 6))), net.input("mask", (4,), "bool"), heads=2
    )


@case
def attention_to_memory_masked_for_each_query(net: Builder) -> str:
    q, k, v = projected(net, net.input("x", (3, 6)), net.input("memory", (5, 4)))
    return net.attention(q, k, v, net.input("mask", (3, 5), "bool"), heads=1)


@case
def attention_after_a_cache(net: Builder) -> str:
    """Two new queries behind three cached keys: causal with an offset."""
    q, k, v = projected(net, net.input("x", (2, 6)))
    keys = net.concat(net.input("past_keys", (3, 8)), k, axis=0)
    return net.attention(
        q, keys, net.concat(net.input("past_values", (3, 8)), v, axis=0), heads=2, causal=True
    )


@case
def attention_causal_masked(net: Builder) -> str:
    """Prefix masks keep the first key in sight, so that no causal row is fully masked."""
    return net.attention(
        *projected(net, net.input("x", (4, 6))),
        net.input("mask", (4,), "bool"),
        heads=2,
        causal=True,
    )
