"""What a report tells of its user is listed in it, and nothing else of them is in it."""

import re

import pytest
from dnnbench.report import html
from dnnbench.report.disclosure import paths_in
from dnnbench.report.evidence import gather
from dnnbench.report.parts import parts_of
from helpers import reporting

ENVIRONMENT = "/home/somebody/environments/nightly/bin/python3.12"
SAID = [
    ("plain", "read /home/somebody/net.py once", ["/home/somebody/net.py"]),
    ("environment", f"torch:eager@{ENVIRONMENT}", [ENVIRONMENT]),
    ("home", "~/net.py and ~other/x", ["~/net.py", "~other/x"]),
    ("windows", r"C:\Users\me\net.py", [r"C:\Users\me\net.py"]),
    ("option", "--data=/srv/data,x", ["/srv/data"]),
    ("sentence", "not in /srv/data.", ["/srv/data"]),
    ("unit", "5 examples/s, error / allowance, mlp_digits/64", []),
    ("parameters", "resnet18[tiny]/32, f(x)/2", []),
    ("relative", "results/dnnbench.sqlite", []),
]


@pytest.mark.parametrize(("text", "paths"), [case[1:] for case in SAID], ids=[c[0] for c in SAID])
def test_paths_are_told_from_units(text, paths):
    assert paths_in([text]) == paths


@pytest.fixture(scope="module")
def shown(tmp_path_factory):
    """The last section of a run with an environment of its own."""
    from dnnbench.store.store import open_store

    with open_store(tmp_path_factory.mktemp("told") / "s.sqlite") as store:
        arms = {"torch:eager": 1.0, f"torch:eager@{ENVIRONMENT}": 1.2}
        reporting.add_run(store, "r", arms=arms, generations=2, notes=["left out /srv/models/a"])
        evidence = gather(store, "r")
    return html.page_of([evidence], static=True), parts_of([evidence])[0].sections[-1]


def test_every_path_of_the_page_is_listed(shown):
    page, section = shown
    rows = [tuple(cell.text for cell in row) for row in section.tables[0].rows]
    listed = [text for what, text in rows if what == "path"]
    assert listed == ["/home/somebody/environments/nightly/bin/python3.12", "/srv/models/a"]
    plain = re.sub(r"<style>.*?</style>|<svg.*?</svg>|<[^>]*>", " ", page, flags=re.S)
    assert set(re.findall(r"(?<=[@\s])/[\w./-]+", plain)) == set(listed)


def test_the_name_of_the_machine_is_listed(shown):
    page, section = shown
    assert section.tables[0].rows[0][1].text == "machine m1"
    assert "It names the machine and holds 2 paths" in page
