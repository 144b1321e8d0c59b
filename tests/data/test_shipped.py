"""The data sets inside dnnbench are scikit-learn's, bit for bit."""

import sys

import pytest
from dnnbench.data.shipped import FOLDER, shipped
from dnnbench.data.table import read_table
from dnnbench.errors import DataError
from dnnbench.spec.data import Table
from sklearn import datasets

NAMES = ["digits", "wine", "breast_cancer"]
PARTS = pytest.mark.parametrize("part", [0, 1], ids=["features", "labels"])


@PARTS
@pytest.mark.parametrize("name", NAMES)
def test_numbers_are_those_of_scikit_learn(name, part):
    theirs = getattr(datasets, f"load_{name}")(return_X_y=True)[part]
    ours = shipped(name)[part]
    assert (ours.dtype, ours.shape) == (theirs.dtype, theirs.shape)
    assert ours.tobytes() == theirs.tobytes()


def test_every_file_has_its_licence_beside_it():
    licences = (FOLDER / "LICENSES.txt").read_text()
    files = [file.name for file in FOLDER.glob("*.npz")]
    assert len(files) == len(NAMES)
    assert not [name for name in files if f"{name}\n" not in licences]


def test_diabetes_says_what_to_install_where_scikit_learn_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(DataError, match=r"pip install 'dnnbench\[tables\]'"):
        read_table(Table(name="diabetes"), "features")
