"""docs/python.md and examples/compare.ipynb are executed, on NumPy and for seconds."""

import re
import shutil
from pathlib import Path

import dnnbench
import nbformat
import pytest
from nbclient import NotebookClient

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "python.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.S)
NOTEBOOK = ROOT / "examples" / "compare.ipynb"
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("python page")]  # runs, as a user's
EXECUTED = pytest.mark.exhaustive
"""Half a minute of calls: tests/api makes their like often."""


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """What the names of the page stand for at its end."""
    scope: dict = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.setenv("DNNBENCH_LOCK", str(Path.cwd() / "lock"))  # the page's runs do not --wait
        patch.setattr(dnnbench, "devices", dnnbench.backends)  # which would start every framework
        for block in BLOCKS:
            exec(compile(block, "docs/python.md", "exec"), scope)
    return scope


def test_the_page_has_blocks():
    assert len(BLOCKS) >= 8


@EXECUTED
def test_its_run_measures_every_cell(executed):
    assert set(executed["run"].cells["status"]) == {"ok"}


@EXECUTED
def test_its_run_is_stored_with_the_call(executed):
    assert executed["run"].command.startswith("dnnbench.run([<function make_net>, 'mlp_digits']")


@EXECUTED
def test_each_type_of_a_list_is_an_arm(executed):
    assert list(executed["by_type"].index) == ["float32", "float64"]


@EXECUTED
def test_throughput_is_examples_over_time(executed):
    cells = executed["run"].cells
    assert (cells["examples_per_s"] == cells["batch_size"] / cells["call_s"]).all()


@EXECUTED
def test_a_visit_belongs_to_a_cell(executed):
    run = executed["run"]
    assert set(run.samples["cell_id"]) == set(run.cells["cell_id"])


@EXECUTED
def test_its_picture_can_be_drawn(executed):
    assert executed["picture"].to_dict()["encoding"]["x"]["field"] == "examples_per_s"


@EXECUTED
def test_the_store_gives_the_same_cells(executed):
    first, *_ = executed["runs"]
    assert first.cells.equals(executed["run"].cells)


@EXECUTED
def test_the_notebook_shows_the_answer(executed):
    assert "<table" in executed["run"]._repr_html_()


@EXECUTED
def test_markdown_begins_with_the_answer(executed):
    assert executed["text"].startswith("## ")


@EXECUTED
def test_the_page_is_written(executed):
    assert executed["page"].name == "report.html"


@EXECUTED
def test_two_short_runs_are_not_judged(executed):
    assert executed["comparison"].unusable


@EXECUTED
def test_training_fills_a_curve(executed):
    assert len(executed["curves"]) == 2


@EXECUTED
def test_the_weights_predict_alike(executed):
    assert executed["predicted"].failed is False


@pytest.mark.parametrize("link", re.findall(r"\]\(([^)#]+)\)", PAGE))
def test_every_link_leads_somewhere(link):
    assert (ROOT / "docs" / link).exists()


@pytest.fixture(scope="module")
def notebook(tmp_path_factory):
    """Executed on NumPy alone."""
    place = tmp_path_factory.mktemp("notebook")
    shutil.copy(NOTEBOOK, place)
    cells = nbformat.read(place / NOTEBOOK.name, as_version=4)
    for cell in cells.cells:
        cell.source = cell.source.replace("numpy,torch", "numpy")
    client = NotebookClient(cells, timeout=300, resources={"metadata": {"path": str(place)}})
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DNNBENCH_LOCK", str(place / "lock"))
        return client.execute()


def outputs(notebook, kind):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    return [out for cell in cells for out in cell.outputs if kind in out.get("data", {})]


@pytest.mark.exhaustive  # it makes the calls of the page
def test_the_notebook_is_executed(notebook):
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    assert all(cell.execution_count for cell in cells)


@pytest.mark.exhaustive  # it makes the calls of the page
def test_the_notebook_shows_tables(notebook):
    assert len(outputs(notebook, "text/html")) >= 3


@pytest.mark.exhaustive  # it makes the calls of the page
def test_the_notebook_prints_no_progress_of_a_terminal(notebook):
    names = {out.get("name") for cell in notebook.cells for out in cell.get("outputs", [])}
    assert "stderr" not in names


def test_the_notebook_is_kept_without_outputs():
    cells = nbformat.read(NOTEBOOK, as_version=4).cells
    assert not any(cell.get("outputs") for cell in cells)
