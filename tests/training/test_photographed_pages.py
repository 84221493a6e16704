"""Pages photographed by code: what is written on them, and what their kinds add."""

import numpy as np
import pytest

from hwr_core.ink.handprint import write
from training.data.datasets import InkLine
from training.evaluation import photographed_pages
from training.evaluation.photographed_pages import KINDS, Sheet


@pytest.fixture(scope="module")
def lines():
    return [InkLine(text, write(text, seed=row), None) for row, text in enumerate(["see you", "at the station"] * 8)]


@pytest.mark.parametrize("kind", KINDS)
def test_a_photo_is_always_the_same_and_no_other_kinds(lines, kind):
    photo, again = (np.asarray(Sheet(1, kind, lines).photo(), int) for _ in range(2))
    assert (photo == again).all()
    other = np.asarray(Sheet(1, "ruled" if kind == "plain" else "plain", lines).photo(), int)
    assert photo.shape == other.shape and np.abs(photo - other).mean() > 0.3


def test_the_same_lines_are_on_each_kind_of_page(lines):
    texts = {tuple(line.text for line in Sheet(2, kind, lines).lines) for kind in KINDS}
    assert len(texts) == 1


def test_a_table_has_each_kind(lines, monkeypatch):
    monkeypatch.setattr(photographed_pages, "iam_ondb", lambda split: lines)
    monkeypatch.setattr(photographed_pages, "KINDS", ("plain",))
    [[kind, written, found, wrong, worst]] = photographed_pages.rows(1)
    assert kind == "plain" and written == len(Sheet(0, "plain", lines).lines) == found
    assert wrong == worst < 20
