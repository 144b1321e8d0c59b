"""References on disk: whole, and found again by everything that matters."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
from dnnbench.agreement.reference_files import load_reference, reference_key, save_reference
from dnnbench.testing.cases import CASES
from dnnbench.testing.cases.batches import batches_of
from helpers.comparing import checked


def test_a_reference_survives_the_disk(tmp_path):
    _, reference, _ = checked()
    save_reference(reference, tmp_path / "r.npz")
    back = load_reference(tmp_path / "r.npz")
    assert back.sigma == reference.sigma
    assert back.sigma_kink == reference.sigma_kink
    assert back.peak == reference.peak
    assert back.tensors.keys() == reference.tensors.keys()
    assert all(np.array_equal(back.tensors[k], a) for k, a in reference.tensors.items())
    assert back.zero.keys() == reference.zero.keys()
    assert all(np.array_equal(back.zero[k], mask) for k, mask in reference.zero.items())
    assert any(mask.any() for mask in back.zero.values())


def test_a_reference_written_by_many_at_once_is_whole(tmp_path):
    _, reference, _ = checked()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda _: save_reference(reference, tmp_path / "r.npz"), range(40)))
    assert load_reference(tmp_path / "r.npz").sigma == reference.sigma
    assert [path.name for path in tmp_path.iterdir()] == ["r.npz"]


def test_the_cache_key_changes_with_all_that_matters():
    workload = CASES["dense"]()
    batches = batches_of(workload)
    other = [*batches[:-1], replace(batches[-1], targets=batches[-1].targets[::-1].copy())]
    keys = {
        reference_key(workload, batches, (1, 5), 0, "code", "float32"),
        reference_key(CASES["relu"](), batches, (1, 5), 0, "code", "float32"),
        reference_key(workload, other, (1, 5), 0, "code", "float32"),
        reference_key(workload, batches, (1,), 0, "code", "float32"),
        reference_key(workload, batches, (1, 5), 1, "code", "float32"),
        reference_key(workload, batches, (1, 5), 0, "other code", "float32"),
        reference_key(workload, batches, (1, 5), 0, "code", "bfloat16"),
    }
    assert len(keys) == 7
