"""A workload built in PyTorch: straight-line code written from the graph, and autograd."""

import numpy as np
import torch
from dnnbench.protocol.batch import Batch
from dnnbench.protocol.evaluation import evaluate, inference, training
from dnnbench.protocol.program import Program
from torch import fx

from . import device, losses, ops, optimizers

RETURNED = {
    "infer": ("outputs", "prediction"),
    "forward": ("outputs", "state"),
    "loss": ("outputs", "state", "loss"),
    "loss_alone": ("loss",),
    "activations": ("values",),
    "cotangents": ("loss",),
}
"""What the function written for a phase returns."""


class TorchProgram(Program):
    """Weights are leaf tensors by name; a phase calls a function of (inputs, targets, masks, weights, state).

    The function is written from the spec's graph when it is first wanted: what runs is what a user writes by hand,
    and no walk through a graph. In mode `compile` it goes through torch.compile, once for every shape of batch.
    """

    def __init__(self, workload, weights, arm, seed):
        self._workload, self._model, self._arm = workload, workload.model, arm
        self._device, self._dtype = device.resolve(arm.device), getattr(torch, arm.dtype)
        device.reset_peak(arm.device)
        self._functions = {}
        self._nodes = {name: device.tensor_order(type.shape) for name, type in self._model.types.items()}
        self._orders = parameter_orders(self._model)
        self._weights = {n: self._parameter(n, weights[n]).requires_grad_() for n in self._model.parameters}
        self._state = {n: self._parameter(n, weights[n]) for n in self._model.state}
        self._random = any(node.op.random for node in self._model.nodes)
        self._generator_state = torch.Generator(self._device).manual_seed(seed).get_state()
        spec = workload.task.optimizer
        self._optimizer = getattr(optimizers, spec.kind)(spec, list(self._weights.values()))
        self._step = self._optimizer.step
        if arm.mode == "compile":
            self._compiled_before = compiler_counts()
            self._step = torch.compile(optimizers.bare_step(self._optimizer))

    def put(self, batch):
        inputs = {i.name: self._tensor(batch.inputs[i.name], i.type) for i in self._model.inputs}
        masks = {name: self._tensor(mask, self._model.types[name]) for name, mask in batch.masks.items()}
        targets = self._tensor(batch.targets, self._workload.target)
        device.synchronize(self._device)
        return Batch(inputs, targets if targets.is_floating_point() else targets.long(), masks)

    def infer(self, batch):
        with torch.inference_mode():
            return self._call("infer", batch)

    def forward(self, batch):
        return self._call("forward", batch)

    def loss(self, batch):
        return self._call("loss", batch)

    def gradients(self, batch):
        result = self._call("loss", batch)
        result["gradients"] = self._backpropagate(result["loss"])
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
            "update_alone": lambda: self._update(stored),
        }

    def wait(self, result):
        device.synchronize(self._device)

    def get(self, result):
        flat = {}
        for group, value in result.items():
            if isinstance(value, dict):
                orders = self._nodes if group == "outputs" else self._orders
                flat |= {f"{group}/{name}": device.download(t, orders[name]) for name, t in value.items()}
            else:
                flat[group] = device.download(value, self._prediction_order() if group == "prediction" else None)
        return flat

    def weights(self):
        return {name: device.download(p, self._orders[name]) for name, p in self._weights.items()}

    def optimizer_state(self):
        kept = self._optimizer.state
        return {
            f"{slot}/{name}": device.download(kept[p][optimizers.SLOTS[slot]], self._orders[name])
            for slot in self._workload.task.optimizer.slots
            for name, p in self._weights.items()
        }

    def model_state(self):
        return {name: device.download(tensor, self._orders[name]) for name, tensor in self._state.items()}

    def load(self, weights):
        with torch.no_grad():
            for name, tensor in (self._weights | self._state).items():
                tensor.copy_(self._parameter(name, weights[name]))
            for slot in self._slots():
                slot.zero_()
        device.synchronize(self._device)

    def snapshot(self):
        copies = [tensor.detach().clone() for tensor in self._mutable()]
        device.synchronize(self._device)
        return copies, self._generator_state

    def restore(self, snapshot):
        copies, self._generator_state = snapshot
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
        found = torch.autograd.grad(loss, list(reached.values()), allow_unused=True, materialize_grads=True)
        return self._by_node(probes | dict(zip(reached, found, strict=True)))

    def facts(self):
        return {
            "device": str(self._measured_device()),
            "layout": "channels_last",
            "dtype": self._arm.dtype,
            "threads": torch.get_num_threads(),
            "inter_op_threads": torch.get_num_interop_threads(),
            "float32_matmul_precision": torch.get_float32_matmul_precision(),
            "cudnn_allow_tf32": torch.backends.cudnn.allow_tf32,
            "cudnn_benchmark": torch.backends.cudnn.benchmark,
            "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
            "optimizer": f"torch.optim.{type(self._optimizer).__name__}",
            **self._compiler_counts(),
        }

    def peak_memory(self):
        return device.peak_memory(self._arm.device)

    def close(self):
        self._weights, self._state, self._functions = {}, {}, {}
        self._optimizer = self._step = None
        if self._device.type == "cuda":
            torch.cuda.empty_cache()

    def _call(self, phase, batch, *probes):
        key = (phase, *batch.masks)
        function = self._functions.get(key) or self._write(key)
        if not self._random:
            return function(batch.inputs, batch.targets, batch.masks, self._weights, self._state, *probes)
        default = device.generator(self._device)
        default.set_state(self._generator_state)
        result = function(batch.inputs, batch.targets, batch.masks, self._weights, self._state, *probes)
        self._generator_state = default.get_state()
        return result

    def _write(self, key):
        phase, *masks = key
        function = straight_line(self._workload, phase, masks, self._orders)
        if self._arm.mode == "compile":
            function = torch.compile(function)
        self._functions[key] = function
        return function

    def _backpropagate(self, loss):
        leaves = tuple(self._weights.values())
        if not loss.requires_grad:
            found = map(torch.zeros_like, leaves)
        else:
            found = torch.autograd.grad(loss, leaves, allow_unused=True, materialize_grads=True)
        return dict(zip(self._weights, found, strict=True))

    def _update(self, gradients):
        for name, p in self._weights.items():
            p.grad = gradients[name]
        self._step()
        for p in self._weights.values():
            p.grad = None

    def _slots(self):
        return [slot for kept in self._optimizer.state.values() for slot in kept.values()]

    def _mutable(self):
        """Every tensor that training changes."""
        return [*self._weights.values(), *self._state.values(), *self._slots()]

    def _parameter(self, name, array):
        return device.upload(array, self._orders[name], self._dtype, self._device)

    def _tensor(self, array, type):
        if type.kind != "float":
            return device.upload(array, device.natural(array.ndim), getattr(torch, type.kind), self._device)
        return device.upload(array, device.tensor_order(type.shape), self._dtype, self._device)

    def _probe(self, name, size):
        shape = self._model.types[name].shape
        return torch.zeros((size, *shape), dtype=self._dtype, device=self._device).permute(self._nodes[name])

    def _prediction_order(self):
        """Order of a predicted output; classes have none."""
        is_output = self._workload.task.loss.prediction == "identity"
        return self._nodes[self._model.outputs[0]] if is_output else None

    def _by_node(self, values):
        return {name: device.download(value, self._nodes[name]) for name, value in values.items()}

    def _compiler_counts(self):
        """Since this program was built; whatever else the process compiled in the meantime counts too."""
        if self._arm.mode != "compile":
            return {"compilations": 0, "graph_breaks": 0}
        return {name: n - self._compiled_before[name] for name, n in compiler_counts().items()}

    def _measured_device(self):
        """Asked from a result: one example of zeros through the function that is not compiled."""
        inputs = {i.name: self._tensor(np.zeros((1, *i.shape)), i.type) for i in self._model.inputs}
        function = straight_line(self._workload, "infer", (), self._orders)
        with torch.inference_mode():
            return function(inputs, None, {}, self._weights, self._state)["prediction"].device


