"""A workload built in PyTorch: straight-line code written from the graph, and autograd."""

from contextlib import contextmanager
from functools import partial
from itertools import chain

import numpy as np
import torch
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.precision import LOSS_SCALE
from dnnbench.protocol.program import TrainingProgram
from dnnbench.spec.tensor import TensorType

from . import device, figures, layouts, optimizers, profiling
from .writing import compiler_counts, parameter_layouts, reached_nodes, straight_line


class TorchProgram(TrainingProgram):
    """Weights are leaf tensors by name; the optimizer changes views of the same memory.

    A phase calls a function of (inputs, targets, masks, weights, state).

    The function is written from the spec's graph when it is first wanted:
    what runs is what a user writes by hand, and no walk through a graph.
    In mode `compile` it goes through torch.compile, once for every shape of batch.
    """

    def __init__(self, workload, weights, arm, seed):
        self._workload, self._model = workload, workload.model
        self._arm, self._precision = arm, arm.precision
        self._device = device.resolve(arm.device)
        self._kept = getattr(torch, arm.precision.weights)
        self._flowing = getattr(torch, arm.precision.values)
        device.reset_peak(arm.device)
        self._functions, self._marked = {}, False
        self._compile = torch.compile
        types = {node.name: self._model.types[node.name] for node in self._model.nodes}
        self._nodes = {name: layouts.tensor_layout(type) for name, type in types.items()}
        self._layouts = parameter_layouts(self._model)
        self._weights = {
            n: self._parameter(n, weights[n]).requires_grad_() for n in self._model.parameters
        }
        self._state = {n: self._parameter(n, weights[n]) for n in self._model.state}
        self._random = any(node.op.random for node in self._model.nodes)
        self._generator_state = torch.Generator(self._device).manual_seed(seed).get_state()
        self._compiled_before = compiler_counts() if arm.mode == "compile" else {}
        self._prepare_update(workload.task.optimizer)

    def _prepare_update(self, spec):
        compiled = self._arm.mode == "compile" and spec.kind not in optimizers.NEVER_COMPILED
        self._stepped = {
            n: self._layouts[n].in_memory_order(p.detach()) for n, p in self._weights.items()
        }
        self._optimizer = getattr(optimizers, spec.kind)(
            spec, list(self._stepped.values()), compiled
        )
        self._steps, self._step, self._clip = (
            0,
            self._optimizer.step,
            optimizers.clipping(spec.clip_norm, compiled),
        )
        self._compiles = (optimizers.bare_step(self._optimizer), self._clip) if compiled else ()
        self._compile_update()

    def _compile_update(self):
        if self._compiles:
            self._step, self._clip = map(self._compile, self._compiles)

    def put(self, batch):
        inputs = {i.name: self._tensor(batch.inputs[i.name], i.type) for i in self._model.inputs}
        masks = {name: self._mask(name, mask) for name, mask in batch.masks.items()}
        targets = self._targets(batch.targets, self._workload.target)
        device.synchronize(self._device)
        return Batch(inputs, targets, masks)

    def infer(self, batch):
        with torch.inference_mode():
            return self._call("infer", batch)

    def forward(self, batch):
        return self._call("forward", batch)

    def loss(self, batch):
        return self._call("loss", batch)

    def gradients(self, batch):
        result = self._call("loss", batch)
        gradients = self._backpropagate(result["loss"], list(self._weights.values()))
        result["gradients"] = dict(zip(self._weights, gradients, strict=True))
        return result

    def train_step(self, batch):
        result = self.gradients(batch)
        self._state = result["state"]
        self._update(result["gradients"])
        return {"outputs": result["outputs"], "loss": result["loss"]}

    def pieces(self, batch):
        result = self.gradients(batch)
        logits, stored = self._model.outputs[0], result["gradients"]
        ready = Batch({logits: result["outputs"][logits].detach().requires_grad_()}, batch.targets)
        return {
            "loss_alone": lambda: self._call("loss_alone", ready),
            "update_alone": lambda: self._update(self._unclipped(stored)),
        }

    def _unclipped(self, stored):
        """Gradients for one update, which may clip them in their own memory."""
        if self._workload.task.optimizer.clip_norm is None:
            return stored
        return {name: gradient.clone() for name, gradient in stored.items()}

    def wait(self, result):
        device.synchronize(self._device)

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if isinstance(value, dict):
                stored = self._nodes if group == "outputs" else self._layouts
                for name, tensor in value.items():
                    flat[f"{group}/{name}"] = layouts.download(tensor, stored[name])
            else:
                layout = self._prediction_layout() if group == "prediction" else None
                flat[group] = layouts.download(value, layout)
        return flat

    def weights(self):
        return {name: layouts.download(p, self._layouts[name]) for name, p in self._weights.items()}

    def optimizer_state(self):
        state = {}
        for slot in self._workload.task.optimizer.slots:
            for name, p in self._stepped.items():
                layout, kept = self._layouts[name], self._optimizer.state[p][optimizers.SLOTS[slot]]
                inside = layout.from_memory_order(kept)
                state[f"{slot}/{name}"] = layouts.download(inside, layout)
        return state

    def model_state(self):
        return {
            name: layouts.download(tensor, self._layouts[name])
            for name, tensor in self._state.items()
        }

    def load(self, weights):
        with torch.no_grad():
            for name, tensor in (self._weights | self._state).items():
                tensor.copy_(self._parameter(name, weights[name]))
            for slot in self._slots():
                slot.zero_()
        self._steps = 0
        device.synchronize(self._device)

    def snapshot(self):
        copies = [tensor.detach().clone() for tensor in self._mutable()]
        device.synchronize(self._device)
        return copies, self._steps, self._generator_state

    def restore(self, snapshot):
        copies, self._steps, self._generator_state = snapshot
        if copies:
            with torch.no_grad():
                torch._foreach_copy_(self._mutable(), copies)
        device.synchronize(self._device)

    def activations(self, batch):
        return self._by_node(self._call("activations", batch)["values"])

    def cotangents(self, batch):
        probes = {node.name: self._probe(node.name, batch.size) for node in self._model.nodes}
        reached = {name: probes[name].requires_grad_() for name in reached_nodes(self._model)}
        loss = self._call("cotangents", batch, reached)["loss"]
        gradients = self._backpropagate(loss, list(reached.values()))
        return self._by_node(probes | dict(zip(reached, gradients, strict=True)))

    def facts(self):
        products = torch.backends.cuda.matmul
        return {
            "device": str(self._measured_device()),
            "layout": "channels_last",
            "dtype": self._arm.dtype,
            "threads": device.threads(),
            "inter_op_threads": torch.get_num_interop_threads(),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cuda_matmul_allow_tf32": products.allow_tf32,
            "cudnn_allow_tf32": torch.backends.cudnn.allow_tf32,
            "cuda_low_precision_sums": products.allow_bf16_reduced_precision_reduction,
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "denormals": device.denormals(self._device),
            "donation": "in place",
            "autotune": "on" if self._autotunes() else "off",
            "optimizer": optimizers.described(self._optimizer),
            "loss_scale": LOSS_SCALE if self._precision.scaled else 1.0,
            **self._compiler_counts(),
        }

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def device_seconds(self, work):
        return device.seconds(self._arm.device, work)

    def profile(self, phase, batch, calls):
        marked = self._arm.mode != "compile"
        written = self._functions
        if marked:
            self._functions, self._marked = {}, True
        try:
            call = getattr(self, phase)
            on_gpu = self._device.type == "cuda"
            return profiling.profiled(lambda: self.wait(call(batch)), calls, on_gpu, marked)
        finally:
            self._functions, self._marked = written, False

    def figures(self, phase, batch):
        call = partial(getattr(self, phase), batch)
        if self._arm.mode != "compile":
            return figures.of_call(call)
        captured, compiled = figures.Captured(), self._compiler_counts()
        with self._compiled_by(captured.backend):
            breaks = self._compiler_counts()["graph_breaks"]
            call()
            breaks = self._compiler_counts()["graph_breaks"] - breaks
        of_graphs = captured.figures(breaks, compiled["compilations"], compiled["kernels"])
        return [*of_graphs, *figures.allocations(call)]

    def close(self):
        self._weights, self._stepped, self._state, self._functions = {}, {}, {}, {}
        self._optimizer = self._step = self._clip = self._compiles = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _call(self, phase, batch, *probes):
        key = (phase, *batch.masks)
        function = self._functions.get(key) or self._write(key)
        if not self._random:
            return function(
                batch.inputs, batch.targets, batch.masks, self._weights, self._state, *probes
            )
        default = device.generator(self._device)
        default.set_state(self._generator_state)
        result = function(
            batch.inputs, batch.targets, batch.masks, self._weights, self._state, *probes
        )
        self._generator_state = default.get_state()
        return result

    def _write(self, key):
        phase, *masks = key
        function = straight_line(
            self._workload, phase, masks, self._layouts, self._precision, self._marked
        )
        if self._arm.mode == "compile":
            function = self._compile(function)
        self._functions[key] = function
        return function

    def _backpropagate(self, loss, leaves):
        """dL/d of every leaf, lifted by LOSS_SCALE on the way where float16 would lose it."""
        if not loss.requires_grad:
            return [torch.zeros_like(leaf) for leaf in leaves]
        if not self._precision.scaled:
            return torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        lifted = torch.autograd.grad(
            loss * LOSS_SCALE, leaves, allow_unused=True, materialize_grads=True
        )
        return torch._foreach_div(lifted, LOSS_SCALE)

    def _update(self, gradients):
        spec = self._workload.task.optimizer
        ordered = list(gradients.values())
        if not ordered or (self._precision.scaled and not optimizers.all_finite(ordered)):
            return
        self._steps += 1
        if spec.schedule:
            optimizers.set_rate(self._optimizer, spec.rate(self._steps))
        if spec.clip_norm:
            ordered = self._clip(ordered)
        for (name, p), gradient in zip(self._stepped.items(), ordered, strict=True):
            p.grad = layouts.laid_like(p, self._layouts[name].in_memory_order(gradient))
        self._step()
        for p in self._stepped.values():
            p.grad = None

    def _slots(self):
        of_each_weight = self._optimizer.state.values()
        return list(chain.from_iterable(slots.values() for slots in of_each_weight))

    def _mutable(self):
        """Every tensor that training changes."""
        return [*self._weights.values(), *self._state.values(), *self._slots()]

    def _parameter(self, name, array):
        return layouts.upload(array, self._layouts[name], self._kept, self._device)

    def _tensor(self, array, type):
        dtype = self._flowing if type.kind == "float" else getattr(torch, type.kind)
        return layouts.upload(array, layouts.tensor_layout(type), dtype, self._device)

    def _targets(self, array, type):
        """In the type of the loss; PyTorch wants labels in int64."""
        dtype = self._kept if type.kind == "float" else torch.int64
        return layouts.upload(array, layouts.tensor_layout(type), dtype, self._device)

    def _mask(self, name, array):
        """As booleans, which take the type of what they are multiplied by."""
        node = self._model.node(name)
        shape = node.op.mask_shape(self._model.input_types(node))
        return layouts.upload(
            array, layouts.tensor_layout(TensorType(shape)), torch.bool, self._device
        )

    def _probe(self, name, size):
        shape = (size, *self._model.types[name].shape)
        return self._nodes[name].inside(torch.zeros(shape, dtype=self._kept, device=self._device))

    def _prediction_layout(self):
        """Layout of a prediction that has its output's shape; classes have none."""
        of_output = self._workload.task.loss.prediction != "argmax"
        return self._nodes[self._model.outputs[0]] if of_output else None

    def _by_node(self, values):
        return {name: layouts.download(value, self._nodes[name]) for name, value in values.items()}

    def _compiler_counts(self):
        """Since this program was built.

        Whatever else the process compiled in the meantime counts too.
        """
        if self._arm.mode != "compile":
            return {"compilations": 0, "graph_breaks": 0}
        return {name: n - self._compiled_before[name] for name, n in compiler_counts().items()}

    @contextmanager
    def _compiled_by(self, backend):
        """Everything compiled anew for another backend of torch.compile, and not counted."""
        kept = self._functions, self._step, self._clip, self._compile
        before = self._compiler_counts()
        self._functions, self._compile = {}, partial(torch.compile, backend=backend)
        self._compile_update()
        try:
            yield
        finally:
            self._functions, self._step, self._clip, self._compile = kept
            for name, count in self._compiler_counts().items():
                self._compiled_before[name] += count - before[name]

    def _autotunes(self):
        """cuDNN's choice among its convolutions, and torch.compile's among its templates
        of products.
        """
        if self._arm.mode == "compile":
            from torch._inductor import config

            return torch.backends.cudnn.benchmark or config.max_autotune
        return torch.backends.cudnn.benchmark

    def _measured_device(self):
        """Asked from a result: one example of zeros through the function that is not compiled."""
        inputs = {i.name: self._tensor(np.zeros((1, *i.shape)), i.type) for i in self._model.inputs}
        function = straight_line(self._workload, "infer", (), self._layouts, self._precision)
        with torch.inference_mode():
            return function(inputs, None, {}, self._weights, self._state)["prediction"].device
