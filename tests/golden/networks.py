"""Small networks of one op each, written as a workload file would hold them,
and the numbers they are fed.
"""

import random
from math import prod

EXAMPLES = 2
GOLDEN: dict[str, dict[str, dict]] = {}
"""Family -> name -> what is asked; `nudge` says from which side kinks are approached."""


def numbers(name, shape, low=-2, high=2):
    """Seeded multiples of 1/64, which float32 holds exactly."""
    draw = random.Random(name)
    return nested([draw.randrange(low * 64, high * 64 + 1) / 64 for _ in range(prod(shape))], shape)


def nested(flat, shape):
    """A flat list in axes."""
    if not shape:
        return flat[0]
    step = len(flat) // shape[0]
    return [nested(flat[i * step : (i + 1) * step], shape[1:]) for i in range(shape[0])]


def shape_of(lists):
    """The axes of nested lists."""
    return [len(lists), *shape_of(lists[0])] if isinstance(lists, list) else []


def zeros(shape):
    return nested([0.0] * prod(shape), shape)


def golden(family, name, kind, *shapes, out, values=None, ids=None, seen=None, constants=(),
           order=None, parameters=None, state=None, nudge=0, **attributes):  # fmt: skip
    """Register a network: each input goes through an addition of zero, at which its gradient can be
    read, to one op.

    shapes: of one example of each input
    out: of one example of the result
    values: the first input's numbers
    ids: vocabulary of an integer input, which is not added to
    seen: a boolean last input
    constants: shapes of learned constants that follow the inputs
    order: of the op's arguments, if another
    """
    fed = {
        f"x{i}": numbers(f"{name}.x{i}", (EXAMPLES, *shape)) for i, shape in enumerate(shapes, 1)
    }
    if ids:
        looked_up = [
            random.Random(f"{name}.{i}").randrange(ids) for i in range(EXAMPLES * prod(shapes[0]))
        ]
        fed["x1"] = nested(looked_up, (EXAMPLES, *shapes[0]))
    if values is not None:
        fed["x1"] = values
    added = {} if ids else {f"{x}_zero": zeros(shape_of(array)[1:]) for x, array in fed.items()}
    fixed = {f"c{i}": numbers(f"{name}.c{i}", shape) for i, shape in enumerate(constants, 1)}
    arguments = [*(fed if ids else (f"{x}_read" for x in fed)), *fixed]
    if seen:
        fed["seen"] = seen
        arguments.append("seen")
    learned = {
        f"y.{role}": numbers(f"{name}.{role}", shape, -1, 1)
        for role, shape in (parameters or {}).items()
    }
    kept = {
        f"y.{role}": numbers(f"{name}.{role}", shape, 1, 3) for role, shape in (state or {}).items()
    }
    op = {"kind": kind, **attributes}
    GOLDEN.setdefault(family, {})[name] = {
        "workload": {
            "name": name,
            "model": {
                "name": name,
                "inputs": [_input(x, array) for x, array in fed.items()],
                "constants": [
                    {"name": c, "shape": shape_of(array)} for c, array in (added | fixed).items()
                ],
                "nodes": [
                    *(
                        {"name": f"{z[:-5]}_read", "op": {"kind": "add"}, "inputs": [z[:-5], z]}
                        for z in added
                    ),
                    {
                        "name": "y",
                        "op": op,
                        "inputs": [arguments[i] for i in order or range(len(arguments))],
                    },
                ],
                "outputs": ["y"],
            },
            "task": {"loss": {"kind": "mse"}, "optimizer": {"kind": "sgd"}, "metric": "loss"},
            "batch_size": EXAMPLES,
        },
        "state": list(kept),
        "weights": added | fixed | learned | kept,
        "batch": {
            "inputs": fed,
            "targets": numbers(f"{name}.t", (EXAMPLES, *out)),
            "masks": _masks(name, kind, shapes),
        },
        "nudge": nudge,
    }


