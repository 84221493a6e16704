"""Signs and accents as strokes, what lies near a line, pictures without text, and batches that hold them."""

import itertools
import random
import unicodedata
from pathlib import Path

import cv2
import numpy as np
import pytest
import reportlab
import torch

from training.data.charset import CHARACTERS, STRUCK, build_tokenizer, normalise
from training.data.languages import LANGUAGES
from training.data.word_frequencies import Vocabulary
from training.fit.model import build_text_model
from training.fit.train import losses
from training.synthesis import augment, signs
from training.synthesis.batch import Batch
from training.synthesis.blanks import blank
from training.synthesis.drawn_lines import FontWriter, Glyphs
from training.synthesis.line_stream import EOS, collate, fits
from training.synthesis.phrases import LONGEST, Phrases

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
SHAPES = {
    letter: [[np.array([[0, 0], [0.5, 1]], np.float32), np.array([[0.2, -0.2], [0.22, -0.18]], np.float32)]]
    for letter in LETTERS
}


@pytest.fixture
def rng() -> random.Random:
    return random.Random(3)


def line_of_text() -> np.ndarray:
    return cv2.putText(np.full((64, 300), 250, np.uint8), "hello you", (8, 44), cv2.FONT_HERSHEY_SIMPLEX, 1.4, 20, 3)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_letter_of_a_language_can_be_written_in_both_cases(code):
    letters = LANGUAGES[code].letters
    assert set(letters + letters.replace("ß", "").upper()) <= set(CHARACTERS)


def test_tokens_that_were_there_keep_their_ids():
    ids = build_tokenizer().get_vocab()
    assert (ids[" "], ids["A"], ids["é"], ids["π"]) == (4, 37, 104, 172)
    assert ids["Ã"] == 173 and ids["⑨"] == 195 and ids[STRUCK] == len(ids) - 1 == 196


def test_quotes_and_primes_are_written_plainly():
    assert normalise("5′ 3″ „ja“ ‚so‘ ☒ 1⁄2") == "5' 3\" \"ja\" 'so' ☑ 1/2"


@pytest.mark.parametrize("character", [*signs.DRAWN, *signs.CIRCLED, *signs.FRACTIONS, *signs.RAISED])
def test_each_sign_is_drawn_about_as_large_as_a_capital_and_never_twice_the_same(character, rng):
    glyphs = Glyphs(SHAPES)
    drawn = [np.concatenate(signs.sign(character, glyphs.figures, rng)) for _ in range(6)]
    for points in drawn:
        assert points.shape[1] == 2 and np.isfinite(points).all()
        assert points[:, 1].min() > -1.6 and points[:, 1].max() < 0.7
        assert points[:, 0].min() > -0.4 and points[:, 0].max() < 2.2
    if character in "→•☐☑%½①":
        assert any(one.shape != drawn[0].shape or not np.allclose(one, drawn[0]) for one in drawn[1:])


@pytest.mark.parametrize("letter", "äÖüéÈîñãÅç")
def test_an_accent_is_added_above_or_below_its_letter(letter, rng):
    glyphs = Glyphs(SHAPES)
    assert glyphs.can_write(letter)
    base = unicodedata.normalize("NFD", letter)[0]
    plain, marked = (np.concatenate(glyphs.letter(one, 0.6, rng)) for one in (base, letter))
    reach = marked[:, 1].max() - plain[:, 1].max() if letter == "ç" else plain[:, 1].min() - marked[:, 1].min()
    assert reach > 0.05


def test_a_letter_that_nobody_drew_is_not_written():
    assert not Glyphs({"a": SHAPES["a"]}).can_write("ab")
    assert not Glyphs(SHAPES).can_write("ş")


def test_letters_written_apart_keep_their_words_apart(rng):
    glyphs = Glyphs({**SHAPES, "A": [[np.array([[0, 0], [0.5, 1]], np.float32)]]})
    strokes = sorted(glyphs.compose("AA AA", rng, apart=1.0), key=lambda stroke: stroke[:, 0].min())
    gaps = [float(b[:, 0].min() - a[:, 0].max()) for a, b in itertools.pairwise(strokes)]
    assert min(gaps) > 0.8 and gaps[1] > 1.5 * max(gaps[0], gaps[2])


