"""A history as plain data: what frames and JSON have of it."""

from collections.abc import Iterator
from typing import Any

from ..report.quantity import present
from ..stats.change_limits import FAMILY_ALPHA, LEAST_POINTS, WINDOW
from .history import History, SeriesChange, Trend
from .outcome import trend_line
from .series import Series

Row = dict[str, Any]


def document(history: History) -> Row:
    """All of it, by the keys of `history --json`."""
    return {
        "machine": {"id": history.machine.id, "label": history.machine.label},
        "unit": str(history.unit),
        "imported": list(history.imported),
        "runs": [run.run_id for run in history.runs],
        "search": {
            "method": None if history.no_search else "ruptures.KernelCPD",
            "reason": history.no_search or None,
            "family_alpha": FAMILY_ALPHA,
            "window": WINDOW,
            "least_points": LEAST_POINTS,
            "limit": history.limit,
        },
        "cells": [
            {
                **_place(trend.series),
                "trend": trend_line(trend.series),
                "points": list(point_rows(trend, with_place=False)),
            }
            for trend in history.trends
        ],
        "change_points": [change_rows(history, change) for change in history.change_points],
        "new_slowdowns": len(history.new_slowdowns),
        "notes": list(history.notes),
    }


def point_rows(trend: Trend, with_place: bool = True) -> Iterator[Row]:
    """A row a point of a series, oldest first."""
    place = _place(trend.series) if with_place else {}
    for number, segment in enumerate(trend.series.segments):
        for point in segment.points:
            estimate = point.estimate
            begins = point is segment.points[0]
            yield {
                **place,
                "run_id": point.run.run_id,
                "label": point.run.label,
                "created": point.run.created,
                "revision": point.run.revision,
                "value": estimate.value,
                "low": estimate.low if present(estimate.low) else None,
                "high": estimate.high if present(estimate.high) else None,
                "generations": estimate.generations,
                "segment": number,
                "breaks": list(segment.changes) if begins else [],
                "objection": point.objection or None,
            }


def change_rows(history: History, change: SeriesChange) -> Row:
    """A change point with the runs and commits around it."""
    evidence = change.point.evidence
    estimate = evidence.estimate
    return {
        **_place(change.series),
        "ratio": estimate.value,
        "ratio_low": estimate.low,
        "ratio_high": estimate.high,
        "after_selection": True,
        "kind": "drift" if change.point.is_drift else "step",
        "p": evidence.p,
        "before_run": change.before.run.run_id,
        "after_run": change.after.run.run_id,
        "seen_run": change.seen.run.run_id,
        "before_revision": change.before.run.revision,
        "after_revision": change.after.run.revision,
        "environment": list(change.also_changed),
        "cells_together": history.together(change),
    }


def _place(series: Series) -> Row:
    key = series.key
    return {
        "workload": key.case.workload,
        "batch_size": key.case.batch_size,
        "phase": str(key.phase),
        "arm": series.arm,
    }