def _input(name, array):
    kinds = {bool: "bool", int: "int32", float: "float"}
    first = array
    while isinstance(first, list):
        first = first[0]
    return {"name": name, "shape": shape_of(array)[1:], "dtype": kinds[type(first)]}


def _masks(name, kind, shapes):
    """What thinning keeps: single elements, or whole examples."""
    axes = {"dropout": (EXAMPLES, *shapes[0]), "stochastic_depth": (EXAMPLES,)}.get(kind)
    if axes is None:
        return {}
    draw = random.Random(name)
    return {"y": nested([float(draw.random() < 0.6) for _ in range(prod(axes))], axes)}


def layers():
    """Products and tables."""
    g = lambda *a, **k: golden("dense", *a, **k)  # noqa: E731
    g("dense", "dense", (3,), out=(2,), units=2, parameters={"weight": (3, 2), "bias": (2,)})
    g(
        "dense_without_bias",
        "dense",
        (3,),
        out=(2,),
        units=2,
        bias=False,
        parameters={"weight": (3, 2)},
    )
    g(
        "dense_on_sequences",
        "dense",
        (2, 3),
        out=(2, 2),
        units=2,
        parameters={"weight": (3, 2), "bias": (2,)},
    )
    g("dense_transposed", "dense", (3,), out=(2,), units=2, transposed=True,
      parameters={"weight": (2, 3), "bias": (2,)})  # fmt: skip
    g("matmul", "matmul", (2, 3), (3, 2), out=(2, 2))
    g(
        "matmul_of_stacks_transposed",
        "matmul",
        (2, 2, 3),
        (2, 1, 3),
        out=(2, 2, 1),
        transpose_b=True,
    )
    g(
        "embedding",
        "embedding",
        (3,),
        out=(3, 2),
        ids=3,
        vocabulary=3,
        features=2,
        parameters={"weight": (3, 2)},
    )
    g("position_embedding", "position_embedding", (2, 3), out=(2, 3), positions=5, offset=2,
      parameters={"weight": (5, 3)})  # fmt: skip


def convolutions():
    def conv(name, shape, out, kernel, filters, reads, **attributes):
        parameters = {"weight": (*kernel, reads, filters), "bias": (filters,)}
        if attributes.get("bias") is False:
            del parameters["bias"]
        golden("convolutions", name, "conv2d", shape, out=out, kernel=list(kernel), filters=filters,
               parameters=parameters, **attributes)  # fmt: skip

    conv("conv2d_same", (3, 4, 2), (3, 4, 2), (3, 2), 2, 2)
    conv("conv2d_same_strided", (4, 4, 1), (2, 2, 2), (3, 3), 2, 1, strides=[2, 2], bias=False)
    conv(
        "conv2d_uneven",
        (3, 4, 1),
        (2, 5, 2),
        (3, 2),
        2,
        1,
        strides=[2, 1],
        padding=[[2, 0], [0, 2]],
    )
    conv("conv2d_dilated", (5, 4, 1), (3, 1, 2), (2, 2), 2, 1, dilation=[2, 3], padding="valid")
    conv("conv2d_grouped", (3, 3, 4), (3, 3, 4), (2, 2), 4, 2, groups=2)
    conv("conv2d_depthwise_multiplied", (3, 3, 2), (3, 3, 4), (2, 2), 4, 1, groups=2)
    g = lambda *a, **k: golden("convolutions", *a, **k)  # noqa: E731
    g("conv1d_strided", "conv1d", (6, 2), out=(3, 2), filters=2, kernel=3, strides=2,
      parameters={"weight": (3, 2, 2), "bias": (2,)})  # fmt: skip
    g("conv1d_uneven_dilated", "conv1d", (5, 2), out=(3, 2), filters=2, kernel=3, dilation=2,
      padding=[2, 0], groups=2, bias=False, parameters={"weight": (3, 1, 2)})  # fmt: skip
    g("conv_transpose2d", "conv_transpose2d", (2, 3, 2), out=(4, 6, 2), filters=2, kernel=[2, 2],
      strides=[2, 2], parameters={"weight": (2, 2, 2, 2), "bias": (2,)})  # fmt: skip
    g("conv_transpose2d_cut", "conv_transpose2d", (2, 3, 1), out=(5, 6, 2), filters=2,
      kernel=[3, 3], strides=[2, 2], padding=[[1, 0], [0, 1]], output_padding=[1, 0], bias=False,
      parameters={"weight": (3, 3, 2, 1)})  # fmt: skip
    g("conv_transpose2d_dilated", "conv_transpose2d", (2, 3, 1), out=(4, 4, 1), filters=1,
      kernel=[2, 3], strides=[1, 1], dilation=[3, 1], padding=[[0, 1], [1, 0]],
      parameters={"weight": (2, 3, 1, 1), "bias": (1,)})  # fmt: skip


