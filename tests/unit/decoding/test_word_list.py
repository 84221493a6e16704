"""Listed words: their bonus, how it is given back, and what it changes in a reading."""

import gc
import itertools
import pickle
import weakref
from dataclasses import replace

import numpy as np
import pytest

from hwr_core.checkpoints import registry
from hwr_core.checkpoints.registry import load_recognizer
from hwr_core.decoding.beam_search import beam_search
from hwr_core.decoding.decode import decode
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.decoding.sequence_scorer import SequenceScorer
from hwr_core.decoding.speculative import look_ahead
from hwr_core.decoding.word_list import DEAD, ROOT, WordList, forms, split_words
from hwr_core.errors import TooLargeError
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.own_words import checked_words, token_texts, word_list
from tests.support import checkpoint_layouts as layouts

END = 2
TOKENS = ["", "", "", "", *"abcdefABCDEFéÉ'- "]
IDS = {character: index for index, character in enumerate(TOKENS) if character}


def path(table: WordList, text: str, end: bool = True) -> tuple[list[float], int]:
    """What each character, and the end, adds to the score, and the last state."""
    state, gains = table.start(1), []
    for token in [*(IDS[character] for character in text), *([END] if end else [])]:
        gains.append(float(table.score(state, np.array([[token]]))[0, 0]))
        state = table.advance(state, np.array([token]))
    return gains, int(state[0])


def total(table: WordList, text: str) -> float:
    return pytest.approx(sum(path(table, text)[0]), abs=1e-5)


def test_each_character_of_a_listed_word_gets_the_bonus_and_a_word_left_early_gives_it_back():
    table = WordList(["bead"], TOKENS, bonus=1.0)
    assert path(table, "bead") == ([1, 1, 1, 1, 0], ROOT)
    assert path(table, "bee ")[0] == [1, 1, -2, 0, 0]
    assert path(table, "beada", end=False) == ([1, 1, 1, 1, -4], DEAD)
    assert path(table, "be")[0] == [1, 1, -2]


def test_a_listed_word_counts_only_from_its_first_letter_after_a_gap_or_a_sign():
    table = WordList(["bead"], TOKENS, bonus=1.0)
    assert total(table, "abead") == 0
    assert total(table, "a bead") == 4
    assert total(table, "d'bead") == total(table, "a-bead") == 4
    assert total(table, "bead-bead bead") == 12


def test_a_longer_word_that_is_left_keeps_the_shorter_one_in_it():
    table = WordList(["fee", "fee-bead", "bee"], TOKENS, bonus=1.0)
    assert total(table, "fee-bead") == 8
    assert total(table, "fee-be") == 3
    assert total(table, "fee-bee") == 6  # from fee-be on into bee
    assert total(table, "fee-cab") == 3
    assert total(table, "feed") == 0


def test_capitals_count_and_so_do_capitals_without_accents():
    assert forms("été") == ["été", "Été", "ÉTÉ", "ETE"]
    table = WordList(["fée"], TOKENS, bonus=1.0)
    assert [total(table, text) == 3 for text in ("fée", "Fée", "FÉE", "FEE", "fee")] == [True, True, True, True, False]
    assert total(WordList(["Bad"], TOKENS, bonus=1.0), "bad") == 0  # a name is no word in small letters


@pytest.mark.parametrize("seed", range(5))
def test_what_a_text_gets_in_all_is_the_bonus_of_its_listed_words(seed):
    rng = np.random.default_rng(seed)
    words = {"".join(rng.choice(list("abc"), rng.integers(2, 5))) for _ in range(6)}
    table = WordList(words, TOKENS, bonus=0.5)
    listed = {form for word in words for form in forms(word)}
    for _ in range(200):
        text = "".join(rng.choice(list("abcA "), 12))
        expected = sum(0.5 * len(word) for word in text.split() if word in listed)
        assert sum(path(table, text)[0]) == pytest.approx(expected, abs=1e-4)


def test_tokens_of_several_characters_count_as_their_characters():
    tokens = ["", "", "", "", " be", "ad", " ", "a", "be", "d"]
    table = WordList(["bead"], tokens, bonus=1.0)
    for pieces, expected in (([4, 5], 4), ([8, 7, 9], 4), ([8, 9], 0), ([4, 5, 5], 0)):
        state, gained = table.start(1), 0.0
        for token in [*pieces, END]:
            gained += float(table.score(state, np.array([[token]]))[0, 0])
            state = table.advance(state, np.array([token]))
        assert gained == expected, pieces


