"""A gate's findings as a document."""

from dataclasses import asdict
from typing import Any

from ..execution.gate_cells import Gate, GateCell
from ..protocol.keys import CellKey
from ..stats.estimates import Estimate
from ..stats.gate import FAMILY_ALPHA
from ..stats.verdict import Finding


def document(gate: Gate) -> dict[str, Any]:
    """Everything as plain data."""
    return {
        "passed": gate.passed,
        "outcome": gate.answer,
        "base": gate.base,
        "theta": gate.theta,
        "alpha": FAMILY_ALPHA,
        **gate.policy.to_json(),
        "screen_run": gate.screen_run,
        "confirm_run": gate.confirm_run,
        "cells": [_cell(gate, cell) for cell in gate.cells],
        "counted": figure_documents(gate),
        "uncounted": gate.uncounted,
        "failed": [_failed(key, reason) for key, reason in gate.failed.items()],
        "unproven": [
            {"arm": arm, "workload": workload, "status": unproven.status, "reason": unproven.reason}
            for (arm, workload), unproven in gate.unproven.items()
        ],
        "unjudged": dict(gate.unjudged),
        "interrupted": gate.interrupted,
    }


def _cell(gate: Gate, cell: GateCell) -> dict[str, Any]:
    place = {
        "workload": cell.case.workload,
        "batch_size": cell.case.batch_size,
        "phase": cell.phase,
        "arm": cell.arm,
        "base": cell.base,
        "stage": cell.stage,
        "flagged": cell.flagged,
        "theta": cell.theta,
    }
    confirmation, overruled = cell.confirmation, cell.outcome.overruled
    return place | {
        "screen": _estimate(cell.screen, cell.finding),
        "screen_verdict": cell.finding.verdict,
        "confirm": _estimate(confirmation.estimate, confirmation.finding) if confirmation else None,
        "p": confirmation.step.p if confirmation and not overruled else None,
        "holm_threshold": confirmation.step.threshold if confirmation and not overruled else None,
        "verdict": cell.outcome.verdict,
        "outcome": gate.answer_of(cell),
        "reason": cell.outcome.reason or None,
        "different_networks": cell.networks or None,
        "unexplained": cell.is_unexplained,
        "regressed": [figure.name for figure in cell.regressions],
        "smallest_difference": None if overruled else cell.smallest_difference,
    }


def figure_documents(gate: Gate) -> list[dict[str, Any]]:
    """Every figure of every cell, a row each."""
    return [
        {
            "workload": cell.case.workload,
            "batch_size": cell.case.batch_size,
            "phase": cell.phase,
            "arm": cell.arm,
            "figure": figure.name,
            "unit": figure.unit,
            "base": figure.base,
            "candidate": figure.candidate,
            "change": figure.change,
            "deterministic": figure.is_deterministic,
            "named": figure.is_named,
            "reason": figure.reason or None,
        }
        for cell in gate.cells
        for figure in cell.figures
    ]


def _estimate(estimate: Estimate, finding: Finding) -> dict[str, Any]:
    """Without the interval where the reason overrules it, as in the table."""
    return asdict(estimate) | (dict.fromkeys(("low", "high")) if finding.overruled else {})


def _failed(key: CellKey, reason: str) -> dict[str, str]:
    return {"arm": key.arm.name, "case": str(key.case), "phase": key.phase, "reason": reason}
