"""A worker's services with two logical CPUs in TensorFlow, which only the process itself
can ask for.
"""

from dnnbench.worker.server.offer import WorkerServices


class TwoCpus(WorkerServices):
    """Made after TensorFlow has been told to split its CPU."""

    def __init__(self):
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        tf.config.set_logical_device_configuration(
            cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(2)]
        )
        super().__init__()
