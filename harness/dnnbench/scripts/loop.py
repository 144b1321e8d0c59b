"""What every script ends with: the loop that times, and its command line.

Scripts hold these functions as they stand here, so they bear no types.
"""

import argparse
import gc
import time
from statistics import median

import numpy as np


def seconds_a_call(start, call, wait, calls, seconds):
    """Median over visits of so many calls each, for so many seconds and ten visits at least."""
    visits = []
    end = time.perf_counter() + seconds
    while time.perf_counter() < end or len(visits) < 10:
        start()
        warm_up(call, wait, 0.005 if visits else 0.2)
        gc.disable()
        begin = time.perf_counter()
        for _ in range(calls):
            wait(call())
        visits.append((time.perf_counter() - begin) / calls)
        gc.enable()
    return median(visits)


def warm_up(call, wait, seconds):
    """Untimed calls for so many seconds, one at least."""
    end = time.perf_counter() + seconds
    wait(call())
    while time.perf_counter() < end:
        wait(call())


def main(start, call, wait, answers, calls):
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=2.0, help="how long to time")
    parser.add_argument("--check", metavar="FILE", help="write what a call computes, time nothing")
    parser.add_argument("--steps", type=int, default=1, help="calls before --check writes")
    options = parser.parse_args()
    if options.check:
        start()
        for _ in range(options.steps):
            result = call()
            wait(result)
        np.savez(options.check, **answers(result))
    else:
        milliseconds = 1e3 * seconds_a_call(start, call, wait, calls, options.seconds)
        print(f"{milliseconds:.4g} ms a call")
