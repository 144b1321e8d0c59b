"""A network in forms that others read: ONNX."""
