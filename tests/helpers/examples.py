"""The workload files of the repository."""

from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "mlp.toml"
