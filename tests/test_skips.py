"""A test is skipped for what no installation brings; for what `make install` brings, it fails."""

import ast
from pathlib import Path

TESTS = Path(__file__).parent
WAYS = {"skip", "skipif", "importorskip", "xfail"}
REASONS = {
    "cli/test_completion.py": "bash",
    "distribution/test_wheels.py": "other Pythons, unless DNNBENCH_REQUIRE_PYTHONS=1",
    "execution/test_devices.py": "a GPU or a TPU",
    "execution/test_pool.py": "two CPUs",
    "execution/test_scratch.py": "root",
    "helpers/chromium.py": "Chromium, unless DNNBENCH_REQUIRE_BROWSER=1",
    "helpers/postgres_server.py": "PostgreSQL, unless DNNBENCH_REQUIRE_POSTGRES=1",
    "host/test_affinity.py": "two CPUs",
    "host/test_lock.py": "root",
    "host/test_memory.py": "glibc",
    "host/test_placement.py": "two CPUs",
    "report/test_page_data.py": "the version of vl-convert-python that made the page's Vega",
}
"""By file, what its skipped tests need."""


def skips(path):
    """Whether a file names one of pytest's ways to leave a test out."""
    nodes = ast.walk(ast.parse(path.read_text()))
    return any(isinstance(node, ast.Attribute) and node.attr in WAYS for node in nodes)


def test_tests_are_skipped_for_what_no_installation_brings():
    files = {path.relative_to(TESTS).as_posix() for path in TESTS.rglob("*.py") if skips(path)}
    assert files == set(REASONS)
