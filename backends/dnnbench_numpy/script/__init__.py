"""Cells of NumPy as scripts of their own."""
