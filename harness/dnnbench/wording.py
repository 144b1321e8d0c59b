"""Words of messages: near misses, texts and lists of bounded length,
and characters that a terminal would obey.
"""

import re
from collections.abc import Callable, Iterable, Sequence
from difflib import get_close_matches
from heapq import nlargest
from itertools import takewhile

MOST_COMPARED = 200
"""Names that a near miss is looked for among: comparing two takes a hundred times as long
as reading them.
"""
MOST_LISTED = 12
MOST_CHARACTERS = 300
_OBEYED = re.compile(
    r"[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)
"""Control characters, those that turn the direction of writing or end a line, and halves of none
(undecodable bytes).
"""


def near_miss(
    word: str, names: Iterable[str], most: int = 1, show: Callable[[str], str] = str
) -> str:
    """'; did you mean ...?' or nothing.

    Of many names those are compared that begin and end most like `word`.

    most: how many names are offered   show: what is written for a name
    """
    likeliest = nlargest(MOST_COMPARED, names, key=lambda name: _shared_ends(name, word))
    close = [f"'{show(name)}'" for name in get_close_matches(word, likeliest, n=most)]
    return f"; did you mean {' or '.join(close)}?" if close else ""


def _shared_ends(name: str, word: str) -> int:
    return _same_start(name, word) + _same_start(reversed(name), reversed(word))


def _same_start(one: Iterable[str], other: Iterable[str]) -> int:
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def printable(text: str, bare: str = "\n\t") -> str:
    """The text with every character that a terminal obeys, not shows, as its escape: 'a\\x1b[2J';
    those of `bare` stay.

    A name from a file, a store or a plugin may hold any: it could clear the screen,
    or write a line that we did not.
    """

    def escaped(match: re.Match[str]) -> str:
        character = match[0]
        return character if character in bare else _escape(character)

    return _OBEYED.sub(escaped, text)


def one_line(text: str) -> str:
    """`printable`, line ends and tabs escaped too: for a name, or a cell of a table."""
    return printable(text, bare="")


def _escape(character: str) -> str:
    return character.encode("unicode_escape").decode()


def shortened(text: str, most: int = MOST_CHARACTERS) -> str:
    """The text, or its beginning and `...`."""
    return text if len(text) <= most else f"{text[: most - 3]}..."


def without_middle(text: str, most: int) -> str:
    """The text, or its beginning, ` ... ` and its end:
    what to do stands at the end of a message.
    """
    end = most // 4
    return text if len(text) <= most else f"{text[: most - end - 5]} ... {text[-end:]}"


def listed(names: Sequence[str], separator: str = ", ", most: int = MOST_LISTED) -> str:
    """The names one after the other; of many the first ones, and how many more there are."""
    some = separator.join(shortened(name, 200) for name in names[:most])
    return f"{some} and {len(names) - most:,} more" if len(names) > most else some


def counted(count: int, noun: str) -> str:
    """'1 arm', '4 arms'."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def have(count: int) -> str:
    """The verb of so many."""
    return "has" if count == 1 else "have"
