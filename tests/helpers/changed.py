"""`python -m helpers.changed CHANGES ARGUMENT...`: dnnbench's command line with some attributes
of its modules changed.

CHANGES: a JSON object, `module:NAME` -> value. A text that begins with `helpers.` names one
of the tests' stand-ins.
"""

import json
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from typing import Any


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


def changed_main(changes: Mapping[str, Any], arguments: Sequence[str]) -> int:
    """What dnnbench's command line comes to once the changes are made; its exit code."""
    from dnnbench.cli.main import main

    for target, value in changes.items():
        replacement = value_of(value)
        setattr(*place_of(target), replacement)
    sys.argv = ["dnnbench", *arguments]
    return main()


if __name__ == "__main__":
    _, text, *rest = sys.argv
    sys.exit(changed_main(json.loads(text), rest))
