"""How backends and workloads are found: through entry points, own ones exactly
as a third party's.
"""
