"""Real backends with one wrong convention planted in each:
what `dnnbench check` must find, and name.
"""
