"""Cells of PyTorch as scripts of their own; imports no PyTorch."""
