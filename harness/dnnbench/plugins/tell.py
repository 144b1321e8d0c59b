"""`python -m dnnbench.plugins.tell`: the backends that an interpreter's plugins announce, as JSON.

What an environment brings is known there alone: another dnnbench asks its interpreter.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from typing import Any

from .discovery import Plugins, plugins
from .hooks import BackendInfo


def as_document(here: Plugins) -> dict[str, Any]:
    """What `read_document` reads: backends, and in one line for each plugin what is wrong."""
    infos = [asdict(info) for info in here.backends.values()]
    complaints = {str(origin): line for origin, line in here.complaints().items()}
    return {"backends": infos, "complaints": complaints}


def read_document(document: Mapping[str, Any]) -> tuple[dict[str, BackendInfo], dict[str, str]]:
    """(backend by name, complaint by plugin); KeyError, TypeError for another document."""
    infos = [_info(info) for info in document["backends"]]
    return {info.name: info for info in infos}, dict(document["complaints"])


def _info(document: Mapping[str, Any]) -> BackendInfo:
    values = {field.name: document[field.name] for field in fields(BackendInfo)}
    lists = {name: tuple(value) for name, value in values.items() if isinstance(value, list)}
    return BackendInfo(**values | lists)


if __name__ == "__main__":
    print(json.dumps(as_document(plugins())))
