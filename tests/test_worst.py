"""Misreadings are told apart by what went wrong."""

import pytest

from training.worst import CAUSES, cause


@pytest.mark.parametrize(
    ("truth", "reading", "expected"),
    [
        ("one two", "onetwo", "spaces"),
        ("The Black Cat", "the black cat", "capitals"),
        ("NON COMMERCIALES", "Non lommerciales", "capitals"),
        ("l'été, déjà", "lete deja", "accents and punctuation"),
        ("the quick brown fox jumps", "the quick", "a part was not read"),
        ("a dog", "a dog ran over the hill", "more was read than is written"),
        ("call 555-0199", "call SSS.O1gg", "numbers and signs"),
        ("handwriting", "landwriling", "letters of words"),
    ],
)
def test_the_cause(truth, reading, expected):
    assert expected in CAUSES
    assert cause(truth, reading) == expected
