"""A tag is released only where versions and changelog agree with it."""

import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / ".ci/release"
GOOD = {
    ".ci/release": SCRIPT.read_text(),
    "harness/dnnbench/__init__.py": 'import os\n\n__version__ = "1.2.0"\n',
    "backends/dnnbench_onnxruntime/pyproject.toml": '[project]\nversion = "1.2.0"\n',
    "CHANGELOG.md": "# Changelog\n\n## 1.2.0 (2027-01-31)\n\n## 1.1.0 (2026-12-01)\n",
}
BAD = [
    ("v1.2.1", {}, "harness/dnnbench/__init__.py: got version 1.2.0, expected 1.2.1"),
    ("1.2.0", {}, "expected 1.2.0 for tag 1.2.0"),
    (
        "v1.2.0",
        {"backends/dnnbench_onnxruntime/pyproject.toml": '[project]\nversion = "1.1.0"\n'},
        "dnnbench_onnxruntime/pyproject.toml: got version 1.1.0",
    ),
    (
        "v1.2.0",
        {"CHANGELOG.md": "# Changelog\n\n## 1.2.0 (unreleased)\n"},
        "got top heading '1.2.0 (unreleased)', expected '1.2.0 (YYYY-MM-DD)'",
    ),
    (
        "v1.2.0",
        {"CHANGELOG.md": "## 1.3.0 (2027-02-01)\n\n## 1.2.0 (2027-01-31)\n"},
        "got top heading '1.3.0 (2027-02-01)'",
    ),
]


def release(folder, tag, changes):
    for name, text in (GOOD | changes).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, str(folder / ".ci/release"), tag]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_a_tag_that_agrees_is_released(tmp_path):
    done = release(tmp_path, "v1.2.0", {})
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(("tag", "changes", "reason"), BAD)
def test_a_tag_that_disagrees_is_refused_with_the_reason(tmp_path, tag, changes, reason):
    done = release(tmp_path, tag, changes)
    assert done.returncode == 1
    assert reason in done.stderr
