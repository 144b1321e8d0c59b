"""Marks of tests that call a framework in their own process.

They import it when they run: PyTorch takes 4 s of CPU time and TensorFlow 6, and a test process
imports all files of the tests before it runs the first.
"""

import pytest

TORCH = pytest.mark.xdist_group("torch in this process")
TENSORFLOW = pytest.mark.xdist_group("tensorflow in this process")
