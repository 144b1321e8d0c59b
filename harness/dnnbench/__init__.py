"""dnnbench: the same network, every framework, one number you can trust."""

__version__ = "0.1.0"
