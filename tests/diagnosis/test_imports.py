"""Only `--explain` imports the diagnosis: neither a check's parent nor its worker does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from dnnbench.execution.checking import ensure_references, reference_path
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from dnnbench.worker.clients.agreement import AgreementClient
from dnnbench.worker.services.agreement import CheckRequest
from helpers.imports_service import Modules

TESTS = Path(__file__).parents[1]


def imports_of(arguments):
    """Modules that a command imports, as Python itself lists them."""
    line = [sys.executable, "-X", "importtime", "-m", "dnnbench.cli.main", *arguments]
    environment = os.environ | {"PYTHONPATH": str(TESTS)}
    done = subprocess.run(line, env=environment, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rsplit("|", 1)[1].strip() for line in lines}


def of_diagnosis(modules):
    return [name for name in modules if name.startswith("dnnbench.diagnosis")]


@pytest.mark.slow
def test_a_check_imports_no_diagnosis():
    modules = imports_of(
        ["check", "mlp_digits", "--backend", "numpy", "--dtype", "float64", "--threads", "1"]
    )
    assert "dnnbench.agreement.status" in modules
    assert not of_diagnosis(modules)


@pytest.mark.slow
def test_explain_imports_it():
    """So that the test above can fail."""
    line = [
        "check",
        "mlp_digits",
        "--backend",
        "numpy",
        "--dtype",
        "float64",
        "--threads",
        "1",
        "--explain",
    ]
    assert of_diagnosis(imports_of(line))


def test_a_worker_that_has_checked_imports_no_diagnosis(workers, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(TESTS))
    workload = CASES["dense"]()
    request = CheckRequest(workload, tuple(batches_of(workload)), (1,), seed=0).in_dtype("float64")
    ensure_references([request])
    worker = workers.get("numpy", dtype="float64", service="helpers.imports_service:Imports")
    AgreementClient(worker).check(request, reference_path(request))
    modules = worker.ask(Modules.modules, 120)
    assert "dnnbench.agreement.check" in modules
    assert not of_diagnosis(modules)
