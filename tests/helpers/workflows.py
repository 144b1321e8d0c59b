"""Workflows and the action as they are written, and their shell steps executed so."""

import os
import subprocess
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def read(path):
    return yaml.safe_load(path.read_text())


def steps(path):
    """Every step of a workflow or of a composite action."""
    document = read(path)
    if "runs" in document:
        return document["runs"]["steps"]
    jobs = document.get("jobs", {}).values()
    return [step for job in jobs for step in job["steps"]]


def script(path, name):
    (step,) = (step for step in steps(path) if step.get("name") == name)
    return step["run"]


def execute(text, **environment):
    """As GitHub runs a step whose shell is bash."""
    return subprocess.run(
        ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )
