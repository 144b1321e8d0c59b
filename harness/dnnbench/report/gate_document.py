"""A gate's findings as a document."""

from dataclasses import asdict
from typing import Any

from ..execution.gate_cells import Gate, GateCell
from ..protocol.keys import CellKey
from ..stats.estimates import Estimate
from ..stats.gate import FAMILY_ALPHA, Confirmation, Step
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
        "second_run": gate.second_run,
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
    first, second, overruled = cell.confirmation, cell.second, cell.outcome.overruled
    step, step_again = _step(first), _step(second)
    return place | {
        "screen": _estimate(cell.screen, cell.finding),
        "screen_verdict": cell.finding.verdict,
        "confirm": first and _estimate(first.estimate, first.finding),
        "p": step and step.p,
        "holm_threshold": step and step.threshold,
        "confirm_again": second and _estimate(second.estimate, second.finding),
        "p_again": step_again and step_again.p,
        "holm_threshold_again": step_again and step_again.threshold,
        "verdict": cell.outcome.verdict,
        "outcome": gate.answer_of(cell),
        "reason": cell.outcome.reason or None,
        "different_networks": cell.networks or None,
        "unexplained": cell.is_unexplained,
        "regressed": [figure.name for figure in cell.regressions],
        "smallest_difference": None if overruled else cell.smallest_difference,
    }


def _step(confirmation: Confirmation | None) -> Step | None:
    """None where something overrules it, as in the table."""
    if confirmation is None or confirmation.finding.overruled:
        return None
    return confirmation.step


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
