"""Which twins stand beside which arm: a style is how a framework's user writes a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec

from .networks import NETWORKS, PHASES

WAY = 2e-3
EXACT_WAY = 1e-6


@dataclass(frozen=True)
class Style:
    """A twin's class as `module:Class`, what it is made with, the phases that differ by it, and how
    far its weights may lie from dnnbench's after some steps, of the way that training moved them.

    exact_way: the same in float64.
    same_kernels: whether it computes with those of dnnbench's program, which round alike.
    own_optimizers: whether its momentum takes weight decay from the weights, past the velocity, and
    its Adam adds epsilon before it corrects the second moment.
    networks: those that are written in it.  needs: a package that dnnbench does not install.
    """

    target: str
    options: tuple[str, ...] = ()
    phases: tuple[str, ...] = PHASES
    way: float = WAY
    exact_way: float = EXACT_WAY
    same_kernels: bool = False
    own_optimizers: bool = False
    networks: tuple[str, ...] = tuple(NETWORKS)
    needs: str = ""

    @property
    def is_there(self) -> bool:
        """Whether what it needs is installed."""
        return not self.needs or find_spec(self.needs) is not None

    def load(self):
        """Import the class."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(f"fidelity.twins.{module}"), name)


TORCH = "torch_training:TorchTwin"
KERAS = "keras_training:KerasTwin"
TENSORFLOW = "tensorflow_training:TensorflowTwin"
JAX = "jax_training:JaxTwin"
FLAX = "flax_training:FlaxTwin"
KERAS_WAY = 1e-5
"""Its Adam takes powers of beta2 from the nearest float32, whatever the weights' type is: at 0.999
a step is 6.4e-6 of itself shorter.
"""
FUSED_WAY = 2e-2
"""TensorFlow's fused batch norm and Adam round otherwise."""
STYLES: Mapping[str, Mapping[str, Style]] = {
    "torch:eager": {
        "nn.Module": Style(TORCH, same_kernels=True),
        "nn.Module, fused optimizer": Style(TORCH, ("fused",), ("train_step",), same_kernels=True),
    },
    "torch:compile": {
        "torch.compile": Style(TORCH, ("compiled",), same_kernels=True),
        "torch.compile, fused optimizer": Style(
            TORCH, ("compiled", "fused"), ("train_step",), same_kernels=True
        ),
    },
    "tensorflow:graph": {
        "Keras": Style(KERAS, exact_way=KERAS_WAY, own_optimizers=True),
        "Keras fit": Style(
            KERAS, ("fit",), ("train_step",), exact_way=KERAS_WAY, own_optimizers=True
        ),
        "tf.nn": Style(TENSORFLOW, way=FUSED_WAY),
    },
    "tensorflow:xla": {
        "Keras": Style(KERAS, ("xla",), exact_way=KERAS_WAY, own_optimizers=True),
        "tf.nn": Style(TENSORFLOW, ("xla",), way=FUSED_WAY),
    },
    "jax:jit": {
        "plain JAX": Style(JAX),
        "Flax NNX": Style(
            FLAX, networks=("mlp", "bert_base", "gpt2_small", "lstm_lm"), needs="flax"
        ),
    },
}
"""By arm, the twins by the name that the page gives them."""


def styles_of(arm: str, network: str) -> dict[str, Style]:
    """The twins that can stand beside an arm's program of a network here."""
    return {
        name: style
        for name, style in STYLES[arm].items()
        if network in style.networks and style.is_there
    }


def versions_of(arm: str) -> dict[str, str]:
    """Of what an arm's twins need besides what dnnbench installs, where it is there."""
    needed = {style.needs for style in STYLES[arm].values() if style.needs and style.is_there}
    return {name: version(name) for name in sorted(needed)}
