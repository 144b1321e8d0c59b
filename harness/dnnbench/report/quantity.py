"""Numbers as people read them: three digits, a unit, and the interval beside the value."""

import math
from collections.abc import Callable
from typing import TypeGuard

MISSING = "–"
LEAST_PLAIN, MOST_PLAIN = 1e-5, 1e7
_PREFIXES = ("", "k", "M", "G", "T", "P", "E")
_SECONDS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def present(value: object) -> TypeGuard[float]:
    """Whether there is a number: not None, not NaN, not pandas' NA."""
    return value is not None and str(value) != "<NA>" and value == value


def digits(value: float | None, count: int = 3) -> str:
    """`count` significant digits: 0.0123 -> '0.0123', 1234.5 -> '1,230'; the very large with an
    exponent.
    """
    if not present(value):
        return MISSING
    if not math.isfinite(value):
        return "∞" if value > 0 else "-∞"
    if value == 0:
        return "0"
    rounded = float(f"{value:.{count - 1}e}")
    if not LEAST_PLAIN <= abs(rounded) < MOST_PLAIN:
        return f"{value:.1e}"
    places = count - 1 - math.floor(math.log10(abs(rounded)))
    return f"{rounded:,.{max(places, 0)}f}"


def scaled(value: float | None, unit: str) -> str:
    """1234567, 'B' -> '1.23 MB': powers of 1000."""
    if not present(value):
        return MISSING
    step = 0
    while abs(value) >= 999.5 and step < len(_PREFIXES) - 1:
        value, step = value / 1000, step + 1
    return f"{digits(value)} {_PREFIXES[step]}{unit}"


def seconds(value: float | None, count: int = 3) -> str:
    """0.00123 -> '1.23 ms': the unit that leaves one to three digits before the point.

    count: of significant digits.
    """
    if not present(value):
        return MISSING
    size, unit = next((pair for pair in _SECONDS if abs(value) >= 0.9995 * pair[0]), _SECONDS[-1])
    return f"{digits(value / size, count)} {unit}"


def milliseconds(value_s: float | None) -> str:
    """0.00123 -> '1.23', without the unit: for columns that say it."""
    return digits(value_s * 1e3) if present(value_s) else MISSING


def ratio(value: float | None) -> str:
    """0.0412, 0.618, 1.003, 1.25, 31.2: three digits, and a fourth near 1, where it tells
    something.
    """
    if not present(value):
        return MISSING
    return f"{value:.3f}" if 0.1 <= value < 1.1 else digits(value)


def interval(low: float | None, high: float | None, show: Callable[[float], str] = ratio) -> str:
    """'[0.58, 0.64]'; empty where there is none."""
    return f"[{show(low)}, {show(high)}]" if present(low) and present(high) else ""


def percent(share: float | None) -> str:
    """0.0123 -> '1.2 %', 0.02 -> '2 %'."""
    if not present(share):
        return MISSING
    text = digits(share * 100, 2)
    return f"{text.rstrip('0').rstrip('.') if '.' in text else text} %"


def throughput(per_s: float | None) -> str:
    """Whole numbers with separators from 100 on, three digits below."""
    if not present(per_s):
        return MISSING
    return f"{per_s:,.0f}" if per_s >= 100 else digits(per_s)


def factor(value: float | None) -> str:
    """2.13 -> '2.1', 1.034 -> '1.03', 0.48 -> '0.48': as many digits as tell it from 1."""
    if not present(value):
        return MISSING
    return f"{value:.2f}" if 0.9 <= value < 1.095 else digits(value, 2)
