"""A workload file as data, and edits of it."""

import copy
import re

GOOD = {
    "name": "net",
    "model": {
        "name": "net",
        "inputs": [{"name": "image", "shape": [8, 8, 1]}],
        "nodes": [
            {"name": "flat", "inputs": ["image"], "op": {"kind": "flatten"}},
            {"name": "fc1", "inputs": ["flat"], "op": {"kind": "dense", "units": 10}},
        ],
        "outputs": ["fc1"],
    },
}
CONV = {
    "name": "conv",
    "inputs": ["image"],
    "op": {"kind": "conv2d", "filters": 2, "kernel": [3, 3]},
}


def edited(edits):
    """GOOD with values put at key paths; None deletes, an index one past the end appends."""
    raw = copy.deepcopy(GOOD)
    for path, value in edits.items():
        *way, last = [
            int(part) if part.isdigit() else part for part in re.findall(r"[^.\[\]]+", path)
        ]
        place = raw
        for part in way:
            place = place[part]
        if value is None:
            del place[last]
        elif isinstance(place, list) and last == len(place):
            place.append(value)
        else:
            place[last] = value
    return raw


FC1 = "model.nodes[1]"
