"""Dots and accents that a reading lost, and the marks that open a Spanish question or cry."""

import numpy as np
import pytest

from hwr_core.decoding.letters import CLOSED, Change, Letters
from hwr_core.decoding.lost_marks import with_gains
from hwr_core.ink.strokes import level, render_line
from training.evaluation.drawn import more_drawings, write

NAMES = [None, None, None, None, *"abeéèiDdónó¿¡?! "]


def ids(text: str) -> list[int]:
    return [NAMES.index(character) for character in text]


def changed(table: Letters, text: str, language: str) -> set[str]:
    found = set()
    for change in table.changes(ids(text), language):
        tokens = ids(text)
        tokens[change.place : change.place + len(change.tokens)] = change.tokens
        found.add("".join(str(NAMES[token]) for token in tokens))
    return found


def test_letters_may_have_lost_a_mark_and_none_is_taken_away():
    assert changed(Letters(NAMES), "bé be", "fr") == {"bé bé", "bé bè"}
    assert changed(Letters(NAMES), "é?", "es") == set()


def test_a_spanish_sentence_may_have_lost_what_opens_it():
    table = Letters(NAMES)
    assert {"¿Dón?", "¿dón?", "¡Dón?", "¡dón?"} <= changed(table, "idón?", "es")
    assert not any(text[0] in "¿¡" for text in changed(table, "idón?", "fr"))
    gains = {NAMES[change.tokens[0]]: change.gain for change in table.changes(ids("idón?"), "es")}
    assert gains["¿"] == CLOSED and gains["¡"] == 0
    assert not any("¿" in text for text in changed(table, "bid ó", "es"))  # inside a word


def test_a_gain_is_what_the_whole_line_gains(recognizer):
    model = recognizer.decoding.language_model.for_lines([recognizer.decoding.language_model.languages.index("de")])
    names = {text: number for number, text in enumerate(recognizer.decoding.letters.texts)}
    tokens = [names[character] for character in "Sudbahnhof"]

    def whole(text: list[int]) -> float:
        written = np.array([*text, model.end])
        return float(model.score(model.along(model.start(1), text), written[:, None]).sum())

    changes = [
        Change(1, (names["ü"],)),
        Change(5, (names["ä"],)),
        Change(9, (names["f"],)),
        Change(0, (names["S"], names["ú"]), 2.0),
    ]
    found = with_gains(changes, tokens, model)
    assert [change.gain for change in found] == sorted((change.gain for change in found), reverse=True)
    for change in found:
        new = [*tokens[: change.place], *change.tokens, *tokens[change.place + len(change.tokens) :]]
        given = next(other.gain for other in changes if other.tokens == change.tokens)
        assert change.gain == pytest.approx(whole(new) - whole(tokens) + given, abs=1e-3)


def test_marks_of_words_are_put_back_and_others_stay(recognizer):
    """The drawn lines of seven languages: with the table more are right, and none is wrong that was right."""
    given = [drawing for drawing in more_drawings() if len(drawing.text) > 5 and drawing.kind != "signs"]
    images = [
        render_line(level(drawing.strokes), recognizer.ink_height, recognizer.ink_stroke_width) for drawing in given
    ]
    with_table = [reading.text for reading in recognizer.read(images)]
    without = [reading.text for reading in recognizer.with_decoding(letters=None).read(images)]
    right = [
        (text == drawing.text, other == drawing.text)
        for drawing, text, other in zip(given, with_table, without, strict=True)
    ]
    assert (False, True) not in right
    assert right.count((True, False)) >= 6


def test_a_mark_put_back_is_as_sure_as_picture_and_language_together(recognizer):
    strokes = next(d.strokes for d in more_drawings() if d.text == "¿Dónde estás?" and d.style == "italic")
    image = render_line(level(strokes), recognizer.ink_height, recognizer.ink_stroke_width)
    (reading,) = recognizer.read([image])
    assert reading.text == "¿Dónde estás?"
    assert "iDónde estás?" in [alternative.text for alternative in reading.alternatives]
    assert 0 < reading.character_confidences[0] < 1


def test_a_listed_word_keeps_its_own_spelling(recognizer):
    image = render_line(
        level(write("geinteresseerd", "playful", seed=5)), recognizer.ink_height, recognizer.ink_stroke_width
    )
    listed = recognizer.with_words("geinteresseerd").read([image])[0].text
    assert listed == "geinteresseerd"


def test_without_a_language_model_nothing_is_put_back(recognizer):
    strokes = next(d.strokes for d in more_drawings() if d.text == "¿Dónde estás?" and d.style == "script")
    image = render_line(level(strokes), recognizer.ink_height, recognizer.ink_stroke_width)
    assert recognizer.with_decoding(language_model_weight=0.0).read([image])[0].text.startswith(("i", "I"))
