"""A workload built in JAX: compiled functions, and what one step carries on to the next."""

import os

import jax
import jax.numpy as jnp
import numpy as np
from dnnbench.protocol.program import TrainingProgram
from dnnbench.spec.phases import PHASES

from . import device, figures, optimizers, profiling
from .convolution import form_of_groups, plainly
from .network import Network

CARRIED = (0, 1, 2, 3)
"""Arguments of `train_step` that it gives back changed, and that a compiled step takes
the memory of.
"""


class JaxProgram(TrainingProgram):
    """Weights, statistics and slots are arrays in the model's order, committed to the device.

    A compiled step donates them.

    Tuples, since a dictionary's names are sorted at every call. A placed batch is (inputs, targets,
    masks by node). `forward`, `loss` and `gradients` draw what the next `train_step` will draw;
    only that step moves the generator on. A network that draws nothing carries no generator.
    Results hold "record" besides, what backpropagation would read, so that no compiler can
    leave it out.
    """

    def __init__(self, workload, weights, arm, seed):
        self._workload = workload
        self._model, self._task = workload.model, workload.task
        self._arm, self._precision = arm, arm.precision
        self._device = device.resolve(arm.device)
        self._network = network = Network(workload, arm.precision)
        self._compiles, self._plain = arm.mode != "eager", arm.mode == "plain"
        made = self._made
        self._infer = made(network.infer)
        self._forward = made(network.forward)
        self._loss = made(network.loss)
        self._gradients = made(network.gradients)
        self._train_step = made(network.train_step, donate_argnums=CARRIED)
        self._update = made(network.update, donate_argnums=(0, 1))
        self._loss_alone = made(network.loss_alone)
        self._activations = made(network.activations)
        self._cotangents = made(network.cotangents)
        self._copy = jax.jit(_copy)
        draws = any(node.op.random for node in self._model.nodes)
        self._key = jax.device_put(jax.random.key(seed), self._device) if draws else None
        self.load(weights)

    def _made(self, function, **options):
        """What the mode makes of one of the network's functions."""
        function = plainly(function) if self._plain else function
        return jax.jit(function, **options) if self._compiles else function

    def put(self, batch):
        floats = {"float": self._precision.values}
        inputs = tuple(
            self._place(batch.inputs[source.name], floats.get(source.dtype, source.dtype))
            for source in self._model.inputs
        )
        of_floats = batch.targets.dtype.kind == "f"
        target_dtype = self._precision.weights if of_floats else "int32"
        targets = self._place(batch.targets, target_dtype)
        masks = {name: self._place(mask, "bool") for name, mask in batch.masks.items()}
        return jax.block_until_ready((inputs, targets, masks))

    def infer(self, batch):
        return self._infer(self._weights, self._state, batch[0])

    def forward(self, batch):
        return self._forward(self._weights, self._state, self._key, batch)

    def loss(self, batch):
        return self._loss(self._weights, self._state, self._key, batch)

    def gradients(self, batch):
        return self._gradients(self._weights, self._state, self._key, batch)

    def train_step(self, batch):
        carried, result = self._train_step(
            self._weights, self._state, self._slots, self._key, batch
        )
        self._weights, self._state, self._slots, self._key = carried
        if not self._compiles:
            self._unfinished = carried
        return result

    def pieces(self, batch):
        stored = self.gradients(batch)
        output, gradients = stored["outputs"][0], stored["gradients"]

        def update_alone():
            self._unfinished = self._update(self._weights, self._slots, gradients)
            self._weights, self._slots = self._unfinished
            return {}

        return {
            "loss_alone": lambda: {"loss": self._loss_alone(output, batch[1])},
            "update_alone": update_alone,
        }

    def wait(self, result):
        """What one compiled step gives back, new weights included, is ready all at once."""
        jax.block_until_ready(result)
        if self._unfinished is not None:
            jax.block_until_ready(self._unfinished)
            self._unfinished = None

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if group in self._network.names:
                by_name = self._by_name(group, value)
                flat |= {f"{group}/{name}": array for name, array in by_name.items()}
            elif group != "record":
                flat[group] = _to_host(value)
        return flat

    def weights(self):
        return self._by_name("weights", self._weights)

    def optimizer_state(self):
        state = {}
        for slot in self._task.optimizer.slots:
            arrays = self._by_name("weights", optimizers.slot(self._slots, slot))
            state |= {f"{slot}/{name}": array for name, array in arrays.items()}
        return state

    def model_state(self):
        return self._by_name("state", self._state)

    def load(self, weights):
        names = self._network.names
        dtype = self._precision.weights
        self._weights = tuple(self._place(weights[name], dtype) for name in names["weights"])
        self._state = tuple(self._place(weights[name], dtype) for name in names["state"])
        self._slots = jax.device_put(self._network.optimizer.init(self._weights), self._device)
        jax.block_until_ready((self._weights, self._state, self._slots))
        self._unfinished = None

    def snapshot(self):
        return jax.block_until_ready(
            self._copy((self._weights, self._state, self._slots, self._key))
        )

    def restore(self, snapshot):
        self._weights, self._state, self._slots, self._key = jax.block_until_ready(
            self._copy(snapshot)
        )
        self._unfinished = None

    def activations(self, batch):
        return self._by_name(
            "nodes", self._activations(self._weights, self._state, self._key, batch)
        )

    def cotangents(self, batch):
        return self._by_name(
            "nodes", self._cotangents(self._weights, self._state, self._key, batch)
        )

    def facts(self):
        dtype = self._precision.weights
        half = self._place(np.finfo(dtype).tiny, dtype) / 2
        used = half.devices().pop()
        return {
            "device": f"{used.platform}:{used.id} ({used.device_kind})",
            "layout": "NHWC",
            "dtype": self._precision.name,
            "weights": str(half.dtype),
            "threads": device.threads(),
            "matmul_precision": jax.config.jax_default_matmul_precision,
            "tf32": self._precision.products == "tf32",
            "x64": jax.config.jax_enable_x64,
            "denormals": "kept" if float(half) > 0 else "flushed to zero",
            "donation": "donated" if self._compiles else "none",
            "autotune": "on" if self._autotunes() else "off",
            "grouped_convolutions": form_of_groups(self._model, self._plain),
            "generator": jax.config.jax_default_prng_impl if self._key is not None else "none",
            "xla_flags": os.environ.get("XLA_FLAGS", ""),
            "compilations": sum(map(self._compilations, PHASES)),
        }

    def peak_memory(self):
        return device.peak_memory(self._device)

    def device_seconds(self, work):
        return device.seconds(self._device, work)

    def profile(self, phase, batch, calls):
        arguments = self._arguments(phase, batch)
        if self._compiles:
            network = Network(self._workload, self._precision, profiling.scoped)
            function = getattr(network, phase)
            function = plainly(function) if self._plain else function
            return profiling.of_compiled(function, arguments, calls)

        def function(around):
            return getattr(Network(self._workload, self._precision, around), phase)

        return profiling.op_by_op(function, arguments, calls, phase == "infer")

    def figures(self, phase, batch):
        function, arguments = getattr(self, f"_{phase}"), self._arguments(phase, batch)
        if self._compiles:
            return figures.of_compiled(function, arguments, self._compilations(phase))
        return figures.of_call(function, arguments)

    def close(self):
        self._weights = self._state = self._slots = ()
        self._key = self._unfinished = None

    def _arguments(self, phase, batch):
        """Of the network's function of a phase."""
        if phase == "infer":
            return self._weights, self._state, batch[0]
        if phase == "train_step":
            return self._weights, self._state, self._slots, self._key, batch
        return self._weights, self._state, self._key, batch

    def _place(self, array, dtype):
        """A committed copy on the device: `device_put` would go on reading the caller's memory."""
        return jnp.array(array, dtype, device=self._device)

    def _autotunes(self):
        """XLA's choice among its GPU kernels, unless a flag forbids it."""
        return self._device.platform == "gpu" and "xla_gpu_autotune_level=0" not in os.environ.get(
            "XLA_FLAGS", ""
        )

    def _compilations(self, phase):
        """How often a phase was compiled: once for each batch size, or something is amiss."""
        return getattr(self, f"_{phase}")._cache_size() if self._compiles else 0

    def _by_name(self, group, arrays):
        return {name: _to_host(array) for name, array in self._network.named(group, arrays).items()}


def _copy(tree):
    return jax.tree.map(jnp.copy, tree)


def _to_host(array):
    """A copy, in float32 at least."""
    dtype = np.float32 if array.dtype.itemsize == 2 else array.dtype
    return np.array(array, dtype)
