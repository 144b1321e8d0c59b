"""A report in other forms: Markdown that fits a pull request, pictures, a page without scripts."""

import json
from pathlib import Path

import pytest
from dnnbench.cli.main import main
from dnnbench.report import drawing, markdown, palette
from dnnbench.report.evidence import gather
from dnnbench.report.parts import parts_of
from dnnbench.report.png import on_white
from dnnbench.store.store import open_store
from helpers import reporting

pytestmark = pytest.mark.slow

PNG = b"\x89PNG\r\n\x1a\n"


@pytest.fixture(scope="module")
def wide(tmp_path_factory):
    """A report of more than a pull request takes."""
    names = tuple(f"net{place}" for place in range(30))
    with open_store(tmp_path_factory.mktemp("wide") / "s.sqlite") as store:
        reporting.add_run(store, "r", workloads=names, generations=2, rounds=6)
        return parts_of([gather(store, "r")])


@pytest.mark.slow
def test_markdown_fits_a_pull_request_and_says_what_it_leaves_out(wide):
    whole = markdown.markdown_of(wide, most=10**9)
    fitted = markdown.markdown_of(wide)
    assert len(fitted) <= markdown.MOST_CHARACTERS < len(whole)
    assert fitted.startswith("## The answer")
    assert "Left out, as the page has them: " in fitted
    assert "Left out, as the page has them: " not in whole


@pytest.mark.slow
def test_what_fits_is_whole(wide):
    assert whole_sections(markdown.markdown_of(wide)) < whole_sections(
        markdown.markdown_of(wide, most=10**9)
    )


def whole_sections(text):
    return {line for line in text.splitlines() if line.startswith("## ")}


def test_a_picture_has_colours_in_the_place_of_the_pages_variables(known):
    colours = palette.places(known.backends)
    every = [chart for part in parts_of([known]) for one in part.sections for chart in one.charts]
    assert len(every) == 6
    for chart in every:
        text = json.dumps(on_white(chart.spec(colours)))
        assert "var(" not in text
        assert "currentColor" not in text


@pytest.fixture
def with_store(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with open_store("results/dnnbench.sqlite") as store:
        reporting.add_run(store, "r", generations=2, workloads=("w",))


def test_the_command_writes_pictures_and_a_page_without_scripts(with_store, capsys):
    assert main(["report", "--static", "--png", "pictures", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["pictures"]) == 2
    assert all(Path(path).read_bytes().startswith(PNG) for path in told["pictures"])
    assert "<script" not in Path("results/report.html").read_text()


def test_pictures_without_what_draws_them_are_refused(with_store, capsys, monkeypatch):
    monkeypatch.setattr(drawing, "find_spec", lambda name: None)
    assert main(["report", "--png", "pictures"]) == 2
    assert "charts need pip install" in capsys.readouterr().err
    assert not Path("pictures").exists()


def test_a_place_for_pictures_that_is_none_is_told(with_store, capsys):
    Path("taken").write_text("")
    assert main(["report", "--static", "--png", "taken"]) == 2
    assert "taken" in capsys.readouterr().err
