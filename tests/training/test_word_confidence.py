"""Fitting how probable it is that a word is right."""

import json

import numpy as np

from hwr_core.checkpoints.checkpoint_config import read_json, word_confidence_of
from hwr_core.decoding.word_confidence import FEATURES, WordConfidence
from training.fit.word_confidence import Samples, calibration_table, fitted, marks_table, sets_table, write

TRUE = WordConfidence((-1.0, 0.5, -0.8, 1.5, 0.2), 0.7)


def words(count: int = 6000) -> Samples:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (count, len(FEATURES))) * [1, 4, 1, 1, 3]
    wrong = rng.random(count) > TRUE.of(features)
    writers = rng.integers(0, 20, count).astype(str)
    return Samples(features, rng.random(count), wrong, writers, np.where(rng.random(count) < 0.5, "ink", "scans"))


def test_the_fit_finds_what_words_were_drawn_by():
    drawn = words()
    found = fitted(drawn.features, ~drawn.wrong)
    assert np.allclose(found.weights, TRUE.weights, atol=0.15) and abs(found.bias - TRUE.bias) < 0.15


def test_no_writer_is_in_both_halves():
    drawn = words()
    first = drawn.is_first_half
    assert 0.3 < first.mean() < 0.7
    assert not set(drawn.writers[first]) & set(drawn.writers[~first])


def test_the_tables_count_marked_and_wrong_words():
    drawn = words()
    sure = TRUE.of(drawn.features)
    row = next(row for row in marks_table(drawn, TRUE).rows if row[0] == "estimate < 0.5")
    assert row[2] == round(100 * float((sure < 0.5).mean()), 1)
    assert row[3] == round(100 * float(drawn.wrong[sure < 0.5].mean()), 1)
    assert sum(row[1] for row in sets_table(drawn, TRUE, 0.5).rows) == len(sure)
    for row in calibration_table(drawn, TRUE).rows:
        middle = 100 * (float(row[0][:3]) + 0.05)
        assert abs(row[2] - middle) < 10, "the estimates that words were drawn by keep their promise"


def test_the_checkpoint_gets_the_regression(tmp_path):
    (tmp_path / "config.json").write_text(json.dumps({"ctc_weight": 0.4}))
    write(tmp_path, TRUE)
    assert word_confidence_of(read_json(tmp_path / "config.json")) == TRUE
    assert json.loads((tmp_path / "config.json").read_text())["ctc_weight"] == 0.4
