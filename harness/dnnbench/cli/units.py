"""Numbers as people read them."""

_PREFIXES = ("", "k", "M", "G", "T", "P", "E")


def count(n: int) -> str:
    """1234567 -> '1,234,567'."""
    return f"{n:,}"


def scaled(n: float, unit: str) -> str:
    """1234567, 'B' -> '1.23 MB': three digits, powers of 1000."""
    step = 0
    while abs(n) >= 999.5 and step < len(_PREFIXES) - 1:
        n, step = n / 1000, step + 1
    digits = f"{n:.3g}" if abs(n) < 1000 else f"{n:,.0f}"
    return f"{digits} {_PREFIXES[step]}{unit}"
