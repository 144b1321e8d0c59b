"""Names that never collide: the same text on every machine for the same thing, and only for it."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

IDENTITY_VERSION = 2
"""Of what names a machine: 1 was every hardware fact that its dnnbench knew,
so that each new fact renamed every machine.
"""
IDENTITY = (
    "architecture", "cpu_vendor", "cpu_model", "cpu_signature", "caches",
    "logical_cpus", "physical_cores", "memory_gib", "gpus",
)  # fmt: skip
"""The hardware facts that name a machine; what a library derives from them
(its names for processors) is not among them.
"""


def canonical_json(value: Mapping[str, Any] | list[Any]) -> str:
    """JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"))


def cell_id(
    run_id: str, workload: str, spec_hash: str, arm: str, arm_key: str, batch_size: int, phase: str
) -> str:
    """Name of a cell: SHA-256 of all that identifies it, its first 24 hex digits.

    The arm counts by name and by value: two types of one backend would have one printed name,
    and a twin has the base's value.
    Ids of older stores were made without the value, and are only ever read.
    """
    text = "|".join([run_id, workload, spec_hash, arm, arm_key, str(batch_size), phase])
    return hashlib.sha256(text.encode()).hexdigest()[:24]


def names_machine(hardware: Mapping[str, Any]) -> bool:
    """Whether every fact of the identity is known."""
    return all(hardware.get(name) is not None for name in IDENTITY)


def machine_id(hardware: Mapping[str, Any], host_hash: str) -> str:
    """16 hexadecimal digits that stand for the hardware:
    machines alike, as a provider's are, share them.

    Unknown is not equal to unknown: where a fact of the identity is missing,
    only one host shares them.
    """
    facts = {name: hardware.get(name) for name in IDENTITY}
    named = {
        "version": IDENTITY_VERSION,
        "facts": facts,
        "host": None if names_machine(hardware) else host_hash,
    }
    return hashlib.sha256(canonical_json(named).encode()).hexdigest()[:16]


def machine_class(hardware: Mapping[str, Any]) -> str | None:
    """Processor, cores and memory, as a provider offers them; None where one is not known."""
    model, cores, gib = (
        hardware.get(name) for name in ("cpu_model", "physical_cores", "memory_gib")
    )
    return None if None in (model, cores, gib) else f"{model}, {cores} cores, {gib} GiB"
