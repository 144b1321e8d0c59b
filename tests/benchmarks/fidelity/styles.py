"""Which twins stand beside which arm: a style is how a framework's user writes a network."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module

from .networks import PHASES

WAY = 2e-3


@dataclass(frozen=True)
class Style:
    """A twin's class as `module:Class`, what it is made with, the phases that differ by it, and how
    far its weights may lie from dnnbench's after some steps, of the way that training moved them.
    """

    target: str
    options: tuple[str, ...] = ()
    phases: tuple[str, ...] = PHASES
    way: float = WAY

    def load(self):
        """Import the class."""
        module, _, name = self.target.partition(":")
        return getattr(import_module(f"fidelity.twins.{module}"), name)


TORCH = "torch_training:TorchTwin"
KERAS = "keras_training:KerasTwin"
TENSORFLOW = "tensorflow_training:TensorflowTwin"
JAX = "jax_training:JaxTwin"
KERAS_WAY = 2e-2
"""Keras takes weight decay from the weights, past the momentum."""
FUSED_WAY = 2e-2
"""TensorFlow's fused batch norm and Adam round otherwise."""
STYLES: Mapping[str, Mapping[str, Style]] = {
    "torch:eager": {
        "nn.Module": Style(TORCH),
        "nn.Module, fused optimizer": Style(TORCH, ("fused",), ("train_step",)),
    },
    "torch:compile": {
        "torch.compile": Style(TORCH, ("compiled",)),
        "torch.compile, fused optimizer": Style(TORCH, ("compiled", "fused"), ("train_step",)),
    },
    "tensorflow:graph": {
        "Keras": Style(KERAS, way=KERAS_WAY),
        "Keras fit": Style(KERAS, ("fit",), ("train_step",), KERAS_WAY),
        "tf.nn": Style(TENSORFLOW, way=FUSED_WAY),
    },
    "tensorflow:xla": {
        "Keras": Style(KERAS, ("xla",), way=KERAS_WAY),
        "tf.nn": Style(TENSORFLOW, ("xla",), way=FUSED_WAY),
    },
    "jax:jit": {"plain JAX": Style(JAX)},
}
"""By arm, the twins by the name that the page gives them."""
