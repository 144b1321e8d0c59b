"""Markdown for a pull request: the worst rows first, and as many as there is room for."""

from dnnbench.report.markdown import markdown_of, section_markdown, worst_first
from dnnbench.report.parts import Part
from dnnbench.report.section import Against, Cell, Column, Section, Tone, table
from helpers.reporting import section_of


def ratios(section):
    """Of each group of a table's rows, the ratios to the base in the order of the rows."""
    return [
        [cell.value for row in worst_first(one) for cell in row if cell.shows == Against.RATIO]
        for one in section.tables
    ]


def test_the_slowest_against_the_base_come_first(known):
    (first, *_) = ratios(section_of(known, "cells"))
    of_training = [ratio for ratio in first[:4] if ratio is not None]
    assert of_training == sorted(of_training, reverse=True)
    assert len(of_training) == 3


def test_what_differs_comes_before_what_agrees(known):
    (_, worst, *_) = section_of(known, "agreement").tables
    assert worst_first(worst)[0][3].text == "differs"
    assert worst.rows[0][3].text == "agrees"


def test_the_answer_stays_as_it_is_with_the_fastest_first(known):
    answer = section_of(known, "answer")
    lines = [line for line in section_markdown(answer).splitlines() if line.startswith("| jax:jit")]
    rows = [line for line in section_markdown(answer).splitlines() if ":eager" in line or lines]
    assert lines
    assert next(row for row in rows if row.startswith("| ") and ":" in row).startswith(
        "| jax:jit"
    ) or (
        section_markdown(answer).index("| jax:jit")
        < section_markdown(answer).index("| torch:eager")
    )


def long_section(rows):
    body = [(Cell(f"row{n}"), Cell("bad", tone=Tone.BAD) if n == rows - 1 else Cell())
            for n in range(rows)]  # fmt: skip
    grid = table((Column("name"), Column("state")), body)
    return Section("s", "Long", tables=(grid,), sentences=("a sentence",))


def test_a_section_that_is_too_long_keeps_its_worst_rows():
    text = markdown_of([Part("p", "", (long_section(5000),), False)], most=8000)
    assert "| row4999 | **bad** |" in text
    assert "| row98 |" in text
    assert "- and 4,900 more, as the page has them" in text
    assert len(text) <= 8000


def test_a_section_that_fits_has_all_of_its_rows():
    text = markdown_of([Part("p", "", (long_section(50),), False)])
    assert "more, as the page has them" not in text
    assert text.count("| row") == 50
