"""A module with its optimizer of torch.optim, eager or through torch.compile."""

import re

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from .torch_networks import NETWORKS

KERNEL = (2, 3, 1, 0)
"""Axes (h, w, in, out) among those of torch.nn.Conv2d."""


class TorchTwin:
    """options: `fused` takes PyTorch's fused optimizer, `compiled` goes through torch.compile,
    which takes the optimizer's step as well unless it is fused.
    """

    def __init__(self, network, sizes, weights, task, options):
        self._net = net = NETWORKS[network](**sizes)
        kept = torch.from_numpy(next(iter(weights.values()))).dtype
        net.to(memory_format=torch.channels_last, dtype=kept)
        self._copy_in(weights)
        self._freeze_second_biases()
        trained = [p for p in net.parameters() if p.requires_grad]
        self._optimizer = _optimizer(task.optimizer, trained, "fused" in options)
        self._trained, self._most = trained, task.optimizer.clip_norm
        self._ignored = -100 if task.loss.ignored is None else task.loss.ignored
        self._predict, self._score, self._step = self._outputs, self._loss, self._optimizer.step
        if "compiled" in options:
            self._predict, self._score = map(torch.compile, (self._predict, self._score))
            if "fused" not in options:
                self._step = torch.compile(self._optimizer.step)
        self._first = None

    def put(self, batch):
        """Images as (N, C, H, W) in channels_last memory, labels as int64."""
        inputs = {name: torch.from_numpy(array.copy()) for name, array in batch.inputs.items()}
        for name, x in inputs.items():
            if x.ndim == 4:
                inputs[name] = x.permute(0, 3, 1, 2)
        return inputs, torch.from_numpy(batch.targets.astype(np.int64))

    def begin(self, phase):
        """Before calls of a phase: its mode, and the first weights."""
        self._net.train(phase == "train_step")
        state = [*self._net.state_dict().values(), *self._slots()]
        with torch.no_grad():
            if self._first is None:
                self._first = [tensor.clone() for tensor in state]
            else:
                for tensor, first in zip(state, self._first, strict=False):
                    tensor.copy_(first)
                for slot in state[len(self._first) :]:
                    slot.zero_()

    def infer(self, placed):
        with torch.inference_mode():
            return self._predict(placed[0])

    def train_step(self, placed):
        self._optimizer.zero_grad()
        logits, loss = self._score(*placed)
        loss.backward()
        if self._most:
            nn.utils.clip_grad_norm_(self._trained, self._most)
        self._step()
        return logits, loss

    def wait(self, result):
        """On the CPU PyTorch has finished when a call returns."""

    def read(self, phase, result):
        """Arrays by what they are."""
        second = "prediction" if phase == "infer" else "loss"
        return {"outputs": result[0].detach().numpy(), second: result[1].detach().numpy()}

    def weights(self):
        """By dnnbench's names, in its axes; running variances have a convention of their own."""
        return {name: read() for name, (read, _) in _parts(self._net).items()}

    def _outputs(self, inputs):
        logits = self._net(**inputs)
        return logits, logits.argmax(-1)

    def _loss(self, inputs, labels):
        logits = self._net(**inputs)
        rows = logits.flatten(0, -2)
        return logits, F.cross_entropy(rows, labels.flatten(), ignore_index=self._ignored)

    def _copy_in(self, weights):
        for name, (_, write) in _parts(self._net).items():
            write(weights[name])

    def _freeze_second_biases(self):
        """dnnbench's recurrent layers have one bias a gate: PyTorch's second one stays zero, but
        where a GRU's reset falls between the two.
        """
        for module in self._net.modules():
            if not isinstance(module, nn.LSTM | nn.GRU):
                continue
            for layer in range(module.num_layers):
                bias = getattr(module, f"bias_hh_l{layer}").requires_grad_(False).zero_()
                if isinstance(module, nn.GRU):
                    bias.requires_grad_().register_hook(_of_new_state)

    def _slots(self):
        kept = self._optimizer.state.values()
        return [slot for slots in kept for slot in slots.values() if slot is not None]