def test_all_rows_and_candidates_are_scored_as_each_alone():
    table = WordList(["bead", "bee", "fa-bed", "cab"], TOKENS)
    texts = ["be", "fa-be", "", "ca", "aa"]
    states = np.array([path(table, text, end=False)[1] for text in texts])
    tokens = np.array([list(IDS.values()) + [END]] * len(texts))
    together = table.score(states, tokens)
    for row, column in itertools.product(range(len(texts)), range(tokens.shape[1])):
        assert together[row, column] == table.score(states[row : row + 1], tokens[row, column][None, None])[0, 0]
    along = table.along(table.start(1), [IDS[character] for character in "fa-be"])
    assert along.tolist() == [path(table, "fa-be"[:length], end=False)[1] for length in range(6)]


def proposed(table: WordList, text: str) -> list[tuple[str, list[str]]]:
    """The places of a text that resemble listed words, and what is proposed there."""
    places = table.proposals([IDS[character] for character in text])
    written = [["".join(TOKENS[token] for token in form) for form in place.forms] for place in places]
    return [(text[place.start : place.stop], forms) for place, forms in zip(places, written, strict=True)]


def test_listed_words_are_proposed_in_place_of_words_that_resemble_them():
    table = WordList(["Abcde"], TOKENS)
    assert proposed(table, "f Abcda f") == [("Abcda", ["Abcde"])]
    assert proposed(table, "ABCDA") == [("ABCDA", ["ABCDE"])]
    assert ("bcde", ["Abcde"]) in proposed(table, "a'bcde")
    assert ("Ab cde", ["Abcde"]) in proposed(table, "Ab cde")
    assert proposed(table, "ABCDE Abcde f fa") == proposed(table, "") == proposed(WordList([], TOKENS), "a") == []
    assert proposed(WordList(["fée"], TOKENS), "FEA") == [("FEA", ["FEE", "FÉE"])]


class Spelling:
    """A network that writes `text`, and finds each of its characters and of `other`'s likely."""

    start, end, pad, vocabulary = END, END, 1, len(TOKENS)

    def __init__(self, text: str, other: str, margin: float):
        self.text, self.other, self.margin = text, other, margin

    def encode(self, pixel_values, beams):
        return Written(self, len(pixel_values) * beams)


class Written:
    mask = ctc_logits = None

    def __init__(self, network, rows):
        self.network, self.length = network, 0

    def step(self, tokens, origin):
        logits = np.full((len(tokens), self.network.vocabulary), -9.0, np.float32)
        for text, value in ((self.network.other, 6.0 - self.network.margin), (self.network.text, 6.0)):
            token = IDS[text[self.length]] if self.length < len(text) else END
            logits[:, token] = value
        self.length += 1
        return logits

    def keep(self, items):
        pass


def read(network, beams=3, **settings) -> str:
    ((best, *_),) = decode(network, np.zeros((1, 1, 1, 1)), DecodingSettings(beams=beams, max_length=20, **settings))
    return "".join(TOKENS[token] for token in best.tokens)


def test_a_listed_word_is_read_where_the_picture_leaves_it_open_and_only_there():
    table = WordList(["cafe"], TOKENS, bonus=0.8)
    assert read(Spelling("cade a", "cafe a", 2.0)) == "cade a"
    assert read(Spelling("cade a", "cafe a", 2.0), word_list=table) == "cafe a"
    assert read(Spelling("cade a", "cafe a", 5.0), word_list=table) == "cade a"
    assert read(Spelling("cade a", "cafe a", 2.0), word_list=WordList(["café"], TOKENS)) == "cade a"


def image(text: str):
    return render_line(write(text, slant=0.1), 96, 5)


def test_speculative_decoding_with_a_list_says_what_one_beam_says(recognizer):
    lines = ["hello world", "Dear Martha", "bring the map"]
    table = word_list(recognizer._model, ("wurld", "Marthe", "mop", "hallo"))
    settings = replace(recognizer.settings(1), word_list=table)
    pixels = recognizer.pixels([image(text).convert("RGB") for text in lines])
    network = recognizer.network
    for item in range(len(lines)):
        one = pixels[item : item + 1]
        greedy = look_ahead(network, network.encode(one, 1).alone(0), settings)
        ((slow,),) = beam_search(network, network.encode(one, 1), 1, settings)
        assert greedy.tokens == slow.tokens and greedy.total == pytest.approx(slow.total, abs=1e-3)


