"""A measured cell as a script of its framework alone: the network as code, and its timing."""
