"""Elements that lie apart: one of many may where it says nothing, no more and no other."""

import numpy as np
import pytest
from equal import MANY, Unequal, require_equal


def apart(places, count=MANY, by=1.0):
    """Ones on one side; the other differs at some places."""
    theirs = np.ones(count)
    theirs[list(places)] += by
    return {"w": np.ones(count)}, {"w": theirs}


def test_one_of_many_may_stray():
    assert require_equal("weights", *apart([7]), strays=1) == 0


@pytest.mark.parametrize(
    ("sides", "strays"),
    [
        (apart([7]), 0),
        (apart([7, 8]), 1),
        (apart([7], count=MANY - 1), 1),
        (apart([7], by=np.nan), 1),
    ],
    ids=["none may", "two do", "one of few", "no number"],
)
def test_others_may_not(sides, strays):
    with pytest.raises(Unequal, match="'w' differs by"):
        require_equal("weights", *sides, strays=strays)


def test_those_that_stay_are_held_to_the_bound():
    ours, theirs = apart([7])
    theirs["w"][1:5] += 1e-3
    with pytest.raises(Unequal, match="'w' differs by"):
        require_equal("weights", ours, theirs, strays=1)
