"""`python -m helpers.changed CHANGES ARGUMENT...`: dnnbench's command line with some attributes
of its modules changed.

CHANGES: a JSON object, `module:NAME` -> value. A text that begins with `helpers.` names one
of the tests' stand-ins.
"""

import json
import sys
from importlib import import_module
from typing import Any

from dnnbench.cli.main import main


def place_of(target: str) -> tuple[Any, str]:
    """Owner and name of an attribute.

    AttributeError if there is none, so that no change is in vain.
    """
    module, _, path = target.partition(":")
    *owners, name = path.split(".")
    owner = import_module(module)
    for part in owners:
        owner = getattr(owner, part)
    getattr(owner, name)
    return owner, name


def value_of(value: Any) -> Any:
    """What an attribute becomes."""
    if isinstance(value, str) and value.startswith("helpers."):
        owner, name = place_of(value)
        return getattr(owner, name)
    return value


if __name__ == "__main__":
    _, changes, *arguments = sys.argv
    for target, value in json.loads(changes).items():
        replacement = value_of(value)
        setattr(*place_of(target), replacement)
    sys.argv = ["dnnbench", *arguments]
    sys.exit(main())
