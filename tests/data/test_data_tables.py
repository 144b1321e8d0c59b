"""Tables are standardised and split the same everywhere."""

import hashlib
from collections import Counter

import numpy as np
import pytest
from dnnbench.data.dataset import load
from dnnbench.spec.data import Table
from dnnbench.spec.losses import BceWithLogits, CrossEntropy, Mse
from helpers.data_networks import flat
from sklearn import datasets

CHECKSUMS = {
    "wine": "3f1dcc820b743c6c",
    "breast_cancer": "6d87b402952c10ea",
    "diabetes": "d27b98fa05bbc7a9",
}


@pytest.mark.parametrize("name, units, loss, tests", [
    ("wine", 3, CrossEntropy(), 36),
    ("breast_cancer", 2, CrossEntropy(), 113),
    ("breast_cancer", 1, BceWithLogits(), 113),
    ("diabetes", 1, Mse(), 88),
])  # fmt: skip
def test_tables_are_standardised_by_their_training_part(name, units, loss, tests):
    raw_x, raw_y = getattr(datasets, f"load_{name}")(return_X_y=True)
    data = load(flat(units, loss, raw_x.shape[1], Table(name=name)))
    x, test = data.x_train["features"], data.x_test["features"]
    assert (len(data.y_test), len(x)) == (tests, len(raw_x) - tests)
    np.testing.assert_allclose(x.mean(axis=0), 0, atol=1e-6)
    np.testing.assert_allclose(x.std(axis=0), 1, atol=1e-5)
    assert 0.05 < np.abs(test.mean(axis=0)).max() < 0.5, "the test part is not looked at"
    whole, rank = np.concatenate([x, test]), np.argsort(raw_x[:, 0], kind="stable")
    np.testing.assert_array_equal(
        np.argsort(np.sort(whole[:, 0])), np.argsort(raw_x[rank, 0], kind="stable")
    )
    y = np.concatenate([data.y_train, data.y_test]).ravel()
    if name == "diabetes":
        assert abs(data.y_train.mean()) < 1e-6
        assert abs(data.y_train.std() - 1) < 1e-5
    else:
        assert Counter(y.astype(int).tolist()) == Counter(raw_y.tolist())


def digest(*arrays):
    return hashlib.sha256(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays)).hexdigest()[
        :16
    ]


@pytest.mark.parametrize("name", CHECKSUMS)
def test_tables_are_split_the_same_everywhere(name):
    units, loss = {"wine": (3, None), "breast_cancer": (2, None), "diabetes": (1, Mse())}[name]
    features = getattr(datasets, f"load_{name}")().data.shape[1]
    data = load(flat(units, loss, features, Table(name=name)))
    signs = [np.sign(x["features"]).astype(np.int8) for x in (data.x_train, data.x_test)]
    assert digest(*signs, np.sign(data.y_test).astype(np.int8)) == CHECKSUMS[name]
