"""A workload that a backend has built: the same callables are checked and timed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Generic, TypeGuard, TypeVar

import numpy as np

from ..spec.phases import Phase
from .batch import Batch
from .figures import Figure
from .profile import Profile

Placed = TypeVar("Placed")
"""A batch on the device: whatever `put` gives and the phases take."""
Result = TypeVar("Result")
"""What a phase gives: whatever `wait` and `get` take."""
Snapshot = TypeVar("Snapshot")
"""What `snapshot` gives and `restore` takes."""


class InferenceProgram(ABC, Generic[Placed, Result]):
    """One workload on one device in one mode, which answers.

    It owns the weights and the running statistics.

    Laws: `wait` returns when the device is done; the second call of a phase compiles nothing;
    `infer` changes nothing that another call can tell; batches are not written to;
    the same seed gives bitwise the same result on one thread; closing gives the memory back.

    Lifetimes: a placed batch serves any number of calls, in any order, until `close`.
    A result must be readable by `get` until the program's next call;
    `wait` may come later, as throughput is timed by k calls and then k waits.
    Arrays that `get` and `weights` give are copies, and the caller's for good.
    """

    @abstractmethod
    def put(self, batch: Batch) -> Placed:
        """Copy a batch to the device, in the layout and element type that the program computes in.

        Waits.

        The caller's arrays stay the caller's: what becomes of them later does not reach the device.
        """

    @abstractmethod
    def infer(self, batch: Placed) -> Result:
        """Forward pass in inference mode: every output of the model, and the prediction.

        Through `get`: `outputs/<node>` for each name of `model.outputs`, and `prediction`,
        made on the device as part of the timed call from the first output z
        as `workload.task.loss.prediction` says:

            argmax     index of the largest of the last axis, the first of equals, an integer:
                       (N, ...) of z (N, ..., K)
            positive   1 where z > 0, else 0: the shape of z, an integer
            identity   z itself

        Random ops pass their input on; batch_norm reads its running statistics.
        """

    @abstractmethod
    def wait(self, result: Result) -> None:
        """Return only when the device has finished `result`, and what the call changed besides."""

    @abstractmethod
    def get(self, result: Result) -> dict[str, np.ndarray]:
        """`result` as NumPy arrays in canonical layouts, keyed `outputs/<node>`,
        `prediction`, `loss`, ...

        float64 and float32 as they are; what NumPy has not, such as bfloat16, as float32,
        which holds it exactly.
        """

    @abstractmethod
    def weights(self) -> dict[str, np.ndarray]:
        """Learned arrays by the names of `model.parameters`, canonical layouts,
        in the type that weights are kept in.
        """

    @abstractmethod
    def load(self, weights: Mapping[str, np.ndarray]) -> None:
        """Replace weights and running statistics, by name in canonical layouts.

        The next `infer` reads them.

        weights: every name of `model.parameters` and `model.state`.
        An optimizer starts anew at step 1.
        """

    @abstractmethod
    def facts(self) -> dict[str, Any]:
        """What a reader of the figures must know.

        The fairness audit holds these against the other arms':

            device        really used, as the framework spells it: kind, then ':' and what else
                          there is
            dtype, layout of weights, and of images or sequences
            threads       that the CPU's kernels run on; None where unknown
            denormals     "kept" or "flushed to zero", by trial: whether half of the smallest
                          normal number is above 0
            donation      where new weights go: "in place", "donated" (into the old ones' memory),
                          "none"
            autotune      "on" where kernels are chosen by timing them, else "off"
            compilations  programs compiled or traced so far, 0 where nothing is: each function
                          for each set of shapes counts 1, whatever it is for. Only growth is read:
                          what grows after a phase's first calls is a compilation inside a timed
                          visit, and shown beside the time

        and whatever else the framework has to say, as texts, numbers and booleans.
        """

    @abstractmethod
    def peak_memory(self) -> int | None:
        """Most bytes held on the device since `build`; None where the framework does not count."""

    def device_seconds(self, work: Callable[[], None]) -> float | None:
        """Seconds by the device's own clock from the start of `work` to its end.

        None where it shows none beside the host's.
        """
        return None

    def profile(self, phase: Phase, batch: Placed, calls: int) -> Profile:
        """Look into so many calls of a phase with the framework's own tools, and wait for them.

        Asked by `dnnbench run --profile` alone, after the timed visits.  May run other code than
        the timed calls do, as long as it computes the same.
        """
        return Profile.none("its backend has no profile() that looks into a call")

    def figures(self, phase: Phase, batch: Placed) -> Sequence[Figure]:
        """What can be counted of one call of a phase: see `protocol.figures.Figure`.

        Asked after the timed visits of a generation, of a phase that was warmed up.  May call
        the phase, compile it once more, or read what its compiler wrote down; what it compiles does
        not count among the `compilations` of `facts`.  The weights are restored afterwards.
        No figure by default: a backend announces those that it has.
        """
        return ()

    @abstractmethod
    def close(self) -> None:
        """Let go of everything on the device."""


class TrainingProgram(InferenceProgram[Placed, Result], Generic[Placed, Result, Snapshot]):
    """A program that can be trained as well: it owns optimizer slots and a generator besides.

    What `get` makes of the result of each phase:

        infer       outputs/<node>, prediction
        forward     outputs/<node>, state/<name>: the running statistics that a step would leave
        loss        forward's, and loss
        gradients   loss's, and gradients/<parameter>
        train_step  outputs/<node>, loss; the new weights, statistics and slots stay inside

    Laws: only `train_step`, `update_alone`, `load` and `restore` change weights,
    statistics and slots; only drawing random numbers changes the generator besides.
    After a step every phase answers anew, of a batch that was placed before it too.
    Where a batch brings no masks, each element of a random node is kept with probability 1 - rate
    and divided by it; backpropagation reads the same mask, each step draws another.
    """

    @abstractmethod
    def forward(self, batch: Placed) -> Result:
        """Forward pass in training mode, recording what backpropagation needs."""

    @abstractmethod
    def loss(self, batch: Placed) -> Result:
        """Forward pass and loss, recording what backpropagation needs."""

    @abstractmethod
    def gradients(self, batch: Placed) -> Result:
        """Forward pass, loss and backpropagation.

        A gradient for every name of `model.parameters`, of the parameter's shape and zeros where
        none flows: that of the loss, before weight decay and clipping, which belong to the update.
        """

    @abstractmethod
    def train_step(self, batch: Placed) -> Result:
        """Forward pass, loss, backpropagation and weight update."""

    @abstractmethod
    def pieces(self, batch: Placed) -> Mapping[str, Callable[[], Result]]:
        """Parts of a step that run alone: `loss_alone` on stored outputs,
        `update_alone` on stored gradients.

        Empty where the framework cannot. `update_alone` changes weights and slots,
        at each call again.
        """

    @abstractmethod
    def optimizer_state(self) -> dict[str, np.ndarray]:
        """Optimizer slots keyed `<slot>/<parameter>`, slots named as `task.optimizer.slots` names
        them; zeros at first.
        """

    @abstractmethod
    def model_state(self) -> dict[str, np.ndarray]:
        """Running statistics by the names of `model.state`."""

    @abstractmethod
    def snapshot(self) -> Snapshot:
        """A copy on the device of everything `train_step` changes,
        the generator and the count of steps included.
        """

    @abstractmethod
    def restore(self, snapshot: Snapshot) -> None:
        """Go back to a snapshot, which stays good for the next time; waits.

        Compiles nothing after its first call.
        """

    @abstractmethod
    def activations(self, batch: Placed) -> dict[str, np.ndarray]:
        """The value of every node in training mode, by node name."""

    @abstractmethod
    def cotangents(self, batch: Placed) -> dict[str, np.ndarray]:
        """The gradient of the loss with respect to every node's value, by node name.

        Zeros where none flows.
        """


Program = InferenceProgram[Any, Any]
"""What any backend builds, of tensors that only its framework knows."""
Trainable = TrainingProgram[Any, Any, Any]
"""One that can be trained as well."""


def trainable(program: Program) -> Trainable:
    """The program, to be trained; TypeError for one that only infers."""
    if is_trainable(program):
        return program
    raise TypeError(
        f"{type(program).__name__} is no TrainingProgram, "
        "though its backend's capabilities() offers training phases here; "
        "derive it from TrainingProgram, or give Capabilities.inference_only(reason)"
    )


def is_trainable(program: Program) -> TypeGuard[Trainable]:
    """By what it has: a program that wraps another need not say what it derives from."""
    return hasattr(program, "train_step")
