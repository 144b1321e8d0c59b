"""The documents as GitHub shows them and as the site has them: the same pages, links that lead
somewhere in both, and nothing that comes from elsewhere.
"""

import os
import re
import runpy
import subprocess
import sys
from itertools import pairwise
from pathlib import Path, PurePosixPath

import pytest
import yaml

ROOT = Path(__file__).parents[2]
SITE = runpy.run_path(str(ROOT / ".ci" / "site.py"))
CONFIG = yaml.safe_load((ROOT / "mkdocs.yml").read_text())
PAGES = [*sorted((ROOT / "docs").glob("*.md")), *(ROOT / name for name in SITE["ALWAYS"])]
MARKDOWN = {page.relative_to(ROOT).as_posix(): page.read_text() for page in PAGES}
PROSE = {name: SITE["outside_code"](text) for name, text in MARKDOWN.items()}
LINKS = [
    (name, match["path"], (match["anchor"] or "").removeprefix("#"))
    for name, text in PROSE.items()
    for match in SITE["LINK"].finditer(text)
]
ANCHORS = [
    (name, match[1] or PurePosixPath(name).name, match[2])
    for name, text in PROSE.items()
    for match in re.finditer(r"\]\(([^()\s#:]*)#([^()\s]+)\)", text)
]


def named(entries):
    """Every page that a part of the navigation names."""
    for entry in entries:
        value = next(iter(entry.values())) if isinstance(entry, dict) else entry
        yield from named(value) if isinstance(value, list) else [value]


def slug(heading):
    """The anchor that GitHub and the site make of a heading."""
    words = re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()).strip()
    return words.replace(" ", "-")


def test_the_navigation_names_every_page():
    assert set(named(CONFIG["nav"])) == set(map(SITE["uri_of"], map(PurePosixPath, MARKDOWN)))


def test_there_are_links_to_follow():
    assert len(LINKS) > 150


@pytest.mark.parametrize(("page", "link", "_"), sorted(set(LINKS)))
def test_a_link_leads_to_a_file(page, link, _):
    assert (ROOT / SITE["joined"](PurePosixPath(page).parent, link)).exists()


@pytest.mark.parametrize(("page", "link", "anchor"), sorted(set(ANCHORS)))
def test_an_anchor_is_a_heading(page, link, anchor):
    target = SITE["joined"](PurePosixPath(page).parent, link)
    headings = re.findall(r"(?m)^#+ (.*)$", SITE["outside_code"]((ROOT / target).read_text()))
    assert anchor in set(map(slug, headings))


@pytest.mark.parametrize("page", PROSE)
def test_lists_and_tables_begin_after_an_empty_line(page):
    """GitHub takes them anywhere, Python-Markdown for text."""
    lines = PROSE[page].splitlines()
    begun = [
        below
        for above, below in pairwise(lines)
        if re.match(r"(- |\d+\. |\|)", below)
        and above.strip()
        and not re.match(r"(\s*- |\s*\d+\. |\||  )", above)
    ]
    assert begun == []


@pytest.mark.parametrize("page", PROSE)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(page):
    """GitHub ends a cell at each `|` that is not escaped, also in code."""
    odd, head = [], 0
    for line in PROSE[page].splitlines():
        borders = len(re.findall(r"(?<!\\)\|", line)) if line.startswith("|") else 0
        head = head if head and borders else borders
        odd += [line] if borders != head else []
    assert odd == []


def test_a_link_to_code_becomes_one_to_a_page():
    text = SITE["relinked"]("[`Op`](../harness/dnnbench/errors.py)", PurePosixPath("docs/a.md"))
    assert text == "[`Op`](repository/harness/dnnbench/errors.py.md)"


def test_a_document_outside_links_to_a_page_of_the_site():
    text = SITE["relinked"]("[gate](docs/gate.md#a-b)", PurePosixPath("README.md"))
    assert text == "[gate](../gate.md#a-b)"


def test_code_keeps_its_brackets():
    code = "```python\nx[1](README.md)\n```"
    assert SITE["relinked"](code, PurePosixPath("README.md")) == code


@pytest.mark.parametrize("path", SITE["linked_from_docs"](), ids=str)
def test_a_page_knows_what_it_shows(path):
    assert SITE["source_of"](SITE["uri_of"](path)) == path


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """(how mkdocs ended, the folder of the site)"""
    place = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(place)]
    env = os.environ | {"NO_MKDOCS_2_WARNING": "1"}  # its makers' advertisement
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    return done, place


@pytest.mark.slow
@pytest.mark.xdist_group("site")
def test_it_is_built_without_a_warning(built):
    done, _ = built
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.slow
@pytest.mark.xdist_group("site")
def test_nothing_is_loaded_from_elsewhere(built):
    _, place = built
    pages = list(place.rglob("*.html"))
    tag = re.compile(
        r"<(?:script|img|iframe|link(?! rel=.?canonical))\b[^>]*(?:src|href)=.?(?:https?:)?//"
    )
    assert len(pages) > 25
    assert [page.name for page in pages if tag.search(page.read_text())] == []
