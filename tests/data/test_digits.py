"""The digits in the sizes and with the targets that image networks ask for."""

import numpy as np
import pytest
from dnnbench.data.digits import BACKGROUND, read_digits
from dnnbench.data.fit import fit_array
from dnnbench.spec.data import Digits
from dnnbench.spec.tensor import TensorType
from pydantic import ValidationError

PLAIN = read_digits(Digits(), "image")


def grey(raw):
    return raw.x_train["image"]


def test_plain_digits_are_8x8():
    assert grey(PLAIN).shape == (1438, 8, 8, 1)
    assert PLAIN.y_train.shape == (1438,)


@pytest.mark.parametrize(
    ("size", "channels", "margin"), [(8, 1, 0), (24, 3, 0), (16, 1, 5), (8, 2, 3)]
)
def test_an_enlarged_digit_repeats_every_pixel_in_every_channel(size, channels, margin):
    images = grey(read_digits(Digits(size=size, channels=channels, margin=margin), "image"))
    assert images.shape == (1438, size + 2 * margin, size + 2 * margin, channels)
    for row in (0, size // 2, size - 1):
        for column in (0, size - 1):
            seen = images[:, margin + row, margin + column]
            wanted = grey(PLAIN)[:, row * 8 // size, column * 8 // size]
            np.testing.assert_array_equal(seen, np.broadcast_to(wanted, seen.shape))
    np.testing.assert_allclose(
        images.sum(), channels * (size / 8) ** 2 * grey(PLAIN).sum(), rtol=1e-5
    )


def test_labels_do_not_depend_on_the_size():
    np.testing.assert_array_equal(
        read_digits(Digits(size=32, channels=3, margin=2), "image").y_test, PLAIN.y_test
    )


def test_the_image_as_target_is_the_image_without_its_margin():
    raw = read_digits(Digits(size=16, margin=4, target="image"), "image")
    np.testing.assert_array_equal(raw.y_train, grey(raw)[:, 4:-4, 4:-4])
    flat = fit_array(raw.y_train, TensorType((256,)), "here")
    np.testing.assert_array_equal(flat[7].reshape(16, 16), grey(raw)[7, 4:-4, 4:-4, 0])


def test_pixels_bear_the_digit_where_there_is_ink():
    raw = read_digits(Digits(size=16, margin=1, channels=2, target="pixels"), "image")
    ink = grey(raw)[:, 1:-1, 1:-1, 1] > 0.5
    assert raw.y_train.shape == (1438, 16, 16)
    assert 0.2 < ink.mean() < 0.5
    assert (raw.y_train[~ink] == BACKGROUND).all()
    for labels, drawn, label in zip(raw.y_train, ink, PLAIN.y_train, strict=True):
        assert (labels[drawn] == label).all()


@pytest.mark.parametrize(
    "fields", [{"size": 12}, {"size": 4}, {"margin": -1}, {"channels": 0}, {"target": "ink"}]
)
def test_impossible_digits_are_refused(fields):
    with pytest.raises(ValidationError):
        Digits(**fields)