def pools():
    g = lambda *a, **k: golden("pools", *a, **k)  # noqa: E731
    wide = {"window": [3, 3], "strides": [2, 2], "padding": [[1, 1], [0, 1]]}
    g("max_pool2d", "max_pool2d", (4, 4, 2), out=(2, 2, 2), window=[2, 2])
    g("max_pool2d_overlapping", "max_pool2d", (4, 4, 1), out=(2, 2, 1), **wide)
    g(
        "max_pool2d_same",
        "max_pool2d",
        (3, 4, 1),
        out=(2, 2, 1),
        window=[2, 3],
        strides=[2, 2],
        padding="same",
    )
    tied = [[[[1.0], [1.0]], [[0.5], [1.0]]], [[[-1.0], [-1.0]], [[-1.0], [-2.0]]]]
    g(
        "max_pool2d_tied",
        "max_pool2d",
        (2, 2, 1),
        out=(1, 1, 1),
        window=[2, 2],
        values=tied,
        nudge="first",
    )
    g("avg_pool2d", "avg_pool2d", (4, 4, 1), out=(2, 2, 1), **wide)
    g(
        "avg_pool2d_counting_padding",
        "avg_pool2d",
        (4, 4, 1),
        out=(2, 2, 1),
        count_include_pad=True,
        **wide,
    )
    g("global_avg_pool", "global_avg_pool", (3, 2, 2), out=(2,))
    g("global_max_pool", "global_max_pool", (3, 2, 2), out=(2,))
    g("global_max_pool_tied", "global_max_pool", (2, 2, 1), out=(1,), values=tied, nudge="first")
    g("adaptive_avg_pool2d", "adaptive_avg_pool2d", (5, 4, 1), out=(3, 2, 1), size=[3, 2])
    g("adaptive_avg_pool2d_growing", "adaptive_avg_pool2d", (2, 3, 1), out=(3, 3, 1), size=[3, 3])


def activations():
    g = lambda *a, **k: golden("activations", *a, **k)  # noqa: E731
    wide = numbers("wide", (EXAMPLES, 8), -9, 9)
    for kind in (
        "relu",
        "relu6",
        "leaky_relu",
        "elu",
        "gelu",
        "silu",
        "hardswish",
        "sigmoid",
        "tanh",
    ):
        g(kind, kind, (8,), out=(8,), values=wide)
    g("leaky_relu_given_slope", "leaky_relu", (8,), out=(8,), values=wide, slope=0.2)
    g("elu_given_alpha", "elu", (8,), out=(8,), values=wide, alpha=0.7)
    g("gelu_of_tanh", "gelu", (8,), out=(8,), approximation="tanh")
    g("softmax", "softmax", (4,), out=(4,))
    g(
        "softmax_of_sequences",
        "softmax",
        (2, 3),
        out=(2, 3),
        values=numbers("hot", (EXAMPLES, 2, 3), -30, 30),
    )
    kinks = [("relu", 0.0, "below"), ("relu6", 0.0, "below"), ("relu6", 6.0, "above"),
             ("leaky_relu", 0.0, "below"), ("hardswish", -3.0, "below"),
             ("hardswish", 3.0, "above")]  # fmt: skip
    for kind, kink, side in kinks:
        name = f"{kind}_at_{kink:g}".replace("-", "minus_")
        g(name, kind, (2,), out=(2,), values=[[kink, kink + 1], [kink - 1, kink]], nudge=side)


