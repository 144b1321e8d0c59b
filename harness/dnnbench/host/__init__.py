"""This machine: what it is, its CPUs, memory, energy, GPUs and clock, and who else uses them."""
