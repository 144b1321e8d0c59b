"""Random small networks for hypothesis: a chain of ops with skips,
each op with attributes of its own.
"""

from dnnbench.spec.builder import Builder
from dnnbench.spec.losses import BceWithLogits, CrossEntropy, Mse
from dnnbench.spec.ops import OPS
from dnnbench.spec.optimizers import Sgd
from dnnbench.spec.tensor import Initializer
from dnnbench.spec.workload import Task, Workload
from hypothesis import strategies as st

SHAPES = {1: (6,), 2: (4, 6), 3: (5, 4, 6)}
"""The network's float input, by number of axes."""


class Growing:
    """A network being drawn: the builder, every tensor so far with its shape,
    and hypothesis's draw.
    """

    def __init__(self, draw, rank):
        self.draw, self.net, self.shapes = draw, Builder("random"), {}
        self.now = self.net.input("x", SHAPES[rank])
        self.shapes[self.now] = SHAPES[rank]

    @property
    def shape(self):
        return self.shapes[self.now]

    def apply(self, kind, *inputs, **attributes):
        """Add an op on the newest tensor (or on `inputs`), whose value becomes the newest."""
        inputs = inputs or (self.now,)
        name = getattr(self.net, kind)(*inputs, **attributes)
        self.now = name
        self.shapes[name] = self.net.build(name).types[name].shape
        return name

    def to_rank(self, rank):
        """Reshape the newest tensor to so many axes, keeping the last where it can."""
        shape = self.shape
        if len(shape) == rank:
            return
        if not shape:
            self.apply("reshape", shape=(1,) * rank)
        elif len(shape) > rank:
            head = 1
            for size in shape[: len(shape) - rank + 1]:
                head *= size
            self.apply("reshape", shape=(head, *shape[len(shape) - rank + 1 :]))
        else:
            self.apply("reshape", shape=(*(1,) * (rank - len(shape)), *shape))

    def number(self, low, high):
        return self.draw(st.integers(low, high))

    def one_of(self, *values):
        return self.draw(st.sampled_from(values))

    def even_channels(self):
        """Give the last axis a size that two, three and six divide."""
        self.apply("dense" if len(self.shape) < 3 else "conv2d", **self._six())

    def _six(self):
        return {"units": 6} if len(self.shape) < 3 else {"filters": 6, "kernel": (1, 1)}


def _window(g, places):
    return tuple(g.number(1, min(3, size)) for size in places)


def dense(g):
    if len(g.shape) != 1:
        g.to_rank(2)
    g.apply(
        "dense", units=g.number(2, 7), bias=g.draw(st.booleans()), transposed=g.draw(st.booleans())
    )


def matmul(g):
    g.to_rank(2)
    left, transpose = g.now, g.draw(st.booleans())
    other = g.apply("tanh", left) if transpose else g.apply("transpose", left, axes=(1, 0))
    g.apply("matmul", left, other, transpose_b=transpose)


def conv1d(g):
    g.to_rank(2)
    groups = g.one_of(1, 2)
    g.even_channels()
    g.apply(
        "conv1d", filters=2 * g.number(1, 3), kernel=g.number(1, 3), strides=g.number(1, 2),
        dilation=g.number(1, 2), groups=groups, padding=g.one_of("same", (2, 2), (4, 3)),
        bias=g.draw(st.booleans()),
    )  # fmt: skip


def conv2d(g):
    g.to_rank(3)
    g.even_channels()
    groups = g.one_of(1, 2, 6)
    g.apply(
        "conv2d", filters=groups * g.number(1, 2), kernel=(g.number(1, 3), g.number(1, 3)),
        groups=groups, strides=(g.number(1, 2), g.number(1, 2)),
        dilation=(g.number(1, 2), g.number(1, 2)),
        padding=g.one_of("same", ((2, 2), (2, 2)), ((4, 2), (3, 4))), bias=g.draw(st.booleans()),
    )  # fmt: skip


def conv_transpose2d(g):
    g.to_rank(3)
    stride = (g.number(1, 2), g.number(1, 2))
    extra = tuple(g.number(0, s - 1) for s in stride)
    g.apply(
        "conv_transpose2d", filters=g.number(1, 3), kernel=(g.number(2, 3), g.number(2, 3)),
        strides=stride, output_padding=extra,
        padding=g.one_of("valid", ((0, 1), (0, 0)), ((0, 0), (1, 0))), bias=g.draw(st.booleans()),
    )  # fmt: skip


def _pool(kind, **more):
    def add(g):
        g.to_rank(3)
        window = _window(g, g.shape[:2])
        half = tuple((g.number(0, (k - 1)), g.number(0, k - 1)) for k in window)
        padding = g.one_of("valid", half)
        flags = {name: g.draw(st.booleans()) for name in more}
        g.apply(
            kind, window=window, strides=(g.number(1, 2), g.number(1, 2)), padding=padding, **flags
        )

    return add


def _of_rank(kind, rank, **attributes):
    """An op whose input has `rank` axes (None: any but zero), with attributes drawn
    from the values given.
    """

    def add(g):
        g.to_rank(rank or max(len(g.shape), 1))
        g.apply(kind, **{name: g.one_of(*values) for name, values in attributes.items()})

    return add


def _normalised(kind, **attributes):
    """Two channels at least, so that there is a deviation."""

    def add(g):
        g.to_rank(max(len(g.shape), 1))
        g.even_channels()
        g.apply(kind, **{name: g.one_of(*values) for name, values in attributes.items()})

    return add


def adaptive_avg_pool2d(g):
    g.to_rank(3)
    g.apply("adaptive_avg_pool2d", size=(g.number(1, 4), g.number(1, 4)))


