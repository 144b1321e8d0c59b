"""How often `dnnbench gate --git` is right: commits whose truth is known, each through the command
as a user types it, with environments that pip made and agreement checked.
"""
