"""Passwords replaced by `***` in whatever is shown, stored or logged:
addresses, keyword forms, command lines.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote_plus

MASK = "***"
_NAMES = ("password", "sslpassword", "passwd", "passphrase", "pgpassword")
_NAMES_HOLD = "pass"
"""What each of the names holds: without it, and without what an address holds, no password."""
_ADDRESSES_HOLD = ":/"
_QUERY_NAMES = {*_NAMES, "token", "access_token", "api_key", "secret"}
# From its beginning only, which is linear in the text. One slash is what pathlib leaves of two.
_SCHEME = r"(?<![A-Za-z0-9+.-])(?P<scheme>[A-Za-z0-9+.-]+://|postgres[a-z+]*:/)"
_PORT = r"\d{1,5}(?:[/?#\s,;:'\")\]]|$)"
# A password may hold spaces: what follows `user:` belongs to it up to an @ near in the line,
# unless it is a port.
_ADDRESS = re.compile(rf"{_SCHEME}(?P<rest>[^\s@:]*:(?!{_PORT})[^@\n]{{0,200}}@\S*|\S+)")
_WHOLE_ADDRESS = re.compile(rf"{_SCHEME}(?P<rest>.+)", re.DOTALL)
_QUERY = re.compile(
    r"(?P<key>[?&#][^=?&#]*=)(?P<value>[^&]*?)(?=[,:;]?(?:&|$))"
)  # a sentence may go on behind it
_NOT_A_PORT = re.compile(r"(?P<host>[^:/?#\[]*:)(?!\d*(?:[/?#,;:'\")\]]|$))[^'\"]*")
_ANY_NAME = "|".join(_NAMES)
_KEYWORD = re.compile(
    rf"""(?<![\w/.?&#])(?P<key>(?:(['"])(?:{_ANY_NAME})\2\s*:|(?:{_ANY_NAME})\s*=)\s*)"""
    r"""(?P<value>'(?:\\.|[^'\\])*(?:'|$)|"(?:\\.|[^"\\])*(?:"|$)|\S+)""",
    re.IGNORECASE | re.DOTALL,
)


def masked(text: str) -> str:
    """The text with `***` for each password in it; masking again changes nothing.

    scheme://USER:PASSWORD@HOST, also percent-encoded or broken; ?password=...; password=...
    of libpq's keyword form, quoted or not; a token before the @ of https://.
    Where an address ends is guessed: rather too late.
    """
    if _ADDRESSES_HOLD not in text and _NAMES_HOLD not in text.casefold():
        return text
    return _KEYWORD.sub(_hide_value, _ADDRESS.sub(_hide_in_address, text))


def masked_words(words: Iterable[str]) -> list[str]:
    """A command line, each word masked; a word that is an address ends where the word ends."""
    return [_KEYWORD.sub(_hide_value, _WHOLE_ADDRESS.sub(_hide_in_address, word)) for word in words]


def masked_values(value: Any) -> Any:
    """What JSON holds with every text in it masked, all the way down; other values as they are."""
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, Mapping):
        return {masked_values(key): masked_values(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [masked_values(entry) for entry in value]
    return value


def holds_password(text: str) -> bool:
    """Whether masking would change the text."""
    return masked(text) != text


def _hide_value(match: re.Match) -> str:
    quote = match["value"][0] if match["value"][0] in "'\"" else ""
    return f"{match['key']}{quote}{MASK}{quote}"


def _hide_in_address(match: re.Match) -> str:
    rest = _QUERY.sub(_hide_in_query, match["rest"])
    user_part, at, place = rest.rpartition("@")
    if not at:
        rest = (
            _NOT_A_PORT.sub(rf"\g<host>{MASK}", rest, count=1) if _NOT_A_PORT.match(rest) else rest
        )
    else:
        rest = _hide_in_user_part(match["scheme"], user_part) + at + place
    return match["scheme"] + rest


def _hide_in_user_part(scheme: str, user_part: str) -> str:
    user, colon, _password = user_part.partition(":")
    if colon:
        return user + colon + MASK
    return MASK if scheme.endswith(("http://", "https://")) else user


def _hide_in_query(match: re.Match) -> str:
    name = unquote_plus(match["key"][1:-1]).lower()
    return match["key"] + (MASK if name in _QUERY_NAMES else match["value"])
