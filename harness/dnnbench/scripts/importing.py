"""The import statements of a script, in the order that people keep them in."""

import sys
from collections import defaultdict
from collections.abc import Iterable

from .cutting import Import


def import_lines(imports: Iterable[Import]) -> tuple[list[str], list[str]]:
    """(those of the standard library, the others)"""
    once = set(imports)
    own = {each for each in once if each.module.split(".")[0] in sys.stdlib_module_names}
    return _lines(own), _lines(once - own)


def _lines(imports: set[Import]) -> list[str]:
    whole = [each for each in imports if not each.name]
    parts: dict[str, list[str]] = defaultdict(list)
    for each in imports - set(whole):
        renamed = f" as {each.bound}" if each.bound != each.name else ""
        parts[each.module].append(each.name + renamed)
    lines = sorted(_import_of(each) for each in whole)
    for module, names in sorted(parts.items()):
        lines.append(f"from {module} import {', '.join(sorted(names))}")
    return lines


def _import_of(each: Import) -> str:
    plain = each.bound == each.module.partition(".")[0]
    return f"import {each.module}" + ("" if plain else f" as {each.bound}")
