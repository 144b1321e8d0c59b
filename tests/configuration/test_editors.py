"""Editors are shown the keys: taplo, which the usual TOML plugins hold, reads the schema that a
file's first line names, offline.
"""

import subprocess
from importlib.metadata import files

import pytest
from dnnbench.cli.main import main
from dnnbench.configuration.starting import SCHEMA
from helpers.examples import EXAMPLE

[TAPLO] = [str(file.locate()) for file in files("taplo") or () if file.name == "taplo"]
OFFLINE = {"http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9"}
OF_WORKLOADS = "workload.schema.json"


def lint(place, name):
    """What taplo says of a file; nothing where it passes."""
    command = [TAPLO, "--colors", "never", "lint", name]
    done = subprocess.run(
        command, cwd=place, env=OFFLINE, capture_output=True, text=True, check=False
    )
    return done.stderr if done.returncode else ""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A folder in which `dnnbench init` has been."""
    monkeypatch.chdir(tmp_path)
    options = ("--workloads", "mlp_digits", "--backend", "numpy", "--ci", "none")
    assert main(["init", *options]) == 0
    return tmp_path


def test_an_editor_passes_what_init_writes(project):
    assert lint(project, "dnnbench.toml") == ""


@pytest.mark.parametrize(
    ("text", "changed", "complaint"),
    [
        ("fail-on", "fail-onn", "'fail-onn' was unexpected"),
        ('"120s"', "[120]", "[120] is not valid"),
        ('["mlp_digits"]', "[]", "[] has less than 1 item"),
    ],
)
def test_an_editor_marks_a_mistake(project, text, changed, complaint):
    settings = project / "dnnbench.toml"
    settings.write_text(settings.read_text().replace(text, changed))
    assert complaint in lint(project, "dnnbench.toml")


def test_config_prints_the_schema_that_init_writes(project, capsys):
    capsys.readouterr()
    assert main(["config", "--schema"]) == 0
    assert capsys.readouterr().out.strip() == (project / SCHEMA).read_text().strip()


@pytest.fixture
def network(tmp_path, capsys):
    """Writes examples/mlp.toml with a line for editors, and with a change."""
    assert main(["schema"]) == 0
    (tmp_path / OF_WORKLOADS).write_text(capsys.readouterr().out)

    def write(text="", changed=""):
        example = EXAMPLE.read_text().replace(text, changed)
        (tmp_path / "net.toml").write_text(f"#:schema ./{OF_WORKLOADS}\n{example}")
        return tmp_path

    return write


def test_an_editor_passes_a_workload_file(network):
    assert lint(network(), "net.toml") == ""


def test_an_editor_marks_a_mistake_in_a_workload_file(network):
    assert "batch_sise" in lint(network("batch_size", "batch_sise"), "net.toml")
