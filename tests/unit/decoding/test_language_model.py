"""The language model: counted from texts, read back from its file, and added to what the line looks like."""

import math
import pickle

import numpy as np
import pytest

from hwr_core import HandwritingError, load_recognizer
from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, MODELS
from hwr_core.decoding import languages
from hwr_core.decoding.decode import decode
from hwr_core.decoding.language_model import ABSENT, LanguageModel, NgramTables, bits_of, hash_of, tokens_hash
from hwr_core.decoding.scores import DecodingSettings
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from tests.support import checkpoint_layouts as layouts
from training.fit.count_ngrams import tokens_of
from training.fit.ngrams import END, Text, coded, count, interpolate, save

IDS = {character: index for index, character in enumerate("abcd ", 4)}
TOKENS = 9  # four special ones before them
NAMES = ["<s>", "<pad>", "</s>", "<unk>", *"abcd "]
TEXTS = [Text("abc abd"), Text("abc abc"), Text("dab", 2.0), Text(" cab ", 0.5, whole=False), Text("xyz")]


def ngrams(texts=TEXTS, order=4, fewest=None, ids=IDS, tokens=TOKENS) -> NgramTables:
    return coded({"": interpolate(count(iter(texts), ids, order, tokens), tokens, fewest)}, tokens)


def model(*arguments, **named) -> LanguageModel:
    return LanguageModel(ngrams(*arguments, **named))


def is_same(one: NgramTables, other: NgramTables) -> bool:
    return list(one.languages) == list(other.languages) and all(
        np.array_equal(*pair)
        for name in one.languages
        for tables in zip(one.languages[name], other.languages[name], strict=True)
        for pair in zip(*tables, strict=True)
    )


def after(found: LanguageModel, text: str) -> dict[str, float]:
    """Probability of each token after the text, which starts a line; "unseen" for one that is in no text."""
    context = found.start(1)
    for character in text:
        context = found.advance(context, np.array([IDS[character]]))
    scores = np.exp(found.score(context, np.arange(TOKENS)[None])[0])
    assert float(scores.sum()) == pytest.approx(1, abs=1e-3)  # of any model after any text
    return {
        "unseen": float(scores[3]),
        "end": float(scores[END]),
        **{character: float(scores[IDS[character]]) for character in IDS},
    }


@pytest.mark.parametrize("fewest", [{}, {3: 1.1, 4: 1.6}, {2: 99, 3: 99, 4: 99}])
@pytest.mark.parametrize("text", ["", "a", "ab", "abc ab", "dddd", "d d a", " cab"])
def test_nothing_is_impossible_and_all_adds_up_to_one(text, fewest):
    assert min(after(model(fewest=fewest), text).values()) > 0


def test_one_step_is_what_kneser_and_ney_say():
    found = model([Text("ab"), Text("ac"), Text("ab")], order=2)
    # By themselves letters count as often as they follow different ones: a, b, c one, the end two, after b and c.
    left = (3 * 0.8 + 1.2) / 5
    alone = {letter: 0.2 / 5 + left / TOKENS for letter in "abc"} | {"d": left / TOKENS, "end": 0.8 / 5 + left / TOKENS}
    # After a: b twice, c once. 1.2 and 0.8 of them are shared out as by themselves.
    assert after(found, "a")["b"] == pytest.approx(0.8 / 3 + 2 / 3 * alone["b"], rel=1e-5)
    assert after(found, "a")["c"] == pytest.approx(0.2 / 3 + 2 / 3 * alone["c"], rel=1e-5)
    assert after(found, "a")["end"] == pytest.approx(2 / 3 * alone["end"], rel=1e-5)
    assert after(found, "a")["d"] == pytest.approx(2 / 3 * alone["d"], rel=1e-5)


def test_longer_contexts_tell_more():
    found = model()
    assert after(found, "ab")["c"] > after(found, "b")["c"] > after(found, "d")["c"]
    assert after(found, "dab")["end"] > after(found, "ab")["end"]
    assert after(found, "")["a"] > after(found, "")["d"] > after(found, "")["c"]


