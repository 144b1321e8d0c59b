"""Matrix products and tables."""

from .registry import case


@case
def dense(net):
    return net.dense(net.input("x", (6,)), units=8)


@case
def dense_without_bias(net):
    return net.dense(net.input("x", (6,)), units=8, bias=False)


@case
def dense_on_sequences(net):
    return net.dense(net.input("x", (3, 6)), units=4)


@case
def dense_transposed(net):
    return net.dense(net.tanh(net.dense(net.input("x", (3, 6)), units=4)), units=5, transposed=True)


@case
def shared_weights(net):
    x = net.tanh(net.dense(net.input("x", (6,)), units=6, name="first"))
    return net.dense(x, units=6, name="second", share={"weight": "first.weight"})


@case
def tied_embedding(net):
    """One table, looked up and multiplied by: its gradient comes from both uses."""
    x = net.tanh(
        net.embedding(net.input("ids", (4,), "int32"), vocabulary=7, features=3, name="table")
    )
    return net.dense(x, units=7, bias=False, transposed=True, share={"weight": "table.weight"})


@case
def embedding(net):
    return net.embedding(net.input("ids", (5,), "int32"), vocabulary=4, features=3)


@case
def embedding_of_one_id(net):
    return net.embedding(net.input("id", (), "int32"), vocabulary=3, features=4)


@case
def position_embedding(net):
    return net.position_embedding(net.dense(net.input("x", (3, 4)), units=4), positions=6, offset=2)


@case
def matmul(net):
    x = net.input("x", (3, 6))
    return net.matmul(net.dense(x, units=4), net.reshape(net.dense(x, units=4), shape=(4, 3)))


@case
def matmul_transposed(net):
    x = net.reshape(net.dense(net.input("x", (4, 6)), units=6), shape=(2, 4, 3))
    return net.matmul(x, net.tanh(x), transpose_b=True)


@case
def two_inputs(net):
    x = net.dense(net.input("x", (6,)), units=8)
    return net.relu(net.add(x, net.dense(net.input("y", (5,)), units=8)))
