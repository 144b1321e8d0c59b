"""Counts what a check catches and what an explanation names: planted faults, and honest checks
beside them.
"""
