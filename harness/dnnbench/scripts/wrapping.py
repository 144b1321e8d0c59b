"""Lines of a script, broken as Python's formatters break them."""

WIDTH = 100
INDENT = "    "
PLUS = " + "


def line(code: str, comment: str = "", depth: int = 1) -> str:
    """A statement with its comment beside it, or above where both do not fit in a line."""
    before = INDENT * depth
    beside = f"{before}{code}  # {comment}"
    if not comment:
        return broken(code, depth)
    if len(beside) <= WIDTH:
        return beside
    return f"{before}# {comment}\n{broken(code, depth)}"


def broken(code: str, depth: int = 0, width: int = WIDTH) -> str:
    """A statement in one line if it fits; else a term a line, or what its last brackets hold."""
    before = INDENT * depth
    if len(before) + len(code) <= width:
        return before + code
    target, equals, value = code.partition(" = ")
    if equals and len(terms := _split(value, PLUS)) > 1:
        inside = "\n".join([f"{before}{INDENT}{terms[0]}", *_added(terms[1:], depth)])
        return f"{before}{target} = (\n{inside}\n{before})"
    if code[-1] not in ")]}":
        return before + code
    opening = _opening(code)
    return (
        f"{before}{code[: opening + 1]}\n{_held(code[opening + 1 : -1], depth)}{before}{code[-1]}"
    )


def _added(terms: list[str], depth: int) -> list[str]:
    return [f"{INDENT * (depth + 1)}+ {term}" for term in terms]


def _held(inside: str, depth: int) -> str:
    """What brackets hold: in one line of its own, or an element a line."""
    if len(INDENT) * (depth + 1) + len(inside) <= WIDTH:
        return f"{INDENT * (depth + 1)}{inside}\n"
    parts = _split(inside, ", ")
    return "".join(f"{broken(part, depth + 1, WIDTH - 1)},\n" for part in parts)


def _opening(code: str) -> int:
    """Where the brackets begin that the code ends with."""
    depth = 0
    for place in range(len(code) - 1, -1, -1):
        depth += (code[place] in ")]}") - (code[place] in "([{")
        if depth == 0:
            return place
    raise ValueError(f"brackets do not match in {code!r}")


def _split(code: str, separator: str) -> list[str]:
    """What the separator separates outside of brackets."""
    parts, depth, start = [], 0, 0
    for place, character in enumerate(code):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0 and code.startswith(separator, place):
            parts.append(code[start:place])
            start = place + len(separator)
    return [*parts, code[start:]]
