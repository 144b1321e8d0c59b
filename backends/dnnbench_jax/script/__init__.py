"""Cells of JAX as scripts of their own; imports no JAX."""
