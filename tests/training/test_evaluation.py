"""Scores of words, tables of results, and the second part of the drawn test set."""

import json

import numpy as np
import pytest

from hwr_core.ink.handprint import GLYPHS
from hwr_core.reading import Reading
from training.data.charset import CHARACTERS
from training.evaluation import results
from training.evaluation.drawn import STYLES, alphabet, drawings, more_drawings, write
from training.evaluation.results import Table, percent, share
from training.evaluation.word_scores import bare, marked_words, matched, read_words, unlisted, unlisted_errors

LISTED = frozenset(["the", "dog", "of", "homme", "van"])


def reading(text: str, *unsure: tuple[int, float]) -> Reading:
    confidences = [1.0] * len(text)
    for index, confidence in unsure:
        confidences[index] = confidence
    return Reading(text, 0.5, tuple(confidences))


def test_words_are_aligned_by_the_fewest_edits():
    assert matched("a b c d".split(), "a x c d".split()) == ([True, False, True, True], [True, False, True, True])
    assert matched("new house".split(), "newhouse".split()) == ([False, False], [False])
    assert matched([], ["a"]) == ([], [False])


def test_a_read_word_knows_its_confidences_and_whether_it_is_right():
    words = read_words("the dog barks", reading("the dag barks", (5, 0.4), (7, 0.8)))
    assert [(word.text, word.right) for word in words] == [("the", True), ("dag", False), ("barks", True)]
    assert words[1].confidence == pytest.approx(0.4) and words[1].space == pytest.approx(0.8)
    assert words[2].confidences == (1.0,) * 5 and words[2].space == 1.0


def test_quotes_of_both_kinds_are_the_same_word():
    assert [word.right for word in read_words("“don’t”", reading('"don\'t"'))] == [True]


@pytest.mark.parametrize(
    ("word", "rare"),
    [
        ("dog", False),
        ("Dog", False),
        ("Kowalski", True),
        ("l'homme", False),
        ("l'Oréal", True),
        ("1904", False),
        ("B.", False),
    ],
)
def test_words_outside_the_frequency_lists(word, rare):
    assert unlisted(word, LISTED) == rare


def test_errors_of_rare_words_are_counted_apart_and_punctuation_does_not_matter():
    truths, texts = ["the dog of Kowalski,", "Kowalski"], ["the dag of Kowalski", "Kovalski"]
    assert unlisted_errors(truths, texts, LISTED) == (2, 1, 3, 1)
    assert bare("(“l'homme!”),") == "l'homme" and bare("--") == ""


def test_marked_words_tell_the_shares_that_are_wrong():
    words = read_words("a b c d", reading("a b x y", (0, 0.85), (4, 0.2), (6, 0.75)))
    rows = {row[0]: list(row[1:]) for row in marked_words("marked-words", words).rows}
    assert rows["word < 0.5"] == [4, 25.0, 100.0, 33.3, 50.0]
    assert rows["weakest character < 0.8"] == [4, 50.0, 100.0, 0.0, 100.0]
    assert rows["word < 0.3"][1:] == rows["word < 0.5"][1:]


def test_every_table_is_a_result_file_of_its_own(tmp_path):
    main = Table("", ["set", "lines", "CER %"], [["a", 12, percent(0.04567)], ["b", 0, percent(share(0, 0))]])
    beside = Table("hands", ["hand", "lines"], [["print", 3]])
    paths = results.save([main, beside], tmp_path / "results" / "evaluation-text.json", "Checkpoint x.")
    assert [path.name for path in paths] == ["evaluation-text.json", "evaluation-text-hands.json"]
    found = json.loads(paths[0].read_text())
    assert found["rows"] == [["a", 12, 4.6], ["b", 0, None]] and found["note"] == "Checkpoint x."
    assert main.markdown().splitlines() == [
        "| set | lines | CER % |",
        "| --- | --- | --- |",
        "| a | 12 | 4.6 |",
        "| b | 0 | – |",
    ]


def test_the_second_part_has_all_languages_and_signs_in_every_hand():
    found = more_drawings()
    assert len(found) == 480 and {drawing.style for drawing in found} == set(STYLES)
    languages = {"English", "French", "German", "Spanish", "Italian", "Portuguese", "Dutch"}
    assert languages < {drawing.kind for drawing in found}
    signs = "".join(drawing.text for drawing in found if drawing.kind == "signs")
    assert set("%/~+#&@<>{}½°€£§→•") <= set(signs)
    assert set("".join(drawing.text for drawing in found)) <= set(CHARACTERS)
    assert not {drawing.text for drawing in found} & {drawing.text for drawing in drawings()}


@pytest.mark.parametrize("style", STYLES)
def test_accents_stand_above_their_letters(style):
    glyphs, widths = alphabet(style)
    for letter, accented in ("aä", "eé", "nñ", "oô", "uù", "UÜ", "EÉ"):
        plain, marked = np.concatenate(glyphs[letter]), np.concatenate(glyphs[accented])
        assert marked[:, 1].min() < plain[:, 1].min() - 0.05
        assert widths[accented] == pytest.approx(widths[letter], rel=0.35)
    assert np.concatenate(glyphs["ç"])[:, 1].max() > np.concatenate(glyphs["c"])[:, 1].max() + 0.05
    assert set(GLYPHS) <= glyphs.keys()


def test_capitals_written_apart_are_wider_and_their_words_further_apart():
    close, apart = write("AN NA", "sans", 3), write("AN NA", "sans", 3, (0.5, 1.0))
    width = [max(stroke[:, 0].max() for stroke in strokes) for strokes in (close, apart)]
    assert width[1] > width[0] + 45 * 0.5 * 4
