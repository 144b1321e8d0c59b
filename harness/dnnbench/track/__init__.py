"""Runs over time: whether a later one is slower than an earlier one."""
