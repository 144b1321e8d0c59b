"""`python -m dnnbench.plugins.tell_network FILE`: the network in a file, `net.py:NAME` or .toml or
.json, as this interpreter reads it, as JSON.

A file at a revision may import what is installed with that revision alone: another dnnbench asks
the interpreter of its environment.
"""

import json
import sys
from collections.abc import Mapping
from typing import Any

from ..errors import DnnbenchError
from ..spec.workload import Workload
from .catalog import find_workload


def as_document(text: str) -> dict[str, Any]:
    """What `read_document` reads: the workload, or why there is none."""
    try:
        return {"workload": find_workload(text).model_dump(mode="json")}
    except DnnbenchError as error:
        return {"error": str(error)}


def read_document(document: Mapping[str, Any]) -> tuple[Workload | None, str]:
    """(the workload, why there is none); KeyError or ValueError for another document."""
    if "error" in document:
        return None, str(document["error"])
    return Workload.model_validate(document["workload"]), ""


if __name__ == "__main__":
    print(json.dumps(as_document(sys.argv[1])))
