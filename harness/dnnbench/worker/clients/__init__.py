"""The services of a worker as its parent calls them:
the same methods, answered by another process.
"""
