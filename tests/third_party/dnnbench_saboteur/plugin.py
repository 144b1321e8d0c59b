"""Announces the backend through the door that every backend uses."""

from dnnbench.plugins.hooks import BackendInfo, hookimpl


@hookimpl
def dnnbench_backends():
    modes = (
        "honest", "crash", "hang", "stop", "rubbish", "wrong", "raise", "busy", "slow", "kept",
        "uncounted", "lost",
    )  # fmt: skip
    return [
        BackendInfo(
            "saboteur", "Saboteur", modes, "honest", "dnnbench_saboteur.backend:SaboteurBackend"
        )
    ]
