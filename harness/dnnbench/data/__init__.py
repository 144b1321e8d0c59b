"""The examples a network learns from: reading, fitting to the network,
and the order they come in.
"""
