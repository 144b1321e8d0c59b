"""Sections as Markdown, for a pull request or a file: tables, sentences and doubts; charts are left
to the page.
"""

import re
from collections.abc import Iterable, Sequence
from html import escape

from ..wording import one_line, shortened
from .parts import Part
from .section import Cell, Column, Section, Table, Tone

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~$]")
"""What Markdown obeys."""


MOST_CHARACTERS = 65_536
"""Of a comment on a pull request."""
_NOTE = 400
"""Characters kept for saying what was left out."""


def markdown_of(parts: Sequence[Part], most: int = MOST_CHARACTERS) -> str:
    """A whole report; each part under its name where there are several.

    Where it is longer than `most`, sections are left out whole, the last ones first: what people
    decide by stands first.
    """
    blocks = [block for part in parts for block in _blocks(part, len(parts) > 1)]
    kept: list[str] = []
    left_out: list[str] = []
    room = most - _NOTE
    for title, text in blocks:
        if left_out or len(text) + 2 > room:
            left_out.append(title)
        else:
            kept.append(text)
            room -= len(text) + 2
    whole = "\n\n".join(kept) + "\n"
    if not left_out:
        return whole
    names = shortened(escaped(", ".join(left_out)), _NOTE - 100)
    return f"{whole}\nLeft out, as the page has them: {names}\n"


def _blocks(part: Part, named: bool) -> list[tuple[str, str]]:
    """Each section of a part by its title, the first below the part's name where it has one."""
    texts = [(section.title, section_markdown(section)) for section in part.sections]
    if named and texts:
        title, text = texts[0]
        texts[0] = title, f"# {escaped(part.name)}\n\n{text}"
    return texts


def markdown(sections: Iterable[Section]) -> str:
    """Sections one below the other; texts of files and plugins as they read, never as markup, link
    or mention.
    """
    return "\n\n".join(section_markdown(section) for section in sections) + "\n"


def section_markdown(section: Section) -> str:
    """One section, its title as a heading of the second level."""
    parts = [f"## {escaped(section.title)}"]
    parts += [f"**{escaped(section.alarm)}**"] if section.alarm else []
    spoken = (*section.conclusions, *section.sentences)
    parts += [_listing(spoken)] if spoken else []
    parts += [escaped(section.lead)] if section.lead else []
    parts += [_table(table) for table in section.tables if table.rows]
    parts += [_listing(section.doubts)] if section.doubts else []
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """A text as it reads; '@' mentions nobody."""
    plain = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line(text).replace("&", "&amp;"))
    return plain.replace("@", "@<!-- -->")


def _listing(texts: Sequence[str]) -> str:
    return "\n".join(f"- {escaped(text)}" for text in texts)


def _table(table: Table) -> str:
    headings = [escaped(_heading(column)) for column in table.columns]
    rules = ["---:" if column.number else "---" for column in table.columns]
    rows = [list(map(_cell, row)) for row in table.rows]
    grid = "\n".join(f"| {' | '.join(row)} |" for row in (headings, rules, *rows))
    note = f"\n\n{escaped(table.note)}" if table.note else ""
    if table.folded:
        title = escape(one_line(table.title))
        return f"<details><summary>{title}</summary>\n\n{grid}{note}\n\n</details>"
    return f"### {escaped(table.title)}\n\n{grid}{note}" if table.title else grid + note


def _heading(column: Column) -> str:
    named = column.panel in ("", column.heading)
    return column.heading if named else f"{column.panel}, {column.heading}"


def _cell(cell: Cell) -> str:
    text = escaped(f"{cell.text} {cell.interval}".rstrip())
    return f"**{text}**" if text and cell.tone in (Tone.STRONG, Tone.BAD) else text
