"""The scripts of the page, each inlined whole, and the policy under which nothing else runs."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

ORDER = ("page", "tables", "filters", "words", "base", "charts", "cells")
"""Files of `report/scripts` without their ending, in the order in which they run."""
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'; style-src 'unsafe-inline'"
"""A page loads nothing and sends nothing; styles may stand in it, and cannot load either."""


@dataclass(frozen=True)
class Script:
    """A text that the browser runs."""

    text: str

    def __post_init__(self) -> None:
        if "</script" in self.text or "<!--" in self.text or "\r" in self.text:
            raise ValueError("a script of the page holds a text that would end it, or a \\r")

    @property
    def source(self) -> str:
        """What a policy calls it by: the hash of all its bytes."""
        digest = hashlib.sha256(self.text.encode()).digest()
        return f"'sha256-{base64.b64encode(digest).decode()}'"


def policy(scripts: Sequence[Script]) -> str:
    """What a browser may do with the page: run these scripts, and no text as code."""
    if not scripts:
        return NOTHING
    return f"{NOTHING}; script-src {' '.join(script.source for script in scripts)}"


@cache
def own_script() -> Script:
    """All files of dnnbench as one, in a scope of its own."""
    texts = "\n".join(text_of(f"{name}.js") for name in ORDER)
    return Script(f'(() => {{\n"use strict";\n{texts}\n}})();\n')


def text_of(name: str) -> str:
    """A file of `report/scripts`."""
    return files("dnnbench.report").joinpath("scripts", name).read_text(encoding="utf-8")
