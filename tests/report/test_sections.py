"""One assembly of a report: a new section is one new file, and every renderer shows
the same of it.
"""

import pytest
from dnnbench.report import builders, document, html, markdown, palette, sections
from dnnbench.report.section import Cell, Column, Section, table
from helpers.reporting import printed, section_of

pytestmark = pytest.mark.slow

NEW = """
from dnnbench.report.builders import Builder
from dnnbench.report.section import Column, Section, table, words

TABLE = table((Column("what"),), [words("a new row")])


def novelty(evidence):
    return Section("new", "Novelty", ("a new sentence",), (TABLE,), doubts=("a new doubt",))


BUILDER = Builder(15, novelty)
"""
SHOWN = ("Novelty", "a new sentence", "a new row", "a new doubt")


RENDERERS = {
    "terminal": printed,
    "html": lambda evidence: html.page_of([evidence], static=True),
    "markdown": lambda evidence: markdown.markdown(builders.sections_of(evidence)),
}


def rendered(evidence):
    """By medium, all that it shows."""
    return {medium: render(evidence) for medium, render in RENDERERS.items()}


@pytest.fixture(scope="module")
def shown(known):
    return rendered(known)


@pytest.fixture(scope="module")
def with_a_new_file(known, tmp_path_factory):
    """What is rendered, and the document, with a file more among the sections."""
    folder = tmp_path_factory.mktemp("sections")
    (folder / "novelty_of_a_test.py").write_text(NEW)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sections, "__path__", [*sections.__path__, str(folder)])
        builders.builders.cache_clear()
        made = rendered(known), document.document(builders.sections_of(known))
    builders.builders.cache_clear()
    return made


@pytest.mark.parametrize("text", SHOWN)
@pytest.mark.parametrize("medium", RENDERERS)
def test_a_new_section_is_one_new_file(with_a_new_file, medium, text):
    shown, _ = with_a_new_file
    assert text in shown[medium]


def test_a_new_section_is_in_the_document(with_a_new_file):
    _, spoken = with_a_new_file
    assert [one["doubts"] for one in spoken["sections"] if one["id"] == "new"] == [["a new doubt"]]


def test_sections_stand_in_the_order_of_their_places():
    places = [builder.place for builder in builders.builders()]
    assert places == sorted(set(places))


@pytest.fixture(scope="module")
def ids(known):
    return [section.id for section in builders.sections_of(known)]


def test_no_two_sections_have_one_id(ids):
    assert len(ids) == len(set(ids))


TITLES = [
    "verdicts",
    "steps",
    "purposes",
    "starts",
    "roofline",
    "cells",
    "agreement",
    "curves",
    "run",
]


@pytest.mark.parametrize("medium", RENDERERS)
@pytest.mark.parametrize("id", TITLES)
def test_every_renderer_shows_every_section(known, shown, medium, id):
    assert section_of(known, id).title in shown[medium]


@pytest.mark.parametrize("medium", ["html", "markdown"])
def test_page_and_markdown_have_every_figure_of_every_table(known, shown, medium):
    """But for what each escapes."""
    text = shown[medium].replace("\\", "")
    rows = [row for section in builders.sections_of(known) for row in tables_rows(section)]
    missing = {cell.text for row in rows for cell in row if cell.text not in text}
    assert missing == set()


def tables_rows(section):
    return [row for one in section.tables for row in one.rows]


def test_every_section_says_something_from_the_data(known):
    silent = [
        section.id
        for section in builders.sections_of(known)
        if not (section.sentences or section.tables or section.doubts)
    ]
    assert silent == []


def test_a_row_has_a_cell_for_each_column():
    with pytest.raises(ValueError, match=r"rows of \[2\] cells for 1 columns"):
        table((Column("one"),), [(Cell("1"), Cell("2"))])


HOSTILE = "<script>alert(1)</script> | `x` [y](http://z) @everyone"


def test_markdown_shows_markup_and_obeys_none():
    section = Section("x", HOSTILE, (HOSTILE,), (table((Column(HOSTILE),), [(Cell(HOSTILE),)]),))
    text = markdown.section_markdown(section)
    assert "<script" not in text.replace("\\<", "")
    assert "](" not in text.replace("\\]", "")
    assert "@everyone" not in text


def test_a_folded_title_of_markdown_is_no_markup():
    section = Section("x", "x", tables=(table((), [()], title=HOSTILE, folded=True),))
    assert "<script" not in markdown.section_markdown(section)


def test_a_section_alone_is_a_piece_of_a_page(known):
    colours = palette.places(known.backends)
    text = html.section_html(section_of(known, "cells"), colours)
    assert text.strip().startswith("<section")
