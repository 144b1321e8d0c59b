"""What `dnnbench init` writes: a file of settings with one suite, its schema for editors, and a
workflow that gates it.
"""

from pathlib import Path
from string import Template

SCHEMA = "dnnbench.schema.json"
"""Beside the settings, whose first line names it: editors with taplo or tombi read that line."""
SETTINGS = Template("""\
#:schema ./$schema
# Settings of dnnbench for this project: `dnnbench config` shows each of them. The line above tells
# editors which keys there are; after an upgrade: dnnbench config --schema > $schema

[suites.ci]
workloads = $workloads
$backend
[gate]
fail-on = "5%"           # slowdowns up to this much pass
inconclusive = "neutral" # what a gate does that could not judge every cell: fail, neutral or pass
max-time = "120s"        # of measuring, in each of the two stages
""")
GITHUB = Template("""\
# Holds each pull request against its base: fails for a slowdown that is certain, or another result.
name: speed
on: [pull_request]
permissions:
  contents: read
jobs:
  gate:
    runs-on: ubuntu-latest  # better: a machine that does nothing else meanwhile
    timeout-minutes: 60
    steps:
      - uses: actions/checkout@11bd71901bbe5b1630ceea73d27597364c9af683 # v4.2.2
        with:
          fetch-depth: 0
          persist-credentials: false
      - uses: actions/setup-python@a26af69be951a213d495a4c3e4e4022e16d87065 # v5.6.0
        with:
          python-version: "3.11"
      - run: pip install --quiet dnnbench
      - env:
          BASE: $${{ github.event.pull_request.base.sha }}
        run: |
          dnnbench gate --suite ci --git "$$BASE..HEAD" --markdown gate.md \\
            --annotations notes || code=$$?
          if [ -s notes ]; then cat notes; fi
          if [ -s gate.md ]; then cat gate.md >> "$$GITHUB_STEP_SUMMARY"; fi
          exit "$${code:-0}"
      - uses: actions/upload-artifact@ea165f8d65b6e75b540449e92b4886f43607fa02 # v4.6.2
        if: always()
        with:
          name: dnnbench
          path: results/dnnbench.sqlite
""")
GITLAB = Template("""\
# Include this file in .gitlab-ci.yml: merge requests show the cells as tests.
speed:
  image: python:3.11
  rules:
    - if: $$CI_PIPELINE_SOURCE == "merge_request_event"
  variables:
    GIT_DEPTH: "0"
  script:
    - pip install --quiet dnnbench
    - dnnbench gate --suite ci --git "$$CI_MERGE_REQUEST_DIFF_BASE_SHA..HEAD" --junit gate.xml
  artifacts:
    when: always
    paths: [results/dnnbench.sqlite]
    reports:
      junit: gate.xml
""")
WORKFLOWS = {
    "github": {".github/workflows/speed.yml": GITHUB},
    "gitlab": {".gitlab/speed.yml": GITLAB},
    "none": {},
}


def settings_text(workloads: str, backend: str) -> str:
    """The text of dnnbench.toml; both are lists with commas."""
    backends = f"backend = {_listed(backend)}\n" if backend.strip() else ""
    return SETTINGS.substitute(workloads=_listed(workloads), backend=backends, schema=SCHEMA)


def schema_text() -> str:
    """The JSON Schema of the file of settings, as it ships with dnnbench."""
    return Path(__file__).with_name("schema.json").read_text(encoding="utf-8")


def workflow_of(place: str) -> dict[str, str]:
    """Texts by the path that each is written to."""
    return {path: template.substitute() for path, template in WORKFLOWS[place].items()}


def _listed(text: str) -> str:
    """A list of TOML. Inside brackets a comma parts nothing: resnet50[tiny,batch=2] is one."""
    parts, depth, part = [], 0, ""
    for sign in text:
        depth += (sign == "[") - (sign == "]")
        if sign == "," and depth == 0:
            parts.append(part)
            part = ""
        else:
            part += sign
    names = [each.strip() for each in (*parts, part) if each.strip()]
    return "[" + ", ".join(_quoted(name) for name in names) + "]"


def _quoted(name: str) -> str:
    return '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
