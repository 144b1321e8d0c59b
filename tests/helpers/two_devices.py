"""A worker's service with two logical CPUs in TensorFlow, which only the process itself can ask for."""

from dnnbench.worker.service import Service


class TwoCpus(Service):
    """Service, after TensorFlow has been told to split its CPU."""

    def start(self, arm: dict, target: str) -> dict:
        import tensorflow as tf

        cpu = tf.config.list_physical_devices("CPU")[0]
        if tf.config.get_logical_device_configuration(cpu) is None:  # at the first start: later it is too late
            tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration() for _ in range(2)])
        return super().start(arm, target)
