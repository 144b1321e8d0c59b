"""dnnbench's programs beside the same networks as a careful user of each framework writes them,
written up in docs/fidelity.md.
"""