def test_a_fragment_tells_of_its_inside_only():
    """That a vocabulary's word can follow a space, not that it starts or ends a line."""
    found, without = model(), model([text for text in TEXTS if text.whole])
    assert after(found, "d ")["c"] > after(without, "d ")["c"]
    assert after(found, "cab")[" "] > after(without, "cab")[" "]
    assert after(found, "")[" "] == pytest.approx(after(without, "")[" "], rel=0.2)
    assert after(found, " cab ")["end"] == pytest.approx(after(without, " cab ")["end"], rel=0.2)


def test_rare_long_ngrams_are_left_out_and_the_common_ones_stay():
    whole, pruned = ngrams(), ngrams(fewest={4: 1.6})
    assert 0 < of_length(pruned, 4) < of_length(whole, 4)
    assert of_length(pruned, 3) == of_length(whole, 3)
    whole, pruned = LanguageModel(whole), LanguageModel(pruned)
    assert after(pruned, "dab")["end"] == pytest.approx(after(whole, "dab")["end"], rel=0.2)


def of_length(found: NgramTables, length: int) -> int:
    """How many n-grams there are, without those that are contexts only."""
    return int((found.languages[""][length - 1][1] != ABSENT).sum())


def test_codes_are_near_the_values_where_there_are_many():
    rng = np.random.default_rng(3)
    letters = "abcdefghijklmnopqrstuvwxyz "
    ids = {letter: index for index, letter in enumerate(letters, 4)}
    words = ["".join(rng.choice(list(letters), size=rng.integers(3, 40))) for _ in range(300)]
    tables = interpolate(count(map(Text, words), ids, 4, 31), 31)
    found = coded({"": tables}, 31)
    codes = np.concatenate([table[1] for table in found.languages[""]])
    log_p = np.concatenate([table.log_p for table in tables])
    known = ~np.isnan(log_p)
    assert len(np.unique(log_p[known])) > 2000
    assert np.abs(found.levels[codes] - log_p)[known].mean() < 0.02


@pytest.mark.parametrize("fewest", [{}, {3: 1.1, 4: 1.6}])
def test_it_comes_back_from_its_file_as_it_was(tmp_path, fewest):
    saved = ngrams(fewest=fewest)
    save(saved, NAMES, tmp_path / LANGUAGE_MODEL)
    found = NgramTables.read(tmp_path / LANGUAGE_MODEL, NAMES, END)
    assert found.order == saved.order and found.end == END and len(found) == len(saved)
    assert is_same(found, saved)
    for text in ("", "ab", "abc abc", "dab"):
        assert after(LanguageModel.load(tmp_path / LANGUAGE_MODEL, NAMES, END), text) == after(
            model(fewest=fewest), text
        )


def test_more_than_256_tokens_have_longer_keys(tmp_path):
    names = [*NAMES, *(f"\\{number}" for number in range(400))]
    ids = {name: index for index, name in enumerate(names) if index > 3}
    assert bits_of(len(names)) == 9 and bits_of(TOKENS) == 8
    saved = ngrams([Text(["a", "\\399", "b"]), Text(["a", "\\399", "\\7"])], ids=ids, tokens=len(names))
    save(saved, names, tmp_path / LANGUAGE_MODEL)
    found = LanguageModel.load(tmp_path / LANGUAGE_MODEL, names, END)
    context = found.along(found.start(1), [ids["a"], ids["\\399"]])[-1:]
    likely, unlikely = found.score(context, np.array([[ids["\\7"], ids["\\8"]]]))[0]
    assert likely > unlikely + 2
    assert np.exp(found.score(context, np.arange(len(names))[None])).sum() == pytest.approx(1, abs=0.01)


def test_the_contexts_along_a_text_are_those_after_each_of_its_tokens():
    found = model()
    for text in ("", "a", "ab", "abcabcab"):
        tokens = [IDS[letter] for letter in text]
        contexts = [found.start(1)]
        for token in tokens:
            contexts.append(found.advance(contexts[-1], np.array([token])))
        assert found.along(found.start(1), tokens).tolist() == np.concatenate(contexts).tolist()