def test_a_whole_sequence_is_scored_as_the_search_scores_it(recognizer):
    network = recognizer.network
    settings = replace(recognizer.settings(1), word_list=word_list(recognizer._model, ("wurld", "Marthe", "mop")))
    for text in ("hello world", "Dear Martha"):
        encoded = network.encode(recognizer.pixels([image(text).convert("RGB")]), 1)
        greedy = look_ahead(network, encoded.alone(0), settings)
        scorer = SequenceScorer(network, encoded.alone(0), settings)
        for _ in range(2):  # nothing of the first is left in the decoder's state
            again = scorer.scored(greedy.tokens)
            assert again.tokens == greedy.tokens
            assert [token for token, _ in again.runners_up] == [token for token, _ in greedy.runners_up]
            assert again.total == pytest.approx(greedy.total, abs=1e-3)


@pytest.mark.parametrize("beams", [1, 4])
def test_a_listed_word_that_resembles_a_word_is_tried_in_its_place(recognizer, beams):
    def read_with(words, bonus):
        table = WordList(words, token_texts(recognizer._model), bonus)
        return recognizer.with_decoding(word_list=table, beams=beams).read(image("hello world"))[0]

    reading = read_with(["wurlds", "mop"], bonus=5.0)
    assert reading.text == "hello wurlds" and "hello world" in [other.text for other in reading.alternatives]
    assert len(reading.character_confidences) == len(reading.text)
    assert read_with(["wurlds"], bonus=0.0) == recognizer.read(image("hello world"), beams=beams)[0]


def test_lines_that_resemble_no_listed_word_are_read_as_without_the_list(recognizer):
    images = [image("hello world"), image("good morning")]
    assert recognizer.read(images, words=["Xanthippe", "Nuñez"]) == recognizer.read(images)
    assert recognizer.read(images, words=[]) == recognizer.read(images)


def test_a_recognizer_with_words_is_a_copy_and_survives_pickling(recognizer):
    favouring = recognizer.with_words("Gaitskell, Xanthippe\nGaitskell")
    assert favouring.words == ("Gaitskell", "Xanthippe") and recognizer.words == ()
    assert recognizer.decoding.word_list is None and favouring.with_batch_size(2).words == favouring.words
    again = pickle.loads(pickle.dumps(favouring))
    assert again.words == favouring.words and again.decoding.word_list is favouring.decoding.word_list
    assert favouring.with_words([]).decoding.word_list is None


def test_words_that_the_checkpoint_cannot_write_are_known_and_formulas_take_none(recognizer):
    assert recognizer.with_words(["Łódź", "Anna"]).unwritable_words == ("Łódź",)
    assert load_recognizer("math").with_words(["Anna"]).decoding.word_list is None
    auto = load_recognizer("auto").with_words(["Anna"])
    assert auto.text.words == ("Anna",) and auto.math.words == ()


def test_any_tokenizer_can_have_a_list(tmp_path):
    for layout in (layouts.base, layouts.small):
        loaded = load_recognizer(str(layout(tmp_path / layout.__name__)))
        texts = token_texts(loaded._model)
        assert any(text.startswith(" ") and len(text) > 1 for text in texts) and "" in texts
        assert loaded.read([image("hello")], words=["hello"])
    own = load_recognizer(str(layouts.own(tmp_path / "own")), backend="torch")
    assert own.read([image("hello")], words=["hello", "abc"])


def test_a_list_is_split_and_bounded():
    assert split_words(" Anna, Jean-Luc;O’Brien\n\nAnna\u0301 ") == ["Anna", "Jean-Luc", "O'Brien", "Anná"]
    with pytest.raises(TooLargeError, match=r"has 5,001 words: give 5,000 at most"):
        checked_words(f"w{number}" for number in range(5001))
    with pytest.raises(TooLargeError, match="give 64 at most"):
        checked_words(["a" * 65])
    with pytest.raises(TooLargeError, match="200,000 characters"):
        checked_words("a " * 100_000)


def test_a_list_keeps_no_checkpoint_in_memory(tmp_path):
    loaded = load_recognizer(str(layouts.own(tmp_path / "own")), backend="torch")
    loaded.with_words(["hello"])
    network = weakref.ref(loaded.network)
    registry._loaded.clear()
    del loaded
    gc.collect()
    assert network() is None
