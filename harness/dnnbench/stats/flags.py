"""What a visit or its round was disturbed by: bits that are stored with it.

`host.contention` says what the kernel must show for each of them, and with which limit.
"""

STEAL, PRESSURE, THROTTLED, SWITCHED, GPU_SLOWED, GPU_SHARED, PAUSED = 1, 2, 4, 16, 32, 64, 128
UNSETTLED = 8
"""No counter's flag: that of visits whose phase did not reach a steady state while warming up."""
WAITED = 256
"""Of one visit, not of its round: a thread of the worker waited for a CPU."""
SINGLE = 512
"""No disturbance: a call that was timed by itself, after the rounds, and is in none of them."""
