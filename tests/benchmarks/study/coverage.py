"""How often the 95 % interval holds the truth."""

import math
from typing import TYPE_CHECKING

import numpy as np

from .bounds import Count
from .outcomes import count

if TYPE_CHECKING:
    import pandas as pd


def nominal(found: "pd.DataFrame") -> Count:
    """Truth: log(1 + extra work), as the sub-steps were counted."""
    return count(_holds(found, found["truth"]))


def against_pooled(found: "pd.DataFrame") -> Count:
    """Truth: the mean log ratio over all trials with the same extra work,
    which needs no trust in the sub-steps.
    """
    logs = np.log(found["value"])
    return count(_holds(found, logs.groupby([found["kind"], found["extra"]]).transform("mean")))


def bias(found: "pd.DataFrame") -> float:
    """Mean of log ratio minus truth; NaN of nothing."""
    return float((np.log(found["value"]) - found["truth"]).mean()) if len(found) else math.nan


def rms_error(found: "pd.DataFrame") -> float:
    """Root mean square of log ratio minus truth."""
    return (
        float(np.sqrt(np.square(np.log(found["value"]) - found["truth"]).mean()))
        if len(found)
        else math.nan
    )


def _holds(found: "pd.DataFrame", truth: "pd.Series") -> "pd.Series":
    return (np.log(found["low"]) <= truth) & (truth <= np.log(found["high"]))
