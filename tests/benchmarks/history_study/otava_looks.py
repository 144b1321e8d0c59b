"""Apache Otava's own E-divisive search on a file of series, in an environment of its own:
`PYTHON otava_looks.py IN OUT`.

IN: .npy of (series, nights), seconds.  OUT: .npy of answers.  Its options are the defaults of
`otava analyze`.
"""

import sys

import numpy as np
from otava.series import AnalysisOptions, Metric, Series

FIRST = 10


def main() -> None:
    series = np.load(sys.argv[1])
    alarms = np.zeros(series.shape, bool)
    for row, values in enumerate(series):
        for night in range(FIRST - 1, series.shape[1]):
            alarms[row, night] = _is_slower(values[: night + 1])
    np.save(sys.argv[2], alarms)


def _is_slower(values) -> bool:
    times = list(range(len(values)))
    one = Series("s", None, times, {"t": Metric(1, 1.0)}, {"t": list(values)}, {})
    changes = one.analyze(AnalysisOptions()).change_points["t"]
    return any(change.forward_change_percent() > 0 for change in changes)


if __name__ == "__main__":
    main()