FORWARDS, BACKWARDS = 0, 1


def of_two_languages() -> NgramTables:
    """One language writes `abcd`, the other `dcba`."""
    written = {"one": "abcd abcd", "other": "dcba dcba"}
    return coded(
        {name: interpolate(count(iter([Text(text)] * 30), IDS, 4, TOKENS), TOKENS) for name, text in written.items()},
        TOKENS,
    )


def ids_of(text: str) -> list[int]:
    return [IDS[character] for character in text]


def test_a_draft_tells_its_language():
    found = LanguageModel(of_two_languages())
    assert found.languages == ("one", "other")
    for draft, language in {"abcd abdd": FORWARDS, "dcba dcca": BACKWARDS}.items():
        clear = found.in_each_language(ids_of(draft))
        assert clear[language] > clear[1 - language] + 4
    unclear = found.in_each_language([])
    assert unclear[FORWARDS] == pytest.approx(unclear[BACKWARDS], abs=0.01)


def test_each_line_is_scored_in_its_own_language():
    found = LanguageModel(of_two_languages()).for_lines([FORWARDS, BACKWARDS])
    contexts = found.start(4)  # two beams of each line
    for character in "ab":
        contexts = found.advance(contexts, np.full(4, IDS[character]))
    scores = np.exp(found.score(contexts, np.tile(np.arange(TOKENS), (4, 1))))
    assert scores.sum(1) == pytest.approx(np.ones(4), abs=1e-3)
    forwards, backwards = scores[::2, IDS["c"]]
    assert forwards > 0.9 and backwards < 0.1
    assert np.array_equal(scores[::2], scores[1::2])


def test_languages_come_back_from_their_file(tmp_path):
    saved = of_two_languages()
    save(saved, NAMES, tmp_path / LANGUAGE_MODEL)
    found = NgramTables.read(tmp_path / LANGUAGE_MODEL, NAMES, END)
    assert is_same(found, saved) and list(found.languages) == ["one", "other"]
    for language in (FORWARDS, BACKWARDS):
        one, other = (LanguageModel(tables).for_lines([language]) for tables in (found, saved))
        assert after(one, "ab") == after(other, "ab")


def test_a_language_with_short_texts_has_no_long_ngrams(tmp_path):
    tables = {
        name: interpolate(count(iter([Text(text)] * 3), IDS, 4, TOKENS), TOKENS, {4: 9.0})
        for name, text in {"one": "a", "other": "abcd abcd abcd abcd"}.items()
    }
    tables["one"] = tables["one"][:2]
    save(coded(tables, TOKENS), NAMES, tmp_path / LANGUAGE_MODEL)
    found = LanguageModel.load(tmp_path / LANGUAGE_MODEL, NAMES, END)
    assert after(found.for_lines([1]), "abc")["d"] > after(found.for_lines([0]), "abc")["d"]


def test_many_tokens_leave_no_room_for_keys():
    tokens = 2000
    with pytest.raises(ValueError, match="no room for the tokens"):
        LanguageModel(ngrams([Text("ab")], 6, tokens=tokens))


def test_of_a_million_ngrams_hardly_one_is_taken_for_another():
    keys = np.random.default_rng(4).choice(1 << 40, 1_000_000, replace=False)
    assert len(np.unique(hash_of(keys))) > 999_990


def test_a_file_carries_the_hash_of_its_tokens(tmp_path):
    """The same tokens in another order would give fluent nonsense."""
    save(ngrams(), NAMES, tmp_path / LANGUAGE_MODEL)
    swapped = [*NAMES[:4], *"bacd "]
    assert tokens_hash(swapped) != tokens_hash(NAMES)
    with pytest.raises(ValueError, match="counted over other tokens"):
        LanguageModel.load(tmp_path / LANGUAGE_MODEL, swapped, END)
    with pytest.raises(ValueError, match="counted over other tokens"):
        LanguageModel.load(tmp_path / LANGUAGE_MODEL, NAMES, END + 1)


