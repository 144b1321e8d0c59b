"""Sources of plugins that tests install."""

HEAD = """
from dnnbench.plugins.hooks import BackendInfo, WorkloadInfo, hookimpl
from dnnbench_workloads.digits import mlp_digits

def info(name="fine", **changes):
    values = dict(title="Fine", modes=("eager",), default_mode="eager", target="fine:Backend")
    return BackendInfo(name, **(values | changes))

def net(name="net", build=mlp_digits, **changes):
    return WorkloadInfo(name, "a net", build, **changes)

"""
OWN = ("jax", "tensorflow", "torch", "numpy")
BESIDE_OWN = ("onnxruntime",)
"""Of a distribution of its own, which is here or not."""


def beside_own(*names):
    """In the order of `Plugins.backends`."""
    return [*OWN[:-1], *names, OWN[-1]]


def backends(expression):
    return f"{HEAD}@hookimpl\ndef dnnbench_backends():\n    return {expression}\n"


def workloads(expression, before=""):
    return f"{HEAD}{before}\n@hookimpl\ndef dnnbench_workloads():\n    return {expression}\n"


def faults_of(all_):
    _ = all_.backends, all_.workloads
    return [str(fault) for fault in all_.faults]
