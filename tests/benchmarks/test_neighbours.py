"""An arm's time beside one other arm, beside five and beside eight:
it must not hang on how many there are.
"""

import subprocess
import sysconfig
from pathlib import Path

import pytest
from dnnbench.host.affinity import current_mask
from dnnbench.store.store import open_store
from dnnbench.testing.replay import replay

SECONDS_AN_ARM = 1.5
COMMAND = Path(sysconfig.get_path("scripts")) / "dnnbench"
THIS_ENVIRONMENT = COMMAND.parents[1]


@pytest.mark.benchmark(timer=replay, group="one arm of NumPy beside others, a training step")
@pytest.mark.parametrize("others", (1, 5, 8))
@pytest.mark.parametrize("threads", sorted({1, len(current_mask())}))
def test_time_beside_others(benchmark, tmp_path, cache, threads, others):
    """Seconds of the base's visits; the others are this interpreter again, under other names."""
    names = [tmp_path / f"same{number}" for number in range(others)]
    for name in names:
        name.symlink_to(THIS_ENVIRONMENT)
    arms = ",".join(["numpy", *(f"numpy@{name}" for name in names)])
    store = tmp_path / "store.sqlite"
    asked = [
        "--backend",
        arms,
        "--threads",
        str(threads),
        "--phase",
        "train_step",
        "--generations",
        "3",
    ]
    asked += [
        "--max-time",
        f"{SECONDS_AN_ARM * (others + 1)}",
        "--no-check",
        "--wait",
        "--store",
        str(store),
    ]
    subprocess.run(
        [COMMAND, "run", "mlp_digits", *asked], check=True, capture_output=True, cwd=tmp_path
    )
    with open_store(store, create=False) as opened:
        cells = opened.cells(opened.find_run("latest"))
        base = cells[(cells["arm"] == "numpy:eager") & (cells["phase"] == "train_step")]
        visits = opened.samples(list(base["cell_id"]))
    replay.play(benchmark, visits["seconds"] / visits["k"])
