"""dnnbench's own backends, whatever other plugins a test has put on the path of its process."""

REFERENCE = "numpy"
CONTENDERS = ("torch", "tensorflow", "jax")
OWN = (*CONTENDERS, REFERENCE)