@pytest.mark.parametrize("damaged", [True, False])
def test_a_file_that_is_damaged_or_of_other_tokens_is_said_in_one_sentence(tmp_path, damaged):
    folder = layouts.own(tmp_path / "own")
    if damaged:
        (folder / LANGUAGE_MODEL).write_bytes(b"no model")
    else:
        save(ngrams(), NAMES, folder / LANGUAGE_MODEL)
    with pytest.raises(HandwritingError, match="is no language model" if damaged else "counted over other tokens"):
        load_recognizer(str(folder))


def in_another_language(monkeypatch, recognizer) -> list[int]:
    """Has each draft taken for Dutch. Returns a list that gets the languages in which lines are searched."""
    searched, real = [], LanguageModel.for_lines
    monkeypatch.setattr("hwr_core.decoding.decode.likeliest_language", lambda *_: recognizer.languages.index("nl"))
    monkeypatch.setattr(
        LanguageModel, "for_lines", lambda self, languages: searched.extend(languages) or real(self, languages)
    )
    return searched


def test_a_doubtful_line_is_searched_in_the_languages_that_it_may_be_in(recognizer, monkeypatch):
    monkeypatch.setattr("hwr_core.decoding.decode.SURE", 1.0)
    monkeypatch.setattr("hwr_core.decoding.decode.LIKELY", 1.0)
    searched = in_another_language(monkeypatch, recognizer)
    picture = render_line(write("the weather was lovely all week"), 96, 5)
    assert recognizer.read([picture])[0].text == "the weather was lovely all week"
    names = [recognizer.languages[number] for number in searched]
    assert names[0] == "nl" and "en" in names and len(set(names)) <= languages.MOST_LANGUAGES


@pytest.mark.parametrize("text", ["x + 15 = 27", "12.50 + 7", "3 4 5"])
def test_a_line_without_words_is_searched_once(recognizer, monkeypatch, text):
    monkeypatch.setattr("hwr_core.decoding.decode.SURE", 1.0)
    monkeypatch.setattr("hwr_core.decoding.decode.LIKELY", 1.0)
    searched = in_another_language(monkeypatch, recognizer)
    recognizer.read([render_line(write(text), 96, 5)])
    assert {recognizer.languages[number] for number in searched} == {"nl"}


def test_a_set_language_is_the_only_one(recognizer, monkeypatch):
    searched = []
    real = LanguageModel.for_lines
    monkeypatch.setattr(
        LanguageModel, "for_lines", lambda self, languages: searched.extend(languages) or real(self, languages)
    )
    french = recognizer.with_language("fr")
    assert french.decoding.language == "fr" and recognizer.decoding.language is None
    french.read([render_line(write("see you"), 96, 5)])
    assert {recognizer.languages[number] for number in searched} == {"fr"}
    assert pickle.loads(pickle.dumps(french)).decoding.language == "fr"
    assert french.with_language(None).decoding.language is None


def test_a_language_that_is_not_there_is_said(recognizer):
    assert recognizer.languages == ("en", "fr", "de", "es", "it", "pt", "nl")
    assert load_recognizer("auto").with_language("de").text.decoding.language == "de"
    with pytest.raises(HandwritingError, match="has no language 'xx': choose one of en, fr"):
        recognizer.with_language("xx")
    with pytest.raises(HandwritingError, match="has no language 'en': leave it out"):
        load_recognizer("math").with_language("en")


@pytest.mark.parametrize("name", ["text", "math"])
def test_the_shipped_files_fit_their_tokenizers_and_no_other(name):
    folder, other = MODELS / name, MODELS / ("math" if name == "text" else "text")
    tokens = tokens_of(folder)
    assert LanguageModel.load(folder / LANGUAGE_MODEL, tokens, END).order == 6
    with pytest.raises(ValueError, match="counted over other tokens"):
        LanguageModel.load(folder / LANGUAGE_MODEL, [*tokens[:-2], tokens[-1], tokens[-2]], END)
    with pytest.raises(ValueError):
        LanguageModel.load(folder / LANGUAGE_MODEL, tokens_of(other), END)