def shapes():
    g = lambda *a, **k: golden("shapes", *a, **k)  # noqa: E731
    g("flatten", "flatten", (2, 3, 2), out=(12,))
    g("reshape", "reshape", (2, 3, 2), out=(4, 3), shape=[4, 3])
    g("transpose", "transpose", (2, 3, 2), out=(2, 2, 3), axes=[2, 0, 1])
    g("slice", "slice", (4, 2), out=(2, 2), start=1, stop=3)
    g("slice_of_the_last_axis", "slice", (2, 2, 3), out=(2, 2, 2), axis=-1, start=1)
    g("concat", "concat", (2, 2), (2, 3), out=(2, 5))
    g(
        "concat_behind_a_constant",
        "concat",
        (2, 2),
        out=(3, 2),
        axis=0,
        constants=[(1, 2)],
        order=[1, 0],
    )
    g("mean", "mean", (3, 2), out=(2,), axes=[0])
    g("mean_of_two_axes", "mean", (2, 3, 2), out=(3,), axes=[0, -1])
    g("add", "add", (2, 3), (1, 3), out=(2, 3), constants=[(3,)])
    g("mul", "mul", (2, 3), (2, 1), out=(2, 3), constants=[(2, 3)])
    g("dropout", "dropout", (6,), out=(6,), rate=0.25)
    g("stochastic_depth", "stochastic_depth", (3,), out=(3,), rate=0.4)


def norms():
    g = lambda *a, **k: golden("norms", *a, **k)  # noqa: E731
    affine = {"scale": (2,), "bias": (2,)}
    running = {"mean": (2,), "variance": (2,)}
    g("batch_norm", "batch_norm", (2,), out=(2,), parameters=affine, state=running)
    g("batch_norm_of_images", "batch_norm", (2, 2, 2), out=(2, 2, 2), parameters=affine,
      state=running, epsilon=1e-3, momentum=0.8)  # fmt: skip
    g(
        "batch_norm_unbiased",
        "batch_norm",
        (3, 2),
        out=(3, 2),
        parameters=affine,
        state=running,
        unbiased=True,
    )
    g("layer_norm", "layer_norm", (2, 3), out=(2, 3), parameters={"scale": (3,), "bias": (3,)})
    far = numbers("far", (EXAMPLES, 3), 99, 101)
    g(
        "layer_norm_far_from_zero",
        "layer_norm",
        (3,),
        out=(3,),
        values=far,
        parameters={"scale": (3,), "bias": (3,)},
    )
    g("rms_norm", "rms_norm", (2, 3), out=(2, 3), parameters={"scale": (3,)}, epsilon=1e-2)
    g(
        "group_norm",
        "group_norm",
        (2, 2, 4),
        out=(2, 2, 4),
        groups=2,
        parameters={"scale": (4,), "bias": (4,)},
    )


def sequences():
    g = lambda *a, **k: golden("sequences", *a, **k)  # noqa: E731

    def gates(count, reads, units):
        wide = count * units
        return {"weight": (reads, wide), "recurrent": (units, wide), "bias": (wide,)}

    g("lstm", "lstm", (3, 2), out=(3, 2), units=2, parameters=gates(4, 2, 2))
    g(
        "lstm_from_a_state",
        "lstm",
        (2, 2),
        (2,),
        (2,),
        out=(2,),
        units=2,
        sequences=False,
        parameters=gates(4, 2, 2),
    )
    g("gru", "gru", (3, 2), out=(3, 2), units=2, parameters={**gates(3, 2, 2), "hidden_bias": (2,)})
    g("gru_from_a_state", "gru", (2, 2), (2,), out=(2,), units=2, sequences=False,
      parameters={**gates(3, 2, 2), "hidden_bias": (2,)})  # fmt: skip
    g("attention", "attention", (3, 4), (2, 4), (2, 4), out=(3, 4), heads=2)
    g("attention_causal", "attention", (3, 4), (3, 4), (3, 4), out=(3, 4), heads=1, causal=True)
    g(
        "attention_after_a_cache",
        "attention",
        (2, 2),
        (4, 2),
        (4, 2),
        out=(2, 2),
        heads=2,
        causal=True,
    )
    g("attention_masked", "attention", (2, 2), (3, 2), (3, 2), out=(2, 2), heads=1,
      seen=[[True, False, True], [False, True, True]])  # fmt: skip
    g("attention_masked_for_each_query", "attention", (2, 2), (2, 2), (2, 2), out=(2, 2), heads=1,
      seen=[[[True, False], [True, True]], [[False, True], [True, False]]])  # fmt: skip


