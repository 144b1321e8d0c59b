"""What runs in other people's CI: its shell steps, executed as they are written."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from helpers.workflows import ROOT, execute, script, steps

WORKFLOWS = [
    ROOT / "action.yml",
    *(ROOT / ".github/workflows").glob("*.yml"),
    *(ROOT / "examples/ci").glob("*.yml"),
]
GH = """#!/bin/bash
# Records what it is asked; answers as GitHub would.
printf '%s\\n' "$*" >> "$RECORD"
case "$*" in
"run download"*) cp -r "$ARTIFACT" gate ;;
"pr view"*) echo 7 ;;
*"/comments --paginate"*) echo "$THERE" ;;
*"-F body=@comment.md"*) cp comment.md "$BODY" ;;
esac
"""
MARK = "<!-- dnnbench gate -->"


def test_there_are_workflows():
    assert len(WORKFLOWS) >= 7


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_no_workflow_gives_a_stranger_rights(path):
    """pull_request_target runs what a fork wrote with this repository's rights."""
    assert "pull_request_target" not in path.read_text()
    texts = [step["run"] for step in steps(path) if "run" in step]
    pasted = [text for text in texts if "${{ github." in text or "${{ inputs." in text]
    assert pasted == [], "bash would execute what the expression brings"


@pytest.fixture
def gh(tmp_path, monkeypatch):
    """`gh` on the path is a recorder; what it was asked, and the comment that it was given."""
    recorder = tmp_path / "bin/gh"
    recorder.parent.mkdir()
    recorder.write_text(GH)
    recorder.chmod(recorder.stat().st_mode | stat.S_IEXEC)
    (tmp_path / "artifact").mkdir()
    monkeypatch.setenv("PATH", f"{recorder.parent}{os.pathsep}{os.environ['PATH']}")
    for name in ("RECORD", "ARTIFACT", "BODY"):
        monkeypatch.setenv(name, str(tmp_path / name.lower()))
    return tmp_path


def comment(there="", source="stranger/mine"):
    path = ROOT / "examples/ci/github-comment.yml"
    asked = {"REPOSITORY": "us/mine", "RUN": "12", "PAGE": "https://example.org/run/12"}
    whose = {"SOURCE": source, "BRANCH": "main", "THERE": there}
    return execute(script(path, "Comment"), **asked, **whose)


@pytest.mark.parametrize(
    ("there", "call"),
    [
        ("", "api --method POST repos/us/mine/issues/7/comments -F body=@comment.md"),
        ("99", "api --method PATCH repos/us/mine/issues/comments/99 -F body=@comment.md"),
    ],
)
def test_a_pull_request_has_one_comment_that_is_kept_up_to_date(gh, there, call):
    (gh / "artifact/gate.txt").write_text("SLOWER: 1 of 2 cells\n")
    done = comment(there)
    assert done.returncode == 0, done.stderr
    calls = (gh / "record").read_text().splitlines()
    assert calls[0] == "run download 12 --repo us/mine --name dnnbench-gate --dir gate"
    assert calls[1] == "pr view stranger:main --repo us/mine --json number --jq .number"
    assert calls[-1] == call
    body = (gh / "body").read_text()
    assert body.startswith(f"{MARK}\n[What this pull request does to speed](https://example.org")
    assert body.endswith("\n\n    SLOWER: 1 of 2 cells\n")


@pytest.mark.parametrize(
    ("source", "head"), [("us/mine", "main"), ("stranger/mine", "stranger:main")]
)
def test_only_a_branch_of_a_fork_is_named_with_its_owner(gh, source, head):
    """gh finds no pull request of the repository's own branch where an owner stands before it."""
    (gh / "artifact/gate.txt").write_text("PASS: 2 cells\n")
    assert comment(source=source).returncode == 0
    [call] = [line for line in (gh / "record").read_text().splitlines() if line.startswith("pr ")]
    assert call.split()[2] == head


def test_what_a_stranger_measured_is_text(gh):
    hostile = f"@everyone\n```\n</code> {MARK}\n![x](https://evil.example/x.png)\x1b[2J\r\n"
    (gh / "artifact/gate.txt").write_bytes(hostile.encode() + b"x" * 100_000)
    assert comment().returncode == 0
    body = (gh / "body").read_text()
    _, _, text = body.partition("\n\n")
    assert all(line.startswith("    ") for line in text.splitlines())
    assert "\x1b" not in body
    assert len(body) < 65_536, "GitHub takes no longer comment"


def test_an_artifact_that_links_elsewhere_is_not_read(gh):
    secret = gh / "secret"
    secret.write_text("a secret")
    (gh / "artifact/gate.txt").symlink_to(secret)
    script_text = GH.replace('cp -r "$ARTIFACT" gate', 'cp -a "$ARTIFACT" gate')
    (gh / "bin/gh").write_text(script_text)
    done = comment()
    assert done.returncode == 0, done.stderr
    assert "nothing was measured" in done.stdout
    assert not (gh / "body").exists()


@pytest.fixture
def runner(tmp_path, monkeypatch):
    """The folders that GitHub gives to a step, and this dnnbench where the action installs one."""
    programs = tmp_path / "dnnbench/bin"
    programs.mkdir(parents=True)
    shutil.copy(Path(sys.executable).parent / "dnnbench", programs)
    monkeypatch.setenv("RUNNER_TEMP", str(tmp_path))
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_gate_that_cannot_be_meant_fails_its_step_with_the_reason(runner):
    given = {
        "WORKLOADS": "",
        "BASE": "main",
        "BACKEND": "",
        "ARGUMENTS": "",
        "INCONCLUSIVE": "pass",
    }
    done = execute(script(ROOT / "action.yml", "Gate"), **given)
    assert done.returncode == 2
    assert "is in no git repository" in done.stderr
    assert not (runner / "summary.md").exists()
