"""A network of your own: `dnnbench run examples/net.py:make_net --backend torch,jax`.

A Model learns synthetic data; a Workload also says which data, loss and optimizer
(docs/own_network.md).
"""

from dnnbench import Builder


def make_net():
    """A convolution, an average over the image, ten classes."""
    net = Builder("small_cnn")
    x = net.input("image", (8, 8, 1))  # one example; batches add an axis in front
    x = net.relu(net.conv2d(x, filters=16, kernel=3))  # (N, 8, 8, 16)
    x = net.global_avg_pool(x)  # (N, 16)
    return net.build(net.dense(x, units=10, name="logits"))
