"""Faults that are common in frameworks and their users' code, one for each convention that an
explanation must name, and those whose part it once named wrongly.
"""

from .fault import OPTIMIZER, PHASE, Fault

COMMON = (
    # products and windows
    Fault(
        "numpy", "conv2d", "dilation on the first axis alone", "conv2d_dilated_same", "first axis"
    ),
    Fault(
        "torch", "conv2d", "dilation on the last axis alone", "conv2d_dilated_same", "last axis"
    ),
    Fault("numpy", "conv2d", "bias rolled over groups", "conv2d_grouped_dilated", "rolled over"),
    Fault("torch", "conv2d", "bias across groups", "conv2d_depthwise_multiplied", "across groups"),
    Fault("numpy", "dense", "products of 8 bits", "dense", "products of 8 bits"),
    Fault("torch", "dense", "products of 11 bits", "dense", "products of 11 bits"),
    Fault("tensorflow", "matmul", "products of 8 bits", "matmul", "products of 8 bits"),
    Fault("numpy", "conv2d", "products of 11 bits", "conv2d_same", "products of 11 bits"),
    Fault("torch", "tanh", "values of 8 bits", "tanh", "8 bits", float32=False),
    Fault("numpy", "embedding", "first id pads", "embedding", "taken for padding"),
    Fault("torch", "embedding", "rare id pads", "embedding_of_rare_ids", "taken for padding"),
    Fault("numpy", "embedding", "rare id pads", "embedding_of_rare_ids", "taken for padding"),
    # attention
    Fault("numpy", "attention", "causal mask off by one", "attention_causal", "off by one"),
    Fault("torch", "attention", "causal mask shows the next", "attention_causal", "off by one"),
    Fault("numpy", "attention", "products of 8 bits", "attention", "products of 8 bits"),
    # normalisations
    Fault("numpy", "layer_norm", "scale left out", "layer_norm", "scale left out"),
    Fault("torch", "rms_norm", "scale left out", "rms_norm", "scale left out"),
    Fault("torch", "layer_norm", "bias left out", "layer_norm", "bias left out"),
    Fault("tensorflow", "group_norm", "bias left out", "group_norm", "bias left out"),
    Fault("numpy", "batch_norm", "variance of an earlier batch", "batch_norm", "earlier batch"),
    Fault("torch", "batch_norm", "mean of an earlier batch", "batch_norm", "earlier batch"),
    Fault("numpy", "dense", "bias left out", "dense", "bias left out"),
    # small errors that are no float32
    Fault("numpy", "tanh", "a ten millionth off", "tanh", "multiplied by", float32=False),
    # optimizers
    Fault("numpy", "momentum", "not carried over", "momentum", "not carried over", **OPTIMIZER),
    Fault("torch", "nesterov", "not carried over", "nesterov", "not carried over", **OPTIMIZER),
    Fault("numpy", "sgd", "decay after the step", "sgd_with_decay", "after the step", **OPTIMIZER),
    Fault("torch", "adamw", "decay after the step", "adamw", "after the step", **OPTIMIZER),
    Fault("numpy", "adamw", "decay after the step", "adamw", "after the step", **OPTIMIZER),
    Fault("numpy", "adam", "steps not counted", "adam", "not counted", **OPTIMIZER),
    Fault("numpy", "adamw", "steps not counted", "adamw", "not counted", **OPTIMIZER),
    Fault("numpy", "adam", "AMSGrad", "adam", "AMSGrad", **OPTIMIZER),
    Fault("jax", "adam", "AMSGrad", "adam", "AMSGrad", **OPTIMIZER),
    Fault("numpy", "sgd", "schedule one behind", "sgd_on_a_schedule", "counted from 0",
          **OPTIMIZER),
    Fault("numpy", "adamw", "schedule one ahead", "adamw_clipped_on_a_schedule",
          "schedule one step ahead", **OPTIMIZER),
    # phases
    Fault("numpy", "train_step", "gradients accumulated", "momentum", "not cleared", **PHASE),
    Fault("torch", "train_step", "gradients accumulated", "sgd", "not cleared", **PHASE),
    Fault("numpy", "train_step", "weights one step behind", "momentum", "one step behind", **PHASE),
    Fault("torch", "train_step", "weights one step behind", "adam", "one step behind", **PHASE),
    Fault("numpy", "infer", "weights one step behind", "momentum", "stale weights", **PHASE),
    Fault("torch", "infer", "weights one step behind", "adam", "stale weights", **PHASE),
    Fault("numpy", "infer", "statistics moved", "batch_norm", "moves running stat", **PHASE),
    Fault("torch", "infer", "statistics moved", "batch_norm", "moves running stat", **PHASE),
    Fault("numpy", "tanh", "at random", "tanh", "at random"),
    Fault("torch", "sigmoid", "at random", "sigmoid", "at random"),
)  # fmt: skip
