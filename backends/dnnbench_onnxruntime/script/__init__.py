"""Cells of ONNX Runtime as scripts of their own; imports no ONNX Runtime."""
