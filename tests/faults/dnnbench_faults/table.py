"""The table of planted faults: one line each.

No two are the same mechanism in the same op, loss or optimizer.
"""

from typing import NamedTuple

BACKENDS = {"numpy": "eager", "torch": "eager", "tensorflow": "eager", "jax": "eager"}
"""The mode in which each is made faulty: the quick one."""


class Fault(NamedTuple):
    """A wrong `mechanism` in `target`, a kind of op, a loss, an optimizer or a phase,
    of one backend.

    case: of `dnnbench.testing.cases`, or of `dnnbench_faults.cases`
    float32: whether the fault exceeds noise there
    known: words of the convention that must be named, empty where none is known
    what: as `Explanation.what`
    part: the op, loss or optimizer that must be named, where it is not the target The fault itself
    is the function called `mode` in `in_<backend>.py`, or the mechanism's in `anywhere.py`.
    """

    backend: str
    target: str
    mechanism: str
    case: str
    known: str
    float32: bool = True
    what: str = "node"
    part: str = ""

    @property
    def named(self) -> str:
        return self.part or self.target

    @property
    def mechanism_name(self) -> str:
        return "".join(c if c.isalnum() else "_" for c in self.mechanism.lower())

    @property
    def mode(self) -> str:
        """Its name on the command line."""
        return f"{self.target}_{self.mechanism_name}"


