"""What tests of the gate share."""

import sys

from dnnbench.execution.gate_cells import GateCell
from dnnbench.protocol.arm import Arm
from dnnbench.protocol.keys import CaseKey, CellKey
from dnnbench.spec.phases import Phase
from dnnbench.stats.estimates import Estimate
from dnnbench.stats.verdict import Finding, Verdict

THETA = 0.02
ALPHA = 0.01


DIGITS = CaseKey("cnn_digits", 8)
KEY = CellKey(Arm("b", "eager"), CaseKey("mlp", 8), Phase.INFER)
FOUND = GateCell(
    KEY, "numpy:eager", Finding(Verdict.SAME), Estimate(1.0, 0.99, 1.01, 6), 0.03, sound=True
)


OTHER = f"numpy@{sys.prefix}"


def share(text):
    return float(text.removesuffix(" %")) / 100


def precise_at_once(effects, precision):
    """Stands in for `enough`: a screen ends after its first generation, a confirmation never."""
    return precision > 0
