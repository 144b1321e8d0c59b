"""What runs in other people's CI: its shell steps, executed as they are written."""

import os
import shutil
import stat
import sys
from pathlib import Path

import pytest
from helpers.workflows import ROOT, execute, read, script, steps

WORKFLOWS = [
    ROOT / "action.yml",
    *(ROOT / ".github/workflows").glob("*.yml"),
    *(ROOT / "examples/ci").glob("*.yml"),
]
GH = """#!/bin/bash
# Records what it is asked; answers as GitHub would.
printf '%s\\n' "$*" >> "$RECORD"
case "$*" in
"run list"*) echo "$BEFORE" ;;
"run download"*"--name dnnbench-store"*) cp "$ARTIFACT"/* results ;;
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


GATE = """#!/bin/bash
# A gate that is slower, in a network whose name would be a command to the runner.
while [ $# -gt 0 ]; do
  case "$1" in
  --markdown) echo "## SLOWER" > "$2" ;;
  --annotations) echo "::error title=dnnbench::net is slower" > "$2" ;;
  esac
  shift
done
echo "::add-mask::everything"
exit 3
"""


def test_the_action_annotates_and_lets_no_name_command_the_runner(runner):
    """By the commands that its step prints: a stand-in gate, as a real one takes minutes."""
    (runner / "dnnbench/bin/dnnbench").write_text(GATE)
    asked = dict.fromkeys(("WORKLOADS", "BASE", "BACKEND", "ARGUMENTS", "INCONCLUSIVE"), "pass")
    done = execute(script(ROOT / "action.yml", "Gate"), **asked)
    lines = done.stdout.splitlines()
    assert done.returncode == 3
    assert lines[0].startswith("::stop-commands::")
    token = lines[0].removeprefix("::stop-commands::")
    assert lines[1:] == [
        "::add-mask::everything",
        f"::{token}::",
        "::error title=dnnbench::net is slower",
    ]
    assert (runner / "summary.md").read_text() == "## SLOWER\n"


def restored(**environment):
    path = ROOT / "examples/ci/github-history.yml"
    asked = {"REPOSITORY": "us/mine", "WORKFLOW": "speed history"}
    return execute(script(path, "Restore the store"), **asked, **environment)


def test_the_store_of_the_run_before_is_taken_over(gh, monkeypatch):
    monkeypatch.chdir(gh)
    (gh / "artifact/dnnbench.sqlite").write_text("a store")
    done = restored(BEFORE="12")
    assert done.returncode == 0, done.stderr
    assert (gh / "results/dnnbench.sqlite").read_text() == "a store"


def test_the_first_run_begins_a_store(gh, monkeypatch):
    monkeypatch.chdir(gh)
    done = restored(BEFORE="")
    assert done.returncode == 0, done.stderr
    assert "a new store begins" in done.stdout
    assert "download" not in (gh / "record").read_text()


def test_a_store_that_is_gone_is_told(gh, monkeypatch):
    monkeypatch.chdir(gh)
    done = restored(BEFORE="12", ARTIFACT=str(gh / "none"))
    assert done.returncode == 0, done.stderr
    assert "::warning title=dnnbench::the store of run 12 is gone" in done.stdout


COMMENTING = [path for path in WORKFLOWS if "workflow_run" in path.read_text()]
MEASURING = [path for path in WORKFLOWS if "pull_request" in str(read(path).get(True))]


def test_who_comments_runs_nothing_of_the_pull_request():
    """`on` is true to YAML."""
    assert [path.name for path in COMMENTING] == ["github-comment.yml"]
    for path in COMMENTING:
        used = [step.get("uses", "") for step in steps(path)]
        assert not any(name.startswith("actions/checkout") for name in used)
        assert read(path)["permissions"] == {}


@pytest.mark.parametrize("path", MEASURING, ids=lambda path: path.name)
def test_who_measures_a_pull_request_has_no_secret_and_writes_nothing(path):
    text = path.read_text()
    assert "secrets." not in text
    assert "write" not in str(read(path).get("permissions"))
    assert read(path)["permissions"] == {"contents": "read"}