def scored(name, loss, shape, targets):
    """A dense layer without an op behind it, under one loss."""
    golden(
        "losses",
        name,
        "dense",
        shape,
        out=(),
        units=3,
        parameters={"weight": (shape[-1], 3), "bias": (3,)},
    )
    case = GOLDEN["losses"][name]
    case["workload"]["task"]["loss"] = loss
    case["batch"]["targets"] = targets


def losses():
    scored("mse", {"kind": "mse"}, (2,), numbers("mse.t", (EXAMPLES, 3)))
    scored(
        "bce_with_logits", {"kind": "bce_with_logits"}, (2,), [[1.0, 0.0, 1.0], [0.0, 0.25, 1.0]]
    )
    scored("cross_entropy", {"kind": "cross_entropy"}, (2,), [2, 0])
    scored("cross_entropy_smoothed", {"kind": "cross_entropy", "smoothing": 0.1}, (2,), [1, 1])
    ignoring = {"kind": "cross_entropy", "ignored": -1, "smoothing": 0.25}
    scored("cross_entropy_ignoring", ignoring, (3, 2), [[0, -1, 2], [-1, -1, 1]])


def optimizers():
    plain = {"learning_rate": 0.25, "weight_decay": 0.0}
    decayed = plain | {"weight_decay": 0.125}
    ball, adam = {"momentum": 0.75}, {"beta1": 0.75, "beta2": 0.875, "epsilon": 1e-3}
    square = {"decay": 0.75, "epsilon": 1e-3}
    ramp = {"warmup": 2, "steps": 4, "floor": 0.125}
    table = {
        "sgd": {"kind": "sgd", **plain},
        "sgd_decayed": {"kind": "sgd", **decayed},
        "sgd_clipped": {"kind": "sgd", **decayed, "clip_norm": 0.5},
        "sgd_below_the_clip": {"kind": "sgd", **plain, "clip_norm": 1000.0},
        "sgd_on_a_schedule": {"kind": "sgd", **plain, "schedule": ramp},
        "momentum": {"kind": "momentum", **plain, **ball},
        "momentum_decayed": {"kind": "momentum", **decayed, **ball},
        "nesterov": {"kind": "nesterov", **decayed, **ball},
        "rmsprop": {"kind": "rmsprop", **decayed, **square},
        "adam": {"kind": "adam", **plain, **adam},
        "adam_decayed_clipped": {"kind": "adam", **decayed, **adam, "clip_norm": 0.5},
        "adamw": {"kind": "adamw", **decayed, **adam, "schedule": ramp},
    }
    for name, optimizer in table.items():
        golden(
            "optimizers",
            name,
            "dense",
            (2,),
            out=(1,),
            units=1,
            parameters={"weight": (2, 1), "bias": (1,)},
        )
        case = GOLDEN["optimizers"][name]
        case["workload"]["task"]["optimizer"] = optimizer
        case["steps"] = [
            {
                "x1": numbers(f"step.{t}.x", (EXAMPLES, 2)),
                "targets": numbers(f"step.{t}.t", (EXAMPLES, 1)),
            }
            for t in range(1, 6)
        ]


for register in (
    layers,
    convolutions,
    pools,
    activations,
    shapes,
    norms,
    sequences,
    losses,
    optimizers,
):
    register()
