"""What answers score: of sequences, of yes or no, of numbers."""

import numpy as np
import pytest
from dnnbench.spec.losses import BceWithLogits, CrossEntropy, Mse
from dnnbench.worker.score import score, total
from helpers.data_networks import IGNORED
from scipy.special import log_softmax, xlogy


def test_score_of_sequence_labels_leaves_out_the_ignored():
    draw = np.random.default_rng(0)
    z, labels = draw.normal(size=(6, 5, 4)).astype(np.float32), draw.integers(-1, 4, (6, 5))
    guess, counted = z.argmax(axis=-1), labels >= 0
    result = score(CrossEntropy(ignored=IGNORED, smoothing=0.1), z, guess, labels)
    q = 0.9 * np.eye(4)[labels] + 0.1 / 4
    expected = -(q * log_softmax(z.astype(np.float64), axis=-1)).sum(axis=-1)[counted].mean()
    assert result.loss == pytest.approx(expected, rel=1e-12)
    assert (result.counted, result.wrong) == (
        counted.sum(),
        (guess[counted] != labels[counted]).sum(),
    )
    assert 0 < result.wrong < result.counted
    assert result.accuracy == 1 - result.wrong / result.counted


def test_score_of_yes_or_no():
    z, t = (
        np.array([[2.0], [-1.0], [0.5], [-3.0]], np.float32),
        np.array([[1], [1], [0], [0]], np.float32),
    )
    result = score(BceWithLogits(), z, (z > 0).astype(np.int32), t)
    p = 1 / (1 + np.exp(-z.astype(np.float64)))
    assert (result.counted, result.wrong, result.accuracy) == (4, 2, 0.5)
    assert result.loss == pytest.approx(-(xlogy(t, p) + xlogy(1 - t, 1 - p)).mean(), rel=1e-12)


def test_an_answer_that_comes_from_nan_is_wrong_though_it_be_the_right_class():
    z, labels = np.array([[9.0, 0.0], [np.nan, 0.0], [0.0, np.nan]]), np.array([0, 0, 1])
    assert score(CrossEntropy(), z, z.argmax(axis=-1), labels).wrong == 2
    z, no = np.array([[-1.0], [np.nan]]), np.zeros((2, 1))
    assert score(BceWithLogits(), z, (z > 0).astype(np.int32), no).wrong == 1


def test_score_of_numbers_knows_no_wrong_answers():
    z, t = (
        np.array([[1.0, 2.0], [0.0, 4.0]], np.float32),
        np.array([[1.0, 0.0], [3.0, 4.0]], np.float32),
    )
    result = score(Mse(), z, z, t)
    assert (result.loss, result.wrong, result.accuracy, result.counted) == (13 / 4, None, None, 4)


@pytest.mark.parametrize("loss", [CrossEntropy(ignored=IGNORED), BceWithLogits(), Mse()])
def test_scores_of_parts_make_the_score_of_the_whole(loss):
    draw = np.random.default_rng(1)
    z = draw.normal(size=(10, 3, 4))
    labels = (
        draw.integers(-1, 4, (10, 3)) if loss.kind == "cross_entropy" else draw.random((10, 3, 4))
    )
    guess = z.argmax(axis=-1) if loss.kind == "cross_entropy" else z > 0
    cuts = (slice(0, 1), slice(1, 4), slice(4, 10))
    parts, whole = (
        [score(loss, z[c], guess[c], labels[c]) for c in cuts],
        score(loss, z, guess, labels),
    )
    together = total(parts)
    assert (together.counted, together.wrong) == (whole.counted, whole.wrong)
    assert together.loss == pytest.approx(whole.loss, rel=1e-12)