def parameter_orders(model):
    """Order of every parameter and state by name: the one its users want, canonical where they want several."""
    wanted = {c.name: {device.constant_order(c.shape)} for c in model.constants}
    shapes = {name: parameter.shape for name, parameter in {**model.parameters, **model.state}.items()}
    for node in model.nodes:
        learned, kept = model.roles(node)
        for role, name in {**learned, **kept}.items():
            wanted.setdefault(name, set()).add(device.parameter_order(node.op.kind, role, shapes[name]))
    agreed = {name: orders.pop() for name, orders in wanted.items() if len(orders) == 1}
    return {name: agreed.get(name, device.natural(len(shape))) for name, shape in shapes.items()}


def reached_nodes(model):
    """Names of the nodes that backpropagation carries a gradient to."""
    return [node.name for node in model.nodes if node.name in model.learned or node.name == model.outputs[0]]


def straight_line(workload, phase, mask_names, orders):
    """A function of (inputs, targets, masks, weights, state, probes) that computes one phase's result.

    The graph is walked once with stand-ins for tensors, and torch.fx writes down what they were used for. A dropout
    node that `mask_names` leaves out draws its own mask. For `cotangents` a probe of zeros is added to every node's
    value: dL/dprobe is what flows there, whether or not the function is compiled.
    """
    graph = fx.Graph()
    recorder = fx.proxy.GraphAppendingTracer(graph)
    names = ("inputs", "targets", "masks", "weights", "state")
    given = {name: fx.Proxy(graph.placeholder(name), recorder) for name in names}
    given["probes"] = fx.Proxy(graph.placeholder("probes", default_value=None), recorder)
    if phase == "loss_alone":
        logits = workload.model.outputs[0]
        values, state = {logits: _shaped(given["inputs"][logits], workload.model.types[logits])}, {}
    else:
        values, state = _walk(workload.model, phase, given, mask_names, orders)
    graph.output(recorder.create_arg(_result(workload, phase, values, state, given["targets"])))
    return fx.GraphModule({}, graph).forward