LOSS, OPTIMIZER, PHASE = {"what": "loss"}, {"what": "optimizer"}, {"what": "phase"}
FAULTS = (
    # convolutions and pools
    Fault("numpy", "conv2d", "padding on the other side", "conv2d_same", "other side"),
    Fault("torch", "conv2d", "symmetric padding", "conv2d_same_strided", "symmetric padding"),
    Fault("numpy", "conv2d", "kernel flipped", "conv2d_same", "kernel flipped"),
    Fault(
        "torch",
        "conv2d",
        "height and width swapped",
        "conv2d_valid_without_bias",
        "height and width swapped",
    ),
    Fault(
        "torch",
        "conv2d",
        "filters across groups",
        "conv2d_depthwise_multiplied",
        "numbered across groups",
    ),
    Fault(
        "tensorflow",
        "conv2d",
        "same in place of numbers",
        "conv2d_symmetric_strided",
        "'same' in place of numbers",
    ),
    Fault("torch", "conv2d", "one border row wrong", "conv2d_same", "last place of axis"),
    Fault(
        "torch",
        "conv2d",
        "dilation of 1 with the padding of 2",
        "conv2d_dilated_same",
        "dilation left out",
    ),
    Fault(
        "tensorflow", "conv1d", "padding on the other side", "conv1d_uneven_padding", "other side"
    ),
    Fault("jax", "conv1d", "bias gradient dropped", "conv1d_same_strided", "left out"),
    Fault(
        "numpy",
        "conv_transpose2d",
        "cut at the other side",
        "conv_transpose2d_overlapping",
        "at the other side",
    ),
    Fault(
        "torch",
        "conv_transpose2d",
        "kernel not flipped",
        "conv_transpose2d_overlapping",
        "kernel flipped",
    ),
    Fault(
        "numpy",
        "max_pool2d",
        "padding with zeros",
        "max_pool2d_overlapping",
        "zeros in place of -inf",
    ),
    Fault("numpy", "max_pool2d", "ties to the last", "tied_pools", ""),
    Fault(
        "tensorflow",
        "avg_pool2d",
        "divisor that counts padding",
        "avg_pool2d_padded",
        "counts padding",
    ),
    Fault("numpy", "global_avg_pool", "sum", "global_avg_pool", "sum over the window"),
    Fault("torch", "global_max_pool", "ties shared", "tied_pools", "shared among equal"),
    Fault(
        "numpy", "adaptive_avg_pool2d", "windows of equal size", "adaptive_avg_pool2d", "equal size"
    ),
    # products and tables
    Fault("torch", "dense", "bias gradient dropped", "dense", "left out"),
    Fault("numpy", "dense", "weight gradient transposed", "shared_weights", ""),
    Fault(
        "torch", "dense", "float32 inside float64", "dense", "float32 inside float64", float32=False
    ),
    Fault("tensorflow", "dense", "stale weights", "dense", "stale weights"),
    Fault("numpy", "matmul", "gradients swapped", "matmul_transposed", ""),
    Fault("numpy", "embedding", "gradient overwritten", "embedding", "overwritten"),
    Fault("torch", "embedding", "ids off by one", "embedding", "ids off by one"),
    Fault("tensorflow", "embedding", "rows scaled", "embedding", "root of their width"),
    Fault(
        "tensorflow",
        "position_embedding",
        "offset left out",
        "position_embedding",
        "offset left out",
    ),
    # normalisations and thinning
    Fault("numpy", "batch_norm", "unbiased variance", "batch_norm", "unbiased variance"),
    Fault(
        "torch",
        "batch_norm",
        "unbiased running variance",
        "batch_norm",
        "unbiased running variance",
    ),
    Fault("tensorflow", "batch_norm", "momentum's meaning", "batch_norm_of_images", "momentum"),
    Fault("torch", "batch_norm", "epsilon 1e-3", "batch_norm", "epsilon 0.001"),
    Fault(
        "torch",
        "batch_norm",
        "running statistics in training",
        "batch_norm",
        "running statistics in place",
    ),
    Fault(
        "numpy",
        "batch_norm",
        "no gradient through statistics",
        "batch_norm",
        "no gradient through mean",
    ),
    Fault("numpy", "layer_norm", "epsilon outside the root", "layer_norm", "epsilon outside"),
    Fault("torch", "layer_norm", "unbiased variance", "layer_norm", "unbiased variance"),
    Fault("torch", "layer_norm", "epsilon 1e-6", "layer_norm", "epsilon 1e-06"),
    Fault(
        "jax",
        "layer_norm",
        "no gradient through statistics",
        "layer_norm",
        "no gradient through mean",
    ),
    Fault("torch", "rms_norm", "mean subtracted", "rms_norm", "mean subtracted"),
    Fault("jax", "rms_norm", "epsilon of the type", "rms_norm", "no epsilon", float32=False),
    Fault("numpy", "group_norm", "groups that stand apart", "group_norm", "stand apart"),
    Fault("tensorflow", "group_norm", "epsilon 1e-3", "group_norm", "epsilon 0.001"),
    Fault("torch", "dropout", "mask's polarity", "dropout", "polarity"),
    Fault("numpy", "dropout", "not rescaled", "dropout", "not divided by 1 - rate"),
    Fault(
        "tensorflow",
        "stochastic_depth",
        "divided by the rate",
        "stochastic_depth",
        "divided by the rate",
    ),
    # recurrent layers and attention
    Fault("numpy", "lstm", "gates i f o g", "lstm", "i, f, o, g"),
    Fault("torch", "lstm", "forget bias raised", "lstm_last", "raised by one"),
    Fault("torch", "lstm", "sequence read backwards", "lstm", "backwards"),
    Fault("numpy", "gru", "reset before", "gru", "reset before"),
    Fault("torch", "gru", "gates r z n", "gru", "r, z, n"),
    Fault("tensorflow", "gru", "z inverted", "gru", "z weighs the new"),
    Fault("torch", "gru", "hidden bias gradient dropped", "gru", "left out"),
    Fault("numpy", "attention", "scale of all features", "attention", "over all features"),
    Fault("torch", "attention", "mask's polarity", "attention_masked", "polarity"),
    Fault("numpy", "attention", "causal mask left out", "attention_causal", "causal mask left out"),
    Fault(
        "torch",
        "attention",
        "causal mask at the first key",
        "attention_after_a_cache",
        "starts at the first key",
    ),
    Fault("torch", "attention", "heads interleaved", "attention", "interleaved"),
    Fault(
        "jax",
        "attention",
        "softmax in float32",
        "attention",
        "float32 inside float64",
        float32=False,
    ),
    # functions of elements
    Fault("jax", "gelu", "tanh", "gelu", "tanh for erf"),
    Fault("numpy", "gelu", "sigmoid", "gelu", "1.702"),
    Fault("jax", "relu", "derivative 1 at zero", "relu_at_zero", "derivative 1 at 0"),
    Fault("tensorflow", "leaky_relu", "slope 0.01", "leaky_relu", "slope 0.01"),
    Fault("torch", "elu", "alpha 1", "elu", "alpha 1"),
    Fault("tensorflow", "relu6", "unbounded", "relu6", "no upper bound"),
    Fault("numpy", "hardswish", "silu", "hardswish", "x sigmoid(x)"),
    Fault("tensorflow", "softmax", "over positions", "softmax_of_sequences", "another axis"),
    Fault("torch", "silu", "NaN in one element", "silu", "not finite"),
    Fault("numpy", "sigmoid", "gradient halved", "sigmoid", "0.5"),
    Fault("torch", "tanh", "answers cached", "tanh", "cached"),
    Fault("jax", "tanh", "float32 inside float64", "tanh", "float32 inside float64", float32=False),
    Fault("tensorflow", "sigmoid", "six millionths off", "sigmoid", "1.00001"),
    Fault("torch", "relu", "input gradient dropped", "relu", "left out"),
    # moving elements
    Fault("numpy", "flatten", "order C H W", "flatten", "C, H, W"),
    Fault("tensorflow", "concat", "other order", "concat", "other order"),
    Fault("jax", "slice", "one place late", "slice_of_a_sequence", "late"),
    Fault("torch", "transpose", "reshape", "transpose", "reshape in place"),
    Fault("numpy", "mul", "gradient of the wrong tensor", "mul", ""),
    Fault("torch", "add", "last input left out", "add", "last input left out"),
    Fault("jax", "mean", "sum", "mean", "sum in place"),
    # losses
    Fault("numpy", "cross_entropy", "missing 1 over N", "dense", "1/N missing", **LOSS),
    Fault(
        "torch",
        "cross_entropy",
        "smoothing left out",
        "cross_entropy_smoothed",
        "no label smoothing",
        **LOSS,
    ),
    Fault(
        "jax",
        "cross_entropy",
        "ignored labels counted",
        "cross_entropy_ignoring",
        "ignored labels counted",
        **LOSS,
    ),
    Fault("torch", "mse", "half", "mse", "half", **LOSS),
    Fault("numpy", "mse", "gradient missing 1 over N", "mse", "1/N missing", **LOSS),
    Fault(
        "torch", "bce_with_logits", "sum within examples", "bce_with_logits", "sum within", **LOSS
    ),
    Fault("numpy", "argmax", "smallest", "dense", "", what="prediction", part="cross_entropy"),
    # optimizers
    Fault("numpy", "sgd", "weights not updated", "sgd", "not updated", **OPTIMIZER),
    Fault("numpy", "sgd", "step off by one", "sgd_on_a_schedule", "one step ahead", **OPTIMIZER),
    Fault(
        "tensorflow",
        "sgd",
        "decay left out",
        "sgd_with_decay",
        "weight decay left out",
        **OPTIMIZER,
    ),
    Fault(
        "numpy",
        "momentum",
        "rate in the velocity",
        "momentum",
        "folded into the velocity",
        **OPTIMIZER,
    ),
    Fault("torch", "momentum", "dampening", "momentum", "dampening", **OPTIMIZER),
    Fault(
        "torch",
        "momentum",
        "1e-6 in the clipping norm",
        "clipped",
        "1e-6 added",
        float32=False,
        **OPTIMIZER,
    ),
    Fault("numpy", "momentum", "clipped one by one", "clipped", "own norm", **OPTIMIZER),
    Fault("numpy", "momentum", "norm of sparse gradients", "clipped_embedding", "", **OPTIMIZER),
    Fault("jax", "momentum", "clipped after decay", "clipped", "after weight decay", **OPTIMIZER),
    Fault("torch", "nesterov", "plain momentum", "nesterov", "plain momentum", **OPTIMIZER),
    Fault("jax", "rmsprop", "epsilon inside the root", "rmsprop", "inside the root", **OPTIMIZER),
    Fault("torch", "rmsprop", "decay 0.99", "rmsprop", "decay 0.99", **OPTIMIZER),
    Fault("numpy", "adam", "no bias correction", "adam", "no bias correction", **OPTIMIZER),
    Fault("numpy", "adam", "step off by one", "adam", "one step ahead", **OPTIMIZER),
    Fault("tensorflow", "adam", "epsilon-hat", "adam", "epsilon-hat", **OPTIMIZER),
    Fault("torch", "adam", "betas swapped", "adam", "swapped", **OPTIMIZER),
    Fault("torch", "adam", "decay decoupled", "adam_with_decay", "decoupled", **OPTIMIZER),
    Fault("torch", "adamw", "decay coupled", "adamw", "coupled", **OPTIMIZER),
    # whole programs
    Fault("torch", "infer", "stale weights", "dense", "stale", **PHASE),
    Fault("numpy", "infer", "answers cached", "dense", "stale", **PHASE),
    Fault(
        "jax",
        "train_step",
        "running statistics not kept",
        "batch_norm",
        "not updated",
        part="batch_norm",
    ),
    Fault(
        "torch", "train_step", "taken twice", "dense", "taken twice", part="momentum", **OPTIMIZER
    ),
)