def _of_new_state(gradient):
    """The gradient of a GRU's second bias without the parts of its two gates."""
    gates = len(gradient) // 3 * 2
    return F.pad(gradient[gates:], (gates, 0))


def _optimizer(spec, parameters, fused):
    options = {"lr": spec.learning_rate, "weight_decay": spec.weight_decay}
    options |= {"fused": True} if fused else {}
    match spec.kind:
        case "momentum":
            return torch.optim.SGD(parameters, momentum=spec.momentum, **options)
        case "sgd":
            return torch.optim.SGD(parameters, **options)
    kind = {"adam": torch.optim.Adam, "adamw": torch.optim.AdamW}[spec.kind]
    return kind(parameters, betas=(spec.beta1, spec.beta2), eps=spec.epsilon, **options)


def _parts(net):
    """dnnbench's name -> (a function that reads the array, one that writes it)."""
    parts, seen = {}, set()
    for path, module in net.named_modules():
        for name, tensor, to_theirs, to_ours in _of_module(_node(path), module):
            if id(tensor) not in seen:
                seen.add(id(tensor))
                parts[name] = _reader(tensor, to_ours), _writer(tensor, to_theirs)
    return parts


def _node(path):
    """`layers.0.attention.query` of a transformer is dnnbench's `layer0.query`."""
    path = re.sub(r"^layers\.(\d+)", r"layer\1", path).replace(".attention.", ".")
    return path.removesuffix(".conv")


def _of_module(node, module):
    """(name, tensor, axes of dnnbench's array as PyTorch has them, the other way round)"""
    same = _same, _same
    match module:
        case nn.Linear():
            yield f"{node}.weight", module.weight, np.transpose, np.transpose
            if module.bias is not None:
                yield f"{node}.bias", module.bias, *same
        case nn.Conv2d():
            to_theirs, to_ours = _permuted(3, 2, 0, 1), _permuted(*KERNEL)
            yield f"{node}.weight", module.weight, to_theirs, to_ours
        case nn.BatchNorm2d() | nn.LayerNorm():
            yield f"{node}.scale", module.weight, *same
            yield f"{node}.bias", module.bias, *same
            if isinstance(module, nn.BatchNorm2d):
                yield f"{node}.mean", module.running_mean, *same
                yield f"{node}.variance", module.running_var, *same
        case nn.Embedding():
            yield f"{node}.weight", module.weight, *same
        case nn.LSTM() | nn.GRU():
            for layer in range(module.num_layers):
                yield from _of_recurrent(f"{node}{layer}", module, layer)


def _of_recurrent(node, module, layer):
    """dnnbench has a GRU's gates as z, r, n, PyTorch as r, z, n."""
    order = (1, 0, 2) if isinstance(module, nn.GRU) else (0, 1, 2, 3)
    weight, recurrent, bias, hidden = (
        getattr(module, f"{role}_l{layer}")
        for role in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    )

    def turned(array):
        return _blocks(array, order).T

    def turned_back(array):
        return _blocks(array.T, order)

    yield f"{node}.weight", weight, turned, turned_back
    yield f"{node}.recurrent", recurrent, turned, turned_back
    yield f"{node}.bias", bias, turned, turned_back
    if isinstance(module, nn.GRU):
        of_n = hidden[2 * module.hidden_size :]
        yield f"{node}.hidden_bias", of_n, _same, _same


def _blocks(array, order):
    """The equal parts of the last axis in another order."""
    parts = np.split(array, len(order), -1)
    return np.concatenate([parts[i] for i in order], -1)


def _same(array):
    return array


def _permuted(*axes):
    return lambda array: array.transpose(axes)


def _reader(tensor, to_ours):
    return lambda: to_ours(tensor.detach().numpy()).copy()


def _writer(tensor, to_theirs):
    def write(array):
        with torch.no_grad():
            tensor.copy_(torch.from_numpy(to_theirs(array).copy()))

    return write