def _walk(model, phase, given, mask_names, orders):
    """Value of every node and state after the pass, as stand-ins."""
    masks = {name: given["masks"][name] for name in mask_names}
    apply = inference(ops) if phase == "infer" else training(ops, masks, lambda node: None)
    probed = reached_nodes(model) if phase == "cotangents" else ()

    def as_wanted(node, role, parameter):
        name = model.roles(node)[0][role]
        order = device.parameter_order(node.op.kind, role, model.parameters[name].shape)
        return parameter if orders[name] == order else parameter.permute(order)

    def applied(node, arguments, parameters, state):
        turned = {role: as_wanted(node, role, parameter) for role, parameter in parameters.items()}
        value, changed = apply(node, arguments, turned, state)
        if node.name in probed:
            value = value + given["probes"][node.name]
        return _shaped(value, model.types[node.name]), changed

    inputs = {i.name: _shaped(given["inputs"][i.name], i.type) for i in model.inputs}
    weights = {name: given["weights"][name] for name in model.parameters}
    return evaluate(model, inputs, weights, {name: given["state"][name] for name in model.state}, applied)


def _shaped(proxy, type):
    """A stand-in that knows its axes inside, but not N."""
    canonical = (None, *type.shape)
    proxy.shape = tuple(canonical[axis] for axis in device.tensor_order(type.shape))
    proxy.ndim = len(canonical)
    return proxy


def _result(workload, phase, values, state, targets):
    task, model = workload.task, workload.model
    first = values[model.outputs[0]]
    parts = {
        "outputs": lambda: {name: values[name] for name in model.outputs},
        "prediction": lambda: getattr(losses, task.loss.prediction)(first),
        "state": lambda: state,
        "loss": lambda: getattr(losses, task.loss.kind)(task.loss, first, targets),
        "values": lambda: {node.name: values[node.name] for node in model.nodes},
    }
    return {part: parts[part]() for part in RETURNED[phase]}


def compiler_counts():
    """What Dynamo has compiled in this process, and how often it could not go on in one graph."""
    from torch._dynamo.utils import counters

    breaks = sum(counters["graph_break"].values())
    return {"compilations": counters["stats"]["unique_graphs"], "graph_breaks": breaks}
