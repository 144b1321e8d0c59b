"""Within which share two times count as the same, unless another is asked for.

In a file of its own: defaults of the command line need no array code.
"""

THETA = 0.02
