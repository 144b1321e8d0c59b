"""Cells of TensorFlow as scripts of their own; imports no TensorFlow."""
