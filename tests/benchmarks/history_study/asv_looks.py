"""asv's own rule on a file of series, in an environment of its own: `PYTHON asv_looks.py IN OUT`.

IN: .npy of (series, nights), seconds.  OUT: .npy of answers.  The first look is at `FIRST` nights.
Source: asv.step_detect, as `asv publish` calls it; its regressions are of 5 % and more.
"""

import sys

import numpy as np
from asv.step_detect import detect_regressions, detect_steps

FIRST = 6
THRESHOLD = 0.05


def main() -> None:
    series = np.load(sys.argv[1])
    alarms = np.zeros(series.shape, bool)
    for row, values in enumerate(series):
        for night in range(FIRST - 1, series.shape[1]):
            steps = detect_steps(list(values[: night + 1]))
            _, _, positions = detect_regressions(steps, threshold=THRESHOLD)
            alarms[row, night] = bool(positions)
    np.save(sys.argv[2], alarms)


if __name__ == "__main__":
    main()
