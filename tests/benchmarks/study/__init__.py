"""The study that proves the measuring method: recorded in sittings, replayed at will,
written up in docs/proof.md.
"""