@pytest.mark.parametrize("seed", range(40))
def test_a_picture_without_text_is_a_grey_line(seed):
    picture = blank(random.Random(seed))
    assert picture.dtype == np.uint8 and picture.shape[0] == 64 and picture.shape[1] >= 32


@pytest.mark.parametrize(
    "change",
    [augment.bleed_through, lambda g, o, r: augment.neighbours(g, o, o, r), lambda g, o, r: augment.rules(g, r)],
)
def test_what_lies_near_a_line_darkens_it_and_covers_none_of_it(change):
    grey, other = line_of_text(), cv2.flip(line_of_text(), 0)
    for seed in range(20):
        changed = change(grey, other, random.Random(seed))
        assert changed.dtype == np.uint8
        ink = (grey < 100).sum()
        assert (changed < 100).sum() >= 0.98 * ink
        assert changed.shape[0] >= grey.shape[0] and changed.shape[1] >= grey.shape[1]


def test_a_mark_stands_before_the_line_in_the_lines_own_ink(rng):
    grey = line_of_text()
    marked = augment.beside(grey, signs.sign("☐", None, rng), rng)
    assert marked.shape[0] == 64 and np.array_equal(marked[:, -300:], grey)
    before = marked[:, :-300]
    assert before.min() >= 15 and (before < 60).any() and before.max() == 250


def test_a_tight_cut_leaves_no_border(rng):
    cut = augment.cut_tightly(line_of_text(), rng)
    assert (cut[0] < 200).any() and (cut[-1] < 200).any() and (cut[:, 0] < 200).any() and (cut[:, -1] < 200).any()


def test_lines_without_text_have_a_loss_alone_and_beside_others():
    torch.manual_seed(0)
    model = build_text_model(len(build_tokenizer()), hidden_size=64, encoder_layers=1, decoder_layers=1)
    white = np.full((48, 64), 255, np.uint8)
    for lines in ([(white, [])] * 2, [(white, []), (white, [10, 11, 12])]):
        batch: Batch = collate(lines)
        assert batch.targets[0].tolist() == [EOS] + [-100] * (batch.targets.shape[1] - 1)
        head, attention, _ = losses(model, batch)
        assert torch.isfinite(head) and torch.isfinite(attention) and head > 0
        (head + attention).backward()
        assert all(torch.isfinite(p.grad).all() for p in model.parameters() if p.grad is not None)


def test_a_text_fits_where_ctc_has_a_column_for_each_token():
    assert fits([5, 6, 7], 16) and not fits([5, 6, 6], 16)


def test_a_font_draws_no_character_that_it_lacks():
    font = Path(reportlab.__file__).parent / "fonts" / "Vera.ttf"
    fonts = FontWriter({"Vera": font.read_bytes()})
    assert all(fonts.having(character) for character in "Aß½") and not fonts.having("☐") and not fonts.having("①")
    assert fonts.render("A ☐", random.Random(0)) is None
    assert fonts.render("A ½", random.Random(0)).min() < 128


def test_texts_of_the_seven_languages_signs_and_forms_are_of_the_checkpoints_characters():
    sentences = {
        code: [f"{language.letters} {language.letters.upper().replace('ẞ', 'SS')} und"]
        for code, language in LANGUAGES.items()
    }
    vocabularies = {language: Vocabulary(["wort", "maß"], [300, 400]) for language in sentences}
    phrases = Phrases(sentences, vocabularies, random.Random(0), ["12. März 2024", "+49 30 1234"])
    texts = [phrases.draw() for _ in range(6000)]
    assert not set("".join(texts)) - set(CHARACTERS)
    assert set("%~#@{}½⅓°§→•☐☑①") <= set("".join(texts))
    assert max(map(len, texts)) <= LONGEST and "12. März 2024" in texts
    assert sum(len(text) == 1 for text in texts) > 40
    assert all(text == text.strip() and "  " not in text and text for text in texts)
