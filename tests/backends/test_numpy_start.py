"""What a worker of NumPy imports before it is ready."""

import subprocess
import sys

IMPORTED = """
import sys
from dnnbench.worker.server.offer import WorkerServices
import dnnbench_numpy.backend
WorkerServices()
print(*sys.modules)
"""


def test_it_starts_without_scipy():
    """Which costs 0.2 s of CPU time, and only gelu wants it."""
    done = subprocess.run([sys.executable, "-c", IMPORTED], capture_output=True, text=True)
    imported = done.stdout.split()
    assert "dnnbench_numpy.ops" in imported, done.stderr
    assert "scipy" not in imported
