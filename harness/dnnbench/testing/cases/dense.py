"""Matrix products and tables."""

from ...spec.builder import Builder
from .registry import case


@case
def dense(net: Builder) -> str:
    return net.dense(net.input("x", (6,)), units=8)


@case
def dense_without_bias(net: Builder) -> str:
    return net.dense(net.input("x", (6,)), units=8, bias=False)


@case
def dense_on_sequences(net: Builder) -> str:
    return net.dense(net.input("x", (3, 6)), units=4)


@case
def dense_transposed(net: Builder) -> str:
    return net.dense(net.tanh(net.dense(net.input("x", (3, 6)), units=4)), units=5, transposed=True)


@case
def shared_weights(net: Builder) -> str:
    x = net.tanh(net.dense(net.input("x", (6,)), units=6, name="first"))
    return net.dense(x, units=6, name="second", share={"weight": "first.weight"})


@case
def tied_embedding(net: Builder) -> str:
    """One table, looked up and multiplied by: its gradient comes from both uses."""
    x = net.tanh(
        net.embedding(net.input("ids", (4,), "int32"), vocabulary=7, features=3, name="table")
    )
    return net.dense(x, units=7, bias=False, transposed=True, share={"weight": "table.weight"})


@case
def embedding(net: Builder) -> str:
    return net.embedding(net.input("ids", (5,), "int32"), vocabulary=4, features=3)


@case
def embedding_of_one_id(net: Builder) -> str:
    return net.embedding(net.input("id", (), "int32"), vocabulary=3, features=4)


@case
def position_embedding(net: Builder) -> str:
    return net.position_embedding(net.dense(net.input("x", (3, 4)), units=4), positions=6, offset=2)


@case
def matmul(net: Builder) -> str:
    x = net.input("x", (3, 6))
    return net.matmul(net.dense(x, units=4), net.reshape(net.dense(x, units=4), shape=(4, 3)))


@case
def matmul_transposed(net: Builder) -> str:
    x = net.reshape(net.dense(net.input("x", (4, 6)), units=6), shape=(2, 4, 3))
    return net.matmul(x, net.tanh(x), transpose_b=True)


@case
def two_inputs(net: Builder) -> str:
    x = net.dense(net.input("x", (6,)), units=8)
    return net.relu(net.add(x, net.dense(net.input("y", (5,)), units=8)))
