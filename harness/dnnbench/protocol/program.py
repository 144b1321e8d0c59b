"""A workload that a backend has built: the same callables are checked and timed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from .batch import Batch

DeviceBatch = Any
Result = Any
Snapshot = Any


class Program(ABC):
    """One workload on one device in one mode; owns weights, running statistics, optimizer state and a generator.

    Results are nested dictionaries of the framework's own tensors, read through `get`:

        infer       {"outputs": {node: y}, "prediction": p}
        forward     {"outputs": {node: y}, "state": {name: s}}
        loss        forward's and {"loss": L}
        gradients   loss's and {"gradients": {parameter: g}}
        train_step  {"outputs": ..., "loss": L}; the new weights, state and slots stay inside

    Laws: `wait` returns when the device is done; the second call of a phase compiles nothing; only `train_step`, `load` and
    `restore` change weights, state and slots, and only drawing random numbers changes the generator besides; inputs are not
    written to; the same seed gives bitwise the same result on one thread; closing gives the memory back.
    """

    @abstractmethod
    def put(self, batch: Batch) -> DeviceBatch:
        """Copy a batch to the device, in the layout and element type that the program computes in; waits."""

    @abstractmethod
    def infer(self, batch: DeviceBatch) -> Result:
        """Forward pass in inference mode, to the prediction (argmax over the last axis, or the output itself)."""

    @abstractmethod
    def forward(self, batch: DeviceBatch) -> Result:
        """Forward pass in training mode, recording what backpropagation needs."""

    @abstractmethod
    def loss(self, batch: DeviceBatch) -> Result:
        """Forward pass and loss, recording what backpropagation needs."""

    @abstractmethod
    def gradients(self, batch: DeviceBatch) -> Result:
        """Forward pass, loss and backpropagation."""

    @abstractmethod
    def train_step(self, batch: DeviceBatch) -> Result:
        """Forward pass, loss, backpropagation and weight update."""

    @abstractmethod
    def pieces(self, batch: DeviceBatch) -> Mapping[str, Callable[[], Result]]:
        """Parts of a step that run alone: `loss_alone` on stored outputs, `update_alone` on stored gradients.

        Empty where the framework cannot. `update_alone` changes weights and slots.
        """

    @abstractmethod
    def wait(self, result: Result) -> None:
        """Return only when the device has finished `result`."""

    @abstractmethod
    def get(self, result: Result) -> dict[str, np.ndarray]:
        """`result` as NumPy arrays in canonical layouts, keyed `outputs/<node>`, `loss`, `gradients/<parameter>`, ..."""

    @abstractmethod
    def weights(self) -> dict[str, np.ndarray]:
        """Learned arrays by name, canonical layouts, in the element type of the program."""

    @abstractmethod
    def optimizer_state(self) -> dict[str, np.ndarray]:
        """Optimizer slots keyed `<slot>/<parameter>`, slots named as the spec's optimizer names them."""

    @abstractmethod
    def model_state(self) -> dict[str, np.ndarray]:
        """Running statistics by name."""

    @abstractmethod
    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Replace weights and state (canonical names and layouts); the optimizer starts anew at step 1."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """A copy on the device of everything `train_step` changes, the generator included."""

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, which stays good for the next time; waits; compiles nothing after its first call."""

    @abstractmethod
    def activations(self, batch: DeviceBatch) -> dict[str, np.ndarray]:
        """The value of every node in training mode, by node name."""

    @abstractmethod
    def cotangents(self, batch: DeviceBatch) -> dict[str, np.ndarray]:
        """The gradient of the loss with respect to every node's value, by node name; zeros where none flows."""

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a reader of the figures must know; the fairness ledger holds these against the other arms':

            device        really used, as the framework spells it: kind, then ':' and what else there is
            dtype, layout of weights, and of images or sequences
            threads       that the CPU's kernels run on; None where nobody tells
            denormals     "kept" or "flushed to zero", by trial
            donation      where new weights go: "in place", "donated" (into the old ones' memory), "none"
            autotune      "on" where kernels are chosen by timing them, else "off"
            compilations  programs compiled or traced so far, 0 where nothing is

        and whatever else the framework has to say.
        """

    @abstractmethod
    def peak_memory(self) -> int | None:
        """Most bytes held on the device since `build`; None where the framework does not count."""

    def device_seconds(self, work: Callable[[], None]) -> float | None:
        """Seconds by the device's own clock from the start of `work` to its end; None where it shows none beside the host's."""
        return None

    @abstractmethod
    def close(self) -> None:
        """Let go of everything on the device."""
