"""Kinds of equal series: what nights may be like where nothing changed.

The parts have the shares that were recorded on the machine with most sittings (0.16, 0.21, 0.40 %
within a run, between runs, between sittings); how days follow each other is assumed.
"""

from dataclasses import replace

from .simulating import Parts

SD = 0.01
"""Of a point."""
INDEPENDENT = Parts(within=0.157, runs=0.206, days=0.403).scaled(SD)
CARRIED = replace(INDEPENDENT, carry=0.5)
"""A day resembles the one before: neighbours correlate by 0.35."""
ALONE = Parts(0, 0, SD)
KINDS = {
    "independent nights": INDEPENDENT,
    "days carry over by 0.3": replace(INDEPENDENT, carry=0.3),
    "days carry over by 0.5": CARRIED,
    "long tails (Student's t, 3 degrees)": replace(INDEPENDENT, tail=3),
    "long tails (4 degrees), days carry over by 0.5": replace(CARRIED, tail=4),
    "2 % of the runs slower by 5 to 30 %": replace(INDEPENDENT, outliers=0.02),
    "5 % of the runs slower by 5 to 30 %": replace(INDEPENDENT, outliers=0.05),
    "2 % of the runs slower, days carry over by 0.5": replace(CARRIED, outliers=0.02),
}
"""By what the table calls them."""
BEYOND = {
    "days carry over by 0.7": replace(INDEPENDENT, carry=0.7),
    "nothing but days, which carry over by 0.5": replace(ALONE, carry=0.5),
    "nothing but days, which carry over by 0.7": replace(ALONE, carry=0.7),
    "nothing but days, which carry over by 0.9": replace(ALONE, carry=0.9),
}
"""The rule is not calibrated for these: a level that wanders is hardly told from one that jumps."""
