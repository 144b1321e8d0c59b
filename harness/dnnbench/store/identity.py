"""Names that never collide: the same text on every machine for the same thing, and only for it."""

import hashlib
import json
from collections.abc import Mapping


def canonical_json(value: Mapping | list) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def cell_id(run_id: str, workload: str, spec_hash: str, arm: str, batch_size: int, phase: str) -> str:
    """Name of a cell: SHA-256 of run|workload|spec hash|arm|batch size|phase, its first 24 hex digits."""
    text = "|".join([run_id, workload, spec_hash, arm, str(batch_size), phase])
    return hashlib.sha256(text.encode()).hexdigest()[:24]
