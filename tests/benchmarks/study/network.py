"""A network of the zoo as a step: its forward and backward pass, by the backend that users time.

What it needs is imported where it is made: workers of other steps must not start with it
in their memory.
"""

from collections.abc import Callable

NETWORK = "cnn_digits"


def gradients_of(backend: str) -> Callable[[int], Callable[[], object]]:
    """What makes the step of so many passes: a Program of its own each time,
    the weights and the batch always alike.
    """

    def make(passes: int) -> Callable[[], object]:
        from dnnbench.data.dataset import load
        from dnnbench.execution.batch import timing_batch
        from dnnbench.plugins.catalog import find_workload
        from dnnbench.plugins.discovery import load_backend, plugins
        from dnnbench.protocol.arm import Arm
        from dnnbench.spec.weights import initial_weights

        workload, info = find_workload(NETWORK), plugins().backend(backend)
        arm, framework = Arm(backend, info.default_mode), load_backend(info.target)
        framework.configure(arm)
        program = framework.build(workload, initial_weights(workload.model, 0), arm, 0)
        batch = program.put(timing_batch(load(workload), workload.batch_size, 0))
        return lambda: [program.wait(program.gradients(batch)) for _ in range(passes)]

    return make
