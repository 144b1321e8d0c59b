"""Option values as texts: lists, shares, times.

A value that is none of what is wanted is a ValueError in words.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import TypeVar

from ..errors import UsageError
from ..protocol.device import Device, requested_device
from ..wording import shortened

LARGEST_SIZE = 1_000_000
LARGEST_SEED = 2**63 - 1
"""What a store's column holds."""
MOST_THREADS = 100_000
MOST_EPOCHS = 1_000_000
LONGEST_S = 30 * 86_400.0
LONGEST_LABEL = 200
MOST_GENERATIONS = 100
MOST_DIGITS = 18
"""Python refuses to read whole numbers of very many digits;
no option takes one of more than these.
"""
DECIMAL = r"\d+(?:\.\d+)?|\.\d+"
UNIT_S = {"": 1, "s": 1, "m": 60, "min": 60, "h": 3600}
AUTO = "auto"

Word = TypeVar("Word", bound=StrEnum)


def whole_number(text: str) -> int | None:
    """The number that decimal digits write; None for another text, and for too many digits."""
    return int(text) if text.isdecimal() and len(text) <= MOST_DIGITS else None


def sizes(text: str) -> tuple[int, ...]:
    """`1,8,32`: whole numbers of at least 1, each once."""
    numbers = [whole_number(part.strip()) for part in text.split(",")]
    fitting = [number for number in numbers if number is not None and is_size(number)]
    if len(fitting) < len(numbers):
        wanted = f"whole numbers from 1 to {LARGEST_SIZE} with commas, such as 1,32"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}")
    return tuple(dict.fromkeys(fitting))


def is_size(number: int) -> bool:
    """Whether a batch may have so many examples."""
    return 1 <= number <= LARGEST_SIZE


def devices(text: str) -> tuple[Device, ...]:
    """`auto`, or devices such as `cpu,gpu:0`, each once."""
    try:
        return tuple(dict.fromkeys(requested_device(part.strip()) for part in text.split(",")))
    except UsageError as error:
        raise ValueError(str(error)) from None


def thread_counts(text: str) -> tuple[int, ...]:
    """`1,4`: numbers of threads, each once."""
    return tuple(dict.fromkeys(threads(part.strip()) for part in text.split(",")))


def threads(text: str) -> int:
    """A whole number from 1 to 100,000."""
    number = whole_number(text)
    if number is None or not 1 <= number <= MOST_THREADS:
        wanted = f"a whole number from 1 to {MOST_THREADS:,}"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}")
    return number


def words(text: str, choices: Sequence[Word]) -> tuple[Word, ...]:
    """`a,b`: some of `choices`, or `all` of them."""
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",")))
    if parts == ("all",):
        return tuple(choices)
    return tuple(word(part, choices, "all or some of") for part in parts)


def word(text: str, choices: Iterable[Word], wanted: str = "one of") -> Word:
    """The one of `choices` that is written so."""
    by_text = {str(choice): choice for choice in choices}
    if text not in by_text:
        raise ValueError(f"got '{shortened(text)}', expected {wanted} {', '.join(by_text)}")
    return by_text[text]


def generations(text: str, least: int) -> int | None:
    """`6`, from `least` to 100, or `auto` (None)."""
    if text == AUTO:
        return None
    number = whole_number(text)
    if number is None or not least <= number <= MOST_GENERATIONS:
        wanted = f"a number from {least} to {MOST_GENERATIONS}, or {AUTO}"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}")
    return number


def share(text: str) -> float:
    """`5%` or `0.05`: a share above 0 and below 1."""
    match = re.fullmatch(rf"({DECIMAL})\s*(%?)", text.strip())
    value = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < value < 1:
        raise ValueError(f"got '{shortened(text)}', expected a share such as 5% or 0.05")
    return value


def threshold(text: str) -> tuple[str, float]:
    """`cnn_*=5%`: a pattern of cells, and the share that passes of them."""
    pattern, equals, passes = text.rpartition("=")
    if not equals or not pattern.strip():
        raise ValueError(f"got '{shortened(text)}', expected PATTERN=SHARE such as 'cnn_*=5%'")
    return pattern.strip(), share(passes)


def seconds(text: str) -> float:
    """`90`, `90s`, `2m`, `1h`: above 0, and 30 days at most."""
    match = re.fullmatch(rf"({DECIMAL})\s*(s|m|min|h|)", text.strip())
    value = float(match[1]) * UNIT_S[match[2]] if match else 0.0
    if not 0 < value <= LONGEST_S:
        wanted = "a time such as 60s, 2m or 1h, 720h at most"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}")
    return value


def moment(text: str) -> str:
    """`2026-11-01`, `2026-11-01T18:00`, or `30d` before now: ISO 8601 in UTC, as stores write it.

    A time without a zone is taken as UTC.
    """
    days = re.fullmatch(r"(\d{1,5})\s*d", text.strip())
    try:
        if days:
            point = datetime.now(UTC) - timedelta(days=int(days[1]))
        else:
            point = datetime.fromisoformat(text.strip())
            point = point if point.tzinfo else point.replace(tzinfo=UTC)
        return point.astimezone(UTC).isoformat(timespec="microseconds")
    except (ValueError, OverflowError):
        wanted = "a date such as 2026-11-01, a time such as 2026-11-01T18:00, or 30d"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}") from None


def label(text: str, reserved: Sequence[str] = ()) -> str:
    """A name that a user gives; not one of `reserved`, by which something else is found."""
    if text in reserved:
        raise ValueError(f"'{text}' has a meaning of its own already; choose another name")
    if not text.strip() or not text.isprintable() or len(text) > LONGEST_LABEL:
        wanted = f"1 to {LONGEST_LABEL} printable characters, not only spaces"
        raise ValueError(f"got '{shortened(text)}', expected {wanted}")
    return text
