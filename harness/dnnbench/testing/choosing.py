"""Which cases and laws an arm is asked about: all, or those that an expression such
as `softmax and not float32` fits.
"""

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from ..errors import UsageError
from ..wording import near_miss, shortened
from .families import FAMILIES
from .law_checks import law_dtype
from .laws import LAWS

MOST_CHARACTERS = 500


@dataclass(frozen=True)
class Selection:
    """Cases by element type, and laws, all in one type; a type without a case is left out."""

    cases: Mapping[str, tuple[str, ...]]
    laws: tuple[str, ...]
    law_dtype: str


def everything(dtypes: Sequence[str]) -> Selection:
    """Every case in every element type, and every law."""
    return Selection(dict.fromkeys(dtypes, tuple(FAMILIES)), tuple(LAWS), law_dtype(dtypes))


def those_that_fit(expression: str, dtypes: Sequence[str]) -> Selection:
    """What a `-k` expression fits, as pytest's does: words, each a part of a name, joined by and,
    or, not, parentheses.

    The name of a case is its element type, its family and itself; that of a law its element type,
    `law` and itself. UsageError for what is no expression, and if nothing fits.
    """
    fits, whole = _matcher(expression), everything(dtypes)

    def fitting(dtype: str, cases: Sequence[str]) -> tuple[str, ...]:
        return tuple(case for case in cases if fits(f"{dtype} {FAMILIES[case]} {case}"))

    by_dtype = {dtype: fitting(dtype, cases) for dtype, cases in whole.cases.items()}
    laws = tuple(law for law in LAWS if fits(f"{whole.law_dtype} law {law}"))
    if not laws and not any(by_dtype.values()):
        near = near_miss(expression, [*FAMILIES, *FAMILIES.values(), *LAWS])
        raise UsageError(
            f"-k '{shortened(expression)}': no case and no law fits{near}; without -k all are asked"
        )
    return Selection(
        {dtype: cases for dtype, cases in by_dtype.items() if cases}, laws, whole.law_dtype
    )


def _matcher(expression: str) -> Callable[[str], bool]:
    try:
        if len(expression) > MOST_CHARACTERS:
            raise SyntaxError
        return _compiled(ast.parse(expression.strip().lower(), mode="eval").body)
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):  # as ast.parse tells what nests too deeply
        wanted = (
            f"words joined by and, or, not and parentheses, {MOST_CHARACTERS} characters at most"
        )
        raise UsageError(
            f"-k '{shortened(expression)}': expected {wanted}, such as 'softmax and not float32'"
        ) from None


def _compiled(node: ast.expr) -> Callable[[str], bool]:
    match node:
        case ast.Name(id=word):
            return lambda name: word in name
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            inner = _compiled(operand)
            return lambda name: not inner(name)
        case ast.BoolOp(op=operator, values=values):
            parts = [_compiled(value) for value in values]
            combine = all if isinstance(operator, ast.And) else any
            return lambda name: combine(part(name) for part in parts)
    raise SyntaxError
