"""Sections as Markdown, for a pull request or a file: tables, sentences and doubts; charts and what
they are drawn from are left to the page.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from html import escape

from ..wording import one_line, shortened
from .builders import ANSWER
from .parts import Part
from .section import Against, Cell, Column, Section, Table, Tone

_MARKUP = re.compile(r"[\\`*_{}\[\]<>#|~$]")
"""What Markdown obeys."""


_RANKED = (Against.RATIO, Against.TIME)
"""What of a cell says how slow it is."""
MOST_CHARACTERS = 65_536
"""Of a comment on a pull request."""
FEWER_ROWS = (100, 30, 10)
"""Rows of a table that are kept, and sentences of a list, where all of them are too many."""
MOST_OF_OUTCOME, MOST_OF_SENTENCE = 10, 500
"""Rows of the outcome's table in a pull request, and characters of each of its sentences."""
_NOTE = 400
"""Characters kept for saying what was left out."""


def markdown_of(parts: Sequence[Part], most: int = MOST_CHARACTERS) -> str:
    """A whole report; each part under its name where there are several.

    In every table but the answer's the worst rows stand first: what failed or differs, then what is
    slowest against the base. Where the report is longer than `most`, later sections keep the worst
    rows of their tables alone, as many as there is room for, or are left out whole: what people
    decide by stands first.
    """
    kept: list[str] = []
    left_out: list[str] = []
    room = most - _NOTE
    for part in parts:
        for number, section in enumerate(part.sections):
            heading = f"# {escaped(part.name)}\n\n" if len(parts) > 1 and not number else ""
            text = None if left_out else _fitted(section, heading, room)
            if text is None:
                left_out.append(section.title)
            else:
                kept.append(text)
                room -= len(text) + 2
    whole = "\n\n".join(kept) + "\n"
    if not left_out:
        return whole
    names = shortened(escaped(", ".join(left_out)), _NOTE - 100)
    return f"{whole}\nLeft out, as the page has them: {names}\n"


def _fitted(section: Section, heading: str, room: int) -> str | None:
    """A section with as many rows as there is room for; None where even the fewest are too many."""
    for rows in (None, *FEWER_ROWS):
        text = heading + section_markdown(section, rows)
        if len(text) + 2 <= room:
            return text
    return None


def markdown(sections: Iterable[Section]) -> str:
    """Sections one below the other; texts of files and plugins as they read, never as markup, link
    or mention.
    """
    return "\n\n".join(section_markdown(section) for section in sections) + "\n"


def folded_markdown(sections: Sequence[Section], most: int = MOST_CHARACTERS) -> str:
    """For a pull request: the first section with its ten worst rows, all others folded below it.

    Sentences that list many cells are cut. Sections that there is no room for are left out, and
    named.
    """
    outcome, *others = sections
    said = tuple(shortened(text, MOST_OF_SENTENCE) for text in outcome.conclusions)
    kept = [section_markdown(replace(outcome, conclusions=said), MOST_OF_OUTCOME)]
    room = most - len(kept[0]) - _NOTE
    for section in others:
        title, text = escape(one_line(section.title)), _fitted(section, "", room)
        if text is None:
            kept.append(f"Left out, as the page has it: {escaped(shortened(section.title, 100))}")
            continue
        kept.append(f"<details><summary>{title}</summary>\n\n{text}\n\n</details>")
        room -= len(kept[-1]) + 2
    return "\n\n".join(kept) + "\n"


def section_markdown(section: Section, most_rows: int | None = None) -> str:
    """One section, its title as a heading of the second level.

    most_rows: of each table, the worst first, and sentences of each list; all without a number.
    """
    parts = [f"## {escaped(section.title)}"]
    parts += [f"**{escaped(section.alarm)}**"] if section.alarm else []
    spoken = (*section.conclusions, *section.sentences)
    parts += [_listing(spoken, most_rows)] if spoken else []
    parts += [escaped(section.lead)] if section.lead else []
    is_answer = section.id == ANSWER  # which is fastest first, wherever it stands
    for table in section.tables:
        if table.of_chart:
            continue
        rows = table.rows if is_answer else worst_first(table)
        parts += [_table(table, rows, most_rows)] if rows else []
    parts += [_listing(section.doubts, most_rows)] if section.doubts else []
    return "\n\n".join(parts)


def escaped(text: str) -> str:
    """A text as it reads; '@' mentions nobody."""
    plain = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line(text).replace("&", "&amp;"))
    return plain.replace("@", "@<!-- -->")


def _listing(texts: Sequence[str], most: int | None) -> str:
    lines = [f"- {escaped(text)}" for text in texts[:most]]
    return "\n".join([*lines, *_more(len(texts) - len(lines))])


def _more(count: int) -> list[str]:
    return [f"- and {count:,} more, as the page has them"] if count else []


def _table(table: Table, ordered: Sequence[tuple[Cell, ...]], most_rows: int | None) -> str:
    headings = [escaped(_heading(column)) for column in table.columns]
    rules = ["---:" if column.number else "---" for column in table.columns]
    rows = [list(map(_cell, row)) for row in ordered[:most_rows]]
    grid = "\n".join(f"| {' | '.join(row)} |" for row in (headings, rules, *rows))
    parts = [grid, *_more(len(ordered) - len(rows)), *([escaped(table.note)] if table.note else [])]
    whole = "\n\n".join(parts)
    if table.folded:
        title = escape(one_line(table.title))
        return f"<details><summary>{title}</summary>\n\n{whole}\n\n</details>"
    return f"### {escaped(table.title)}\n\n{whole}" if table.title else whole


def worst_first(table: Table) -> list[tuple[Cell, ...]]:
    """Its rows: in each group what failed or differs, then what is slowest against the base; all
    others as they stood.
    """
    return [row for group in table.groups for row in sorted(group, key=_goodness)]


def _goodness(row: Sequence[Cell]) -> tuple[bool, float]:
    """A key by which the worst row comes first."""
    is_bad = any(cell.tone is Tone.BAD and cell.shows is None for cell in row)
    ratios = [cell.value for cell in row if cell.shows in _RANKED and cell.value is not None]
    return not is_bad, -max(ratios, default=0.0)


def _heading(column: Column) -> str:
    named = column.panel in ("", column.heading)
    return column.heading if named else f"{column.panel}, {column.heading}"


def _cell(cell: Cell) -> str:
    text = escaped(f"{cell.text} {cell.interval}".rstrip())
    return f"**{text}**" if text and cell.tone in (Tone.STRONG, Tone.BAD) else text
