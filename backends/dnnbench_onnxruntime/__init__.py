"""ONNX Runtime as a backend of dnnbench."""
