"""Straight-line code written from a network's graph: what a user of PyTorch writes by hand."""

import torch
from dnnbench.protocol.evaluation import evaluate, inference, outputs, training
from dnnbench.protocol.precision import cast_around
from torch import fx

from . import losses, ops, profiling
from .layouts import natural, parameter_layout, tensor_layout

RETURNED = {
    "infer": ("outputs", "prediction"),
    "forward": ("outputs", "state"),
    "loss": ("outputs", "state", "loss"),
    "loss_alone": ("loss",),
    "activations": ("values",),
    "cotangents": ("loss",),
}
"""What the function written for a phase returns."""


def parameter_layouts(model):
    """Layout of every parameter and state by name: the one its users want,
    canonical where they want several.
    """
    wanted = {c.name: {tensor_layout(c.type)} for c in model.constants}
    shapes = {
        name: parameter.shape for name, parameter in {**model.parameters, **model.state}.items()
    }
    for node in model.nodes:
        learned, kept = model.roles(node)
        for role, name in {**learned, **kept}.items():
            wanted.setdefault(name, set()).add(parameter_layout(node.op, role, shapes[name]))
    agreed = {name: layouts.pop() for name, layouts in wanted.items() if len(layouts) == 1}
    return {name: agreed.get(name, natural(len(shape))) for name, shape in shapes.items()}


def reached_nodes(model):
    """Names of the nodes that backpropagation carries a gradient to."""
    return [
        node.name
        for node in model.nodes
        if node.name in model.learned or node.name == model.outputs[0]
    ]


def straight_line(workload, phase, mask_names, layouts, precision, marked=False):
    """A function of (inputs, targets, masks, weights, state, probes) that computes one
    phase's result.

    The graph is walked once with stand-ins for tensors, and torch.fx writes down what
    they were used for. A random node that `mask_names` leaves out draws its own mask.
    For `cotangents` a probe of zeros is added to every node's
    value: dL/dprobe is what flows there, whether or not the function is compiled.
    marked: whether the profiler is told where each node begins and ends.
    """
    graph = fx.Graph()
    recorder = fx.proxy.GraphAppendingTracer(graph)
    names = ("inputs", "targets", "masks", "weights", "state")
    proxies = {name: fx.Proxy(graph.placeholder(name), recorder) for name in names}
    proxies["probes"] = fx.Proxy(graph.placeholder("probes", default_value=None), recorder)
    with torch.set_grad_enabled(
        phase != "infer"
    ):  # some kernels are told whether backpropagation will follow
        around = _marks(recorder) if marked else _no_marks
        values, state = _walk(
            workload.model, phase, proxies, mask_names, layouts, precision, around
        )
        result = _result(workload, phase, values, state, proxies["targets"], precision)
    graph.output(recorder.create_arg(result))
    return fx.GraphModule({}, graph).forward


def _no_marks(apply):
    return apply


def _marks(recorder):
    """What writes a mark around the code of each node."""

    def around(apply):
        def marked(node, *arguments):
            mark = recorder.create_proxy("call_function", profiling.enter, (node.name,), {})
            value = apply(node, *arguments)
            recorder.create_proxy("call_function", profiling.leave, (mark,), {})
            return value

        return marked

    return around


def _walk(model, phase, proxies, mask_names, layouts, precision, around):
    """Value of every node that the phase is about, and state after the pass, as stand-ins."""
    if phase == "loss_alone":
        return {model.outputs[0]: proxies["inputs"][model.outputs[0]]}, {}
    masks = {name: proxies["masks"][name] for name in mask_names}
    apply = inference(ops) if phase == "infer" else training(ops, masks, lambda node: None)
    apply = around(cast_around(model, _recording(model, apply, layouts), precision, _cast))
    if phase == "cotangents":
        apply = _probed(apply, reached_nodes(model), proxies["probes"])
    inputs = {i.name: proxies["inputs"][i.name] for i in model.inputs}
    weights = {name: proxies["weights"][name] for name in model.parameters}
    state = {name: proxies["state"][name] for name in model.state}
    if phase == "infer":
        return outputs(model, inputs, weights, state, apply), state
    return evaluate(model, inputs, weights, state, apply)


def _recording(model, apply, layouts):
    """`apply` with arguments that know their shapes, and parameters laid as the op wants them."""
    constants = {c.name for c in model.constants}

    def as_read(name, x):
        wanted = tensor_layout(model.types[name])
        laid = x if name not in constants or layouts[name] == wanted else wanted.inside(x)
        return _shaped(laid, model.types[name])

    def as_wanted(node, role, parameter):
        name = model.roles(node)[0][role]
        wanted = parameter_layout(node.op, role, model.parameters[name].shape)
        return parameter if layouts[name] == wanted else wanted.inside(parameter)

    def applied(node, arguments, parameters, state):
        read = [as_read(name, x) for name, x in zip(node.inputs, arguments, strict=True)]
        turned = {role: as_wanted(node, role, parameter) for role, parameter in parameters.items()}
        return apply(node, read, turned, state)

    return applied


def _probed(apply, nodes, probes):
    def applied(node, arguments, parameters, state):
        value, changed = apply(node, arguments, parameters, state)
        if node.name in nodes:
            value = value + probes[node.name].type_as(value)
        return value, changed

    return applied


def _cast(x, type):
    return x.to(getattr(torch, type))


def _shaped(proxy, type):
    """A stand-in that knows its axes inside, but not N."""
    canonical = (None,) * type.batched + tuple(type.shape)
    proxy.shape = tuple(canonical[axis] for axis in tensor_layout(type).axes) or (1,)
    proxy.ndim = len(proxy.shape)
    return proxy


def _result(workload, phase, values, state, targets, precision):
    task, model = workload.task, workload.model

    def first(cast):
        name = model.outputs[0]
        y = _cast(values[name], precision.weights) if cast else values[name]
        return _shaped(y, model.types[name])

    parts = {
        "outputs": lambda: {name: values[name] for name in model.outputs},
        "prediction": lambda: getattr(losses, task.loss.prediction)(first(cast=False)),
        "state": lambda: state,
        "loss": lambda: getattr(losses, task.loss.kind)(
            task.loss, first(cast=precision.low), targets
        ),
        "values": lambda: {node.name: values[node.name] for node in model.nodes},
    }
    return {part: parts[part]() for part in RETURNED[phase]}


def compiler_counts():
    """What Dynamo has compiled in this process, how often it could not go on in one graph, and how
    many kernels Inductor made of it, or found in its cache.
    """
    from torch._dynamo.utils import counters
    from torch._inductor import metrics

    return {
        "compilations": counters["stats"]["unique_graphs"],
        "graph_breaks": sum(counters["graph_break"].values()),
        "kernels": metrics.generated_kernel_count,
    }
