"""The digits networks in PyTorch: modules, torch.optim, channels_last images, torch.compile."""

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn


class Mlp(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(64, 128)
        self.fc2 = nn.Linear(128, 64)
        self.logits = nn.Linear(64, 10)

    def forward(self, x):
        x = F.relu(self.fc1(x))
        x = F.relu(self.fc2(x))
        return self.logits(x)


class Cnn(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(1, 16, 3, padding=1)
        self.conv2 = nn.Conv2d(16, 32, 3, padding=1)
        self.fc1 = nn.Linear(128, 64)
        self.logits = nn.Linear(64, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv1(x)), 2)
        x = F.max_pool2d(F.relu(self.conv2(x)), 2)
        x = x.permute(0, 2, 3, 1).flatten(1)  # the order in memory: no copy
        return self.logits(F.relu(self.fc1(x)))


NETWORKS = {"mlp_digits": Mlp, "cnn_digits": Cnn}
FROM_CANONICAL = {1: (0,), 2: (1, 0), 4: (3, 2, 0, 1)}
TO_CANONICAL = {1: (0,), 2: (1, 0), 4: (2, 3, 1, 0)}


class Trainer:
    """A network with its optimizer.

    In mode `compile`, forward pass with loss and the step are compiled.
    """

    def __init__(self, network, mode, weights):
        self._net = net = NETWORKS[network]()
        tensors = {
            name: torch.from_numpy(a).permute(FROM_CANONICAL[a.ndim]) for name, a in weights.items()
        }
        net.load_state_dict(tensors)
        net.to(memory_format=torch.channels_last)
        self._first = [p.detach().clone() for p in net.parameters()]
        self._optimizer = torch.optim.SGD(net.parameters(), lr=0.05, momentum=0.9)

        def predict(x):
            z = net(x)
            return z, z.argmax(1)

        def score(x, y):
            z = net(x)
            return z, F.cross_entropy(z, y)

        self._forward, self._predict, self._score, self._step = (
            net,
            predict,
            score,
            self._optimizer.step,
        )
        if mode == "compile":
            compiled = (torch.compile(f) for f in (net, predict, score, self._optimizer.step))
            self._forward, self._predict, self._score, self._step = compiled

    def restart(self):
        with torch.no_grad():
            torch._foreach_copy_(list(self._net.parameters()), self._first)
            for kept in self._optimizer.state.values():
                kept["momentum_buffer"].zero_()

    def phases(self, images, labels):
        x, y = torch.from_numpy(images.copy()), torch.from_numpy(labels.astype(np.int64))
        if x.ndim == 4:
            x = x.permute(0, 3, 1, 2)
        return {
            "infer": lambda: self.infer(x),
            "forward": lambda: (self._forward(x),),
            "loss": lambda: self._score(x, y),
            "gradients": lambda: self.gradients(x, y),
            "train_step": lambda: self.train_step(x, y),
        }

    def infer(self, x):
        with torch.inference_mode():
            return self._predict(x)

    def gradients(self, x, y):
        self._optimizer.zero_grad()
        z, loss = self._score(x, y)
        loss.backward()
        return z, loss

    def train_step(self, x, y):
        result = self.gradients(x, y)
        self._step()
        return result

    def weights(self):
        return {name: _canonical(p) for name, p in self._net.named_parameters()}

    def gradients_in(self, result):
        return {name: _canonical(p.grad) for name, p in self._net.named_parameters()}


def _canonical(tensor):
    return tensor.detach().permute(TO_CANONICAL[tensor.ndim]).numpy().copy()
