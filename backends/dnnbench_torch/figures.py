"""What is counted of a call: operators that PyTorch dispatches or captures, FLOPs, graph breaks."""

import torch
from dnnbench.protocol.figures import Figure, FigureKind
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode, flop_registry

MEMORY = "[memory]"
"""Name of the profiler's events that are the allocator's."""


class _Dispatched(TorchDispatchMode):
    """Counts what reaches a kernel, backpropagation and update among it."""

    def __init__(self):
        super().__init__()
        self.count = 0

    def __torch_dispatch__(self, function, types, arguments=(), named=None):
        self.count += 1
        return function(*arguments, **(named or {}))


def of_call(call):
    """Figures of a call that is not compiled."""
    with _Dispatched() as dispatched:
        call()
    with FlopCounterMode(display=False) as counter:
        call()
    return [
        Figure("operators", dispatched.count, "operators"),
        Figure("flops", counter.get_total_flops(), "FLOP"),
        *allocations(call),
    ]


def allocations(call):
    """How often a call asks PyTorch's allocator for memory, and for how much in all."""
    activities = [torch.profiler.ProfilerActivity.CPU]
    with torch.profiler.profile(activities=activities, profile_memory=True) as profiler:
        call()
    records = profiler.profiler.kineto_results.events()
    sizes = [record.nbytes() for record in records if record.name() == MEMORY]
    taken = [size for size in sizes if size > 0]  # what is given back is below 0
    return [
        Figure("allocations", len(taken), "allocations", FigureKind.COUNTED),
        Figure("allocated_bytes", sum(taken), "B", FigureKind.COUNTED),
    ]


class Captured:
    """Counts the graphs that torch.compile captures, forwards and backwards, in ATen's operators.

    backend: for torch.compile; what it is given runs op by op.
    """

    def __init__(self):
        from torch._dynamo.backends.common import aot_autograd

        self.graphs = self.operators = self.flops = 0
        self.backend = aot_autograd(fw_compiler=self._counted)

    def figures(self, graph_breaks, compilations, kernels):
        """Of what was captured.

        graph_breaks: of the call  compilations, kernels: of the program, for all calls so far.
        """
        return [
            Figure("operators", self.operators, "operators"),
            Figure("flops", self.flops, "FLOP"),
            Figure("graphs", self.graphs, "graphs"),
            Figure("graph_breaks", graph_breaks, "breaks"),
            Figure("compilations", compilations, "graphs"),
            Figure("kernels", kernels, "kernels"),
        ]

    def _counted(self, module, example_inputs):
        from functorch.compile import make_boxed_func

        called = [node for node in module.graph.nodes if node.op == "call_function"]
        self.graphs += 1
        self.operators += sum(isinstance(node.target, torch._ops.OpOverload) for node in called)
        self.flops += sum(map(_flops, called))
        return make_boxed_func(module.forward)


def _flops(node):
    """Of an operator that PyTorch has a formula for: products, convolutions and attention."""
    formula = flop_registry.get(getattr(node.target, "overloadpacket", None))
    if formula is None:
        return 0
    arguments, named = torch.fx.map_arg((node.args, node.kwargs), lambda n: n.meta["val"])
    return formula(*arguments, **named, out_val=node.meta["val"])