def transpose(g):
    g.to_rank(g.one_of(2, 3))
    g.apply("transpose", axes=tuple(g.draw(st.permutations(range(len(g.shape))))))


def reshape(g):
    g.to_rank(g.one_of(*(rank for rank in (1, 2, 3) if rank != len(g.shape))))


def slice(g):
    g.to_rank(max(len(g.shape), 1))
    axis = g.number(0, len(g.shape) - 1)
    start = g.number(0, g.shape[axis] - 1)
    g.apply("slice", axis=axis, start=start, stop=g.number(start + 1, g.shape[axis]))


def mean(g):
    g.to_rank(g.one_of(2, 3))
    g.apply("mean", axes=(g.number(0, len(g.shape) - 1),))


def concat(g):
    g.to_rank(max(len(g.shape), 1))
    axis = g.number(-1, len(g.shape) - 1)
    constant = g.net.constant(
        f"constant{len(g.shapes)}", g.shape, Initializer(kind="uniform", bound=1.0)
    )
    g.apply("concat", g.now, g.one_of(constant, g.net.sigmoid(g.now)), axis=axis)


def _with_another(kind):
    """Another tensor of the same shape if there is one, a constant of the last axis, or itself."""

    def add(g):
        g.to_rank(max(len(g.shape), 1))
        constant = g.net.constant(
            f"constant{len(g.shapes)}", g.shape[-1:], Initializer(kind="uniform", bound=1.0)
        )
        alike = [name for name, shape in g.shapes.items() if shape == g.shape]
        g.apply(kind, g.now, g.one_of(constant, *alike))

    return add


def _looked_up(g):
    ids = g.net.input(f"ids{len(g.shapes)}", (3,), "int32")
    return g.apply("embedding", ids, vocabulary=5, features=6)


def embedding(g):
    before = g.now
    g.to_rank(1)
    flat = g.apply("dense", units=6)
    rows = g.apply("reshape", flat, shape=(1, 6))
    g.apply("add", _looked_up(g), rows)
    assert before in g.shapes


def position_embedding(g):
    g.to_rank(2)
    offset = g.number(0, 2)
    g.apply("position_embedding", positions=g.shape[0] + offset + 1, offset=offset)


def _recurrent(kind):
    def add(g):
        g.to_rank(2)
        g.apply(kind, units=g.number(2, 4), sequences=g.draw(st.booleans()))

    return add


def attention(g):
    g.to_rank(2)
    x, heads = g.now, g.one_of(1, 2, 3)
    parts = [g.apply("dense", x, units=6) for _ in range(3)]
    masks = (
        [g.net.input(f"mask{len(g.shapes)}", g.shape[:1], "bool")] if g.draw(st.booleans()) else []
    )
    g.apply("attention", *parts, *masks, heads=heads, causal=g.draw(st.booleans()))


GROW = {
    "dense": dense,
    "matmul": matmul,
    "conv1d": conv1d,
    "conv2d": conv2d,
    "conv_transpose2d": conv_transpose2d,
    "max_pool2d": _pool("max_pool2d"),
    "avg_pool2d": _pool("avg_pool2d", count_include_pad=True),
    "global_avg_pool": _of_rank("global_avg_pool", 3),
    "global_max_pool": _of_rank("global_max_pool", 3),
    "adaptive_avg_pool2d": adaptive_avg_pool2d,
    "flatten": _of_rank("flatten", None),
    "reshape": reshape,
    "transpose": transpose,
    "slice": slice,
    "concat": concat,
    "mean": mean,
    **{
        kind: _of_rank(kind, None)
        for kind in ("relu", "relu6", "silu", "hardswish", "sigmoid", "tanh", "softmax")
    },
    "leaky_relu": _of_rank("leaky_relu", None, slope=(0.01, 0.3)),
    "elu": _of_rank("elu", None, alpha=(0.5, 1.0)),
    "gelu": _of_rank("gelu", None, approximation=("erf", "tanh")),
    "add": _with_another("add"),
    "mul": _with_another("mul"),
    "dropout": _of_rank("dropout", None, rate=(0.2, 0.5)),
    "stochastic_depth": _of_rank("stochastic_depth", None, rate=(0.2, 0.5)),
    "batch_norm": _normalised("batch_norm", unbiased=(True, False), momentum=(0.9, 0.5)),
    "layer_norm": _normalised("layer_norm", epsilon=(1e-5, 1e-2)),
    "rms_norm": _normalised("rms_norm"),
    "group_norm": _normalised("group_norm", groups=(1, 2, 3)),
    "embedding": embedding,
    "position_embedding": position_embedding,
    "lstm": _recurrent("lstm"),
    "gru": _recurrent("gru"),
    "attention": attention,
}
"""How each kind of op is added to a growing network."""


@st.composite
def workloads(draw, kind):
    """A Workload of up to five ops, `kind` among them, that ends in a dense of five."""
    g = Growing(draw, draw(st.sampled_from(list(SHAPES))))
    g.to_rank(max(len(g.shape), 1))
    before = draw(st.lists(st.sampled_from(list(OPS)), max_size=2))
    after = draw(st.lists(st.sampled_from(list(OPS)), max_size=2))
    for each in (*before, kind, *after):
        GROW[each](g)
    model = g.net.build(g.net.dense(g.net.flatten(g.now), units=5, name="logits"))
    loss = draw(
        st.sampled_from([CrossEntropy(), CrossEntropy(smoothing=0.1), BceWithLogits(), Mse()])
    )
    task = Task(loss=loss, optimizer=Sgd(), metric="loss")
    return Workload(name="random", model=model, task=task, batch_size=4)
