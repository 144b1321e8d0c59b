"""Charts under their captions, safe to stand in the page."""

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from markupsafe import Markup

Picture = tuple[str, "Markup"]
"""Caption and SVG."""


def picture(caption: str, draw: Callable[..., str], *arguments: object) -> Picture:
    """What Vega drew, whose texts it has escaped, under its caption."""
    from markupsafe import Markup

    return caption, Markup(draw(*arguments, caption))


def caption_of(case: tuple[str, int]) -> str:
    return f"{case[0]}, batch {case[1]}"
