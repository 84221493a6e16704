"""New training lines: scanned words in new lines, invented texts, tokens."""

import hashlib
import random
import re

import cv2
import numpy as np
import pytest

from training.data.charset import CHARACTERS, STRUCK, build_bpe_tokenizer, build_tokenizer
from training.data.datasets import ScanLine
from training.data.word_frequencies import Vocabulary
from training.synthesis.drawn_lines import monoline
from training.synthesis.phrases import Phrases
from training.synthesis.recombined_scans import ScanPool, cut_words

SENTENCES = {
    "en": ["The quick brown fox, jumps over the lazy dog!", "Don't panic: it's only 7 o'clock."],
    "fr": ["Où est-elle allée hier soir?", "C'est qu'il aime l'histoire, dit-on."],
}
VOCABULARIES = {"en": Vocabulary(["jigsaw", "elk"], [300, 400]), "fr": Vocabulary(["soupçon", "accès"], [300, 400])}


def scanned(words: list[str], gap: int) -> np.ndarray:
    """The words in one row of 64 pixels, `gap` pixels apart."""
    row = []
    for word in words:
        (width, _), _ = cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1, 3)
        piece = np.full((64, width), 235, np.uint8)
        row += [
            cv2.putText(piece, word, (0, 42), cv2.FONT_HERSHEY_SIMPLEX, 1, 40, 3),
            np.full((64, gap), 235, np.uint8),
        ]
    return np.concatenate(row[:-1], 1)


def line(text: str, writer: str, gap: int = 40) -> ScanLine:
    return ScanLine(text, cv2.imencode(".jpg", scanned(text.split(), gap))[1].tobytes(), writer)


def test_equal_seeds_draw_the_texts_that_they_always_drew():
    # Training runs go on with the lines of their seed. They changed last with the languages' shares.
    sentences = SENTENCES | {"de": ["Der Weg nach Köln ist weit."], "nl": ["Het weer is mooi vandaag."]}
    vocabularies = {code: Vocabulary(["jigsaw", "elk"], [300, 400]) for code in sentences}
    phrases = Phrases(sentences, vocabularies, random.Random(7), ["12. März 2024", "+49 30 1234"])
    texts = [*(phrases.draw() for _ in range(2000)), *(phrases.capitals() for _ in range(200))]
    assert hashlib.sha256("\n".join(texts).encode()).hexdigest()[:16] == "05b828e05abd1773"
    assert hashlib.sha256(CHARACTERS.encode()).hexdigest()[:16] == "93b3f16e2c266217"


def test_a_line_with_clear_gaps_comes_apart_into_its_words():
    words = cut_words(scanned(["deux", "petits", "mots"], 40), "deux petits mots")
    assert [text for text, _ in words] == ["deux", "petits", "mots"]
    expected = [cv2.getTextSize(word, cv2.FONT_HERSHEY_SIMPLEX, 1, 3)[0][0] for word in ("deux", "petits", "mots")]
    assert np.allclose([image.shape[1] for _, image in words], expected, atol=8)


def test_a_line_whose_gaps_say_little_is_left_whole():
    assert cut_words(scanned(["deux", "petits", "mots"], 6), "deux petits mots") is None


def test_a_blank_picture_has_no_words():
    assert cut_words(np.full((64, 300), 240, np.uint8), "deux mots") is None


def test_new_lines_hold_words_of_one_writer_only():
    own = {"ann": ["alpha beta gamma", "delta epsilon zeta"] * 3, "bob": ["one two three", "four five six"] * 3}
    pool = ScanPool([line(text, writer) for writer, texts in own.items() for text in texts])
    rng = random.Random(0)
    made = [found for _ in range(20) if (found := pool.compose(rng)) is not None]
    assert len(made) == 20
    vocabularies = [set(" ".join(texts).split()) for texts in own.values()]
    for grey, text in made:
        assert grey.dtype == np.uint8 and grey.shape[0] == 64
        assert any(set(text.replace(STRUCK, "").split()) <= words for words in vocabularies)
    assert len({text for _, text in made}) > 10


def test_a_writer_with_few_lines_is_not_drawn_on():
    assert ScanPool([line("un seul mot", "solo")] * 4).names == []


@pytest.mark.parametrize("seed", range(5))
def test_invented_texts_are_of_the_checkpoints_characters(seed):
    phrases = Phrases(SENTENCES, VOCABULARIES, random.Random(seed))
    texts = [phrases.draw() for _ in range(300)]
    assert not set("".join(texts)) - set(CHARACTERS)
    assert all(text == " ".join(text.split(" ")) and text for text in texts)


@pytest.mark.parametrize(
    ("kind", "form"),
    [
        ("clock", r"\d{1,2}([:h]\d\d)?( ?[aApP]\.?[mM]\.?)?"),
        ("email", r"[\w.\-'À-ÿ]+@[\w\-'À-ÿ]+(\.\w+)+"),
        ("phone", r"[+\d(][\d() +-]+\d"),
        ("price", r"[$£€]?\d[\d.,]* ?[$€]?"),
        ("code", r"[A-Z0-9]{2,7}"),
    ],
)
def test_each_kind_has_its_form(kind, form):
    phrases = Phrases(SENTENCES, VOCABULARIES, random.Random(1))
    for _ in range(200):
        assert re.fullmatch(form, text := getattr(phrases, kind)()), text


def test_a_pen_of_one_width_replaces_strokes_of_any_width():
    thick = cv2.line(np.full((60, 200), 255, np.uint8), (20, 30), (180, 30), 0, 15)
    thin = monoline(thick, random.Random(0))
    assert thin.shape == thick.shape and thin.dtype == np.uint8
    heights = (thin[:, 60:140] < 128).sum(0)
    assert heights.min() == heights.max() and 1 <= heights[0] <= 6


def test_characters_are_tokens_and_byte_pairs_spell_the_same_text():
    text = "The lazy fox: 7 o'clock"
    characters, pairs = build_tokenizer(), build_bpe_tokenizer(SENTENCES["en"] * 30, 260)
    assert len(characters.encode(text, add_special_tokens=False)) == len(text)
    tokens = pairs.encode(text, add_special_tokens=False)
    assert len(tokens) < len(text) and pairs.decode(tokens) == text
    assert pairs.encode(text)[0] == 0 and pairs.encode(text)[-1] == 2