class Seen:
    """A network that sees `scores[step]` at each step, whatever was written before."""

    start = end = END
    pad, ctc_logits, mask = 1, None, None

    def __init__(self, scores):
        self.scores = np.array(scores)

    def encode(self, pixel_values, beams):
        self.steps = 0
        return self

    def step(self, tokens, origin):
        self.steps += 1
        return self.scores[[min(self.steps, len(self.scores)) - 1] * len(tokens)]


def seen(*steps: dict[str, float]) -> Seen:
    rows = []
    for step in steps:
        row = [-20.0] * TOKENS
        for character, p in step.items():
            row[END if character == "end" else IDS[character]] = math.log(p)
        rows.append(row)
    return Seen(rows)


def read(network: Seen, **settings) -> list:
    (hypotheses,) = decode(network, np.zeros((1, 1, 1)), DecodingSettings(max_length=8, length_penalty=0.0, **settings))
    return ["".join("abcd "[token - 4] for token in hypothesis.tokens) for hypothesis in hypotheses]


UNCLEAR = seen({"a": 1.0}, {"b": 0.45, "d": 0.55}, {"end": 1.0})


def test_what_is_unclear_is_read_as_what_is_likely():
    language = {"language_model": model([Text("ab")] * 20), "language_model_weight": 0.3}
    for beams in (1, 3):
        assert read(UNCLEAR, beams=beams)[0] == "ad"
        assert read(UNCLEAR, beams=beams, **language)[0] == "ab"


def test_what_is_clear_is_read_as_it_is_however_unlikely():
    clear = seen({"a": 1.0}, {"b": 0.001, "d": 0.999}, {"end": 1.0})
    assert read(clear, beams=3, language_model=model([Text("ab")] * 20), language_model_weight=0.3)[0] == "ad"


def test_a_beam_that_turns_out_unlikely_later_falls_behind():
    """c looks a little better than a; only after the next, clear letter is it seen that no text goes so."""
    late = seen({"a": 0.4, "c": 0.6}, {"b": 1.0}, {"end": 1.0})
    language = model([Text("ab")] * 20 + [Text("c")] * 20)
    assert read(late, beams=1, language_model=language, language_model_weight=0.3)[0] == "cb"
    assert read(late, beams=3, language_model=language, language_model_weight=0.3)[0] == "ab"


def test_confidences_count_what_the_language_model_added():
    (best, *_), *_ = decode(
        UNCLEAR,
        np.zeros((1, 1, 1)),
        DecodingSettings(3, language_model=model([Text("ab")] * 20), language_model_weight=0.3, max_length=8),
    )
    assert best.tokens == [4, 5] and 0.5 < math.exp(best.log_probabilities[1]) < 0.95
    assert best.runners_up[1][0] == IDS["d"]
    assert best.total < sum(best.log_probabilities) < 0


def test_the_shipped_model_knows_its_languages(recognizer):
    language, ids = recognizer.decoding.language_model, recognizer.tokenizer.get_vocab()

    def bits(text: str) -> float:
        best = language.in_each_language([ids[character] for character in text]).max()
        return -float(best) / math.log(2) / (len(text) + 1)

    for likely, unlikely in [
        ("where is the", "wkere is tho"),
        ("dans la maison", "dons lo maisan"),
        ("das ist ein Haus", "bas ist eim Haus"),
        ("la casa de mi padre", "la caso de wi padre"),
        ("la strada per Roma", "la strado pen Roma"),
        ("o nome da minha rua", "o momo da minka rua"),
        ("het huis van mijn vader", "het luis vam mijn vadar"),
        ("STATION", "STATlON"),
    ]:
        assert bits(likely) < 4 and bits(unlikely) > bits(likely) + 0.7
