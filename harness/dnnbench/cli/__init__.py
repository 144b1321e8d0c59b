"""The terminal's side of dnnbench: one file a command, imported only when
that command is called.
"""
