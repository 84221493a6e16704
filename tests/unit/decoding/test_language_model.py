"""The language model: counted from texts, read back from its file, and added to what the line looks like."""

import math

import numpy as np
import pytest

from hwr_core import HandwritingError, load_recognizer
from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL, MODELS
from hwr_core.decoding.decode import decode
from hwr_core.decoding.language_model import ABSENT, LENGTH, LanguageModel, bits_of, tokens_hash
from hwr_core.decoding.scores import DecodingSettings
from tests.support import checkpoint_layouts as layouts
from training.fit.count_ngrams import tokens_of
from training.fit.ngrams import END, Text, coded, count, interpolate, save

IDS = {character: index for index, character in enumerate("abcd ", 4)}
TOKENS = 9  # four special ones before them
NAMES = ["<s>", "<pad>", "</s>", "<unk>", *"abcd "]
TEXTS = [Text("abc abd"), Text("abc abc"), Text("dab", 2.0), Text(" cab ", 0.5, whole=False), Text("xyz")]


def model(texts=TEXTS, order=4, fewest=None, ids=IDS, tokens=TOKENS) -> LanguageModel:
    return coded(interpolate(count(iter(texts), ids, order, tokens), tokens, fewest), tokens)


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
    whole, pruned = model(), model(fewest={4: 1.6})
    assert 0 < of_length(pruned, 4) < of_length(whole, 4)
    assert of_length(pruned, 3) == of_length(whole, 3)
    assert after(pruned, "dab")["end"] == pytest.approx(after(whole, "dab")["end"], rel=0.2)


def of_length(found: LanguageModel, length: int) -> int:
    """How many n-grams there are, without those that are contexts only."""
    return int(((found.keys >> LENGTH == length) & (found.codes != ABSENT)).sum())


def test_codes_are_near_the_values_where_there_are_many():
    rng = np.random.default_rng(3)
    letters = "abcdefghijklmnopqrstuvwxyz "
    ids = {letter: index for index, letter in enumerate(letters, 4)}
    words = ["".join(rng.choice(list(letters), size=rng.integers(3, 40))) for _ in range(300)]
    tables = interpolate(count(map(Text, words), ids, 4, 31), 31)
    found = coded(tables, 31)
    log_p = np.concatenate([table.log_p for table in tables])
    known = ~np.isnan(log_p)
    assert len(np.unique(log_p[known])) > 2000
    assert np.abs(found.levels[found.codes] - log_p)[known].mean() < 0.02


@pytest.mark.parametrize("fewest", [{}, {3: 1.1, 4: 1.6}])
def test_it_comes_back_from_its_file_as_it_was(tmp_path, fewest):
    saved = model(fewest=fewest)
    save(saved, NAMES, tmp_path / LANGUAGE_MODEL)
    found = LanguageModel.load(tmp_path / LANGUAGE_MODEL, NAMES, END)
    assert found.order == saved.order and found.end == END
    assert np.array_equal(found.keys, saved.keys)
    for text in ("", "ab", "abc abc", "dab"):
        assert after(found, text) == after(saved, text)


def test_more_than_256_tokens_have_longer_keys(tmp_path):
    names = [*NAMES, *(f"\\{number}" for number in range(400))]
    ids = {name: index for index, name in enumerate(names) if index > 3}
    assert bits_of(len(names)) == 9 and bits_of(TOKENS) == 8
    saved = model([Text(["a", "\\399", "b"]), Text(["a", "\\399", "\\7"])], ids=ids, tokens=len(names))
    save(saved, names, tmp_path / LANGUAGE_MODEL)
    found = LanguageModel.load(tmp_path / LANGUAGE_MODEL, names, END)
    context = found.along(found.start(1), [ids["a"], ids["\\399"]])[-1:]
    likely, unlikely = found.score(context, np.array([[ids["\\7"], ids["\\8"]]]))[0]
    assert likely > unlikely + 2
    assert np.exp(found.score(context, np.arange(len(names))[None])).sum() == pytest.approx(1, abs=0.01)


def of_two_languages() -> LanguageModel:
    """A general model, and those of two languages: one writes `abcd`, the other `dcba`."""
    forwards, backwards = ([Text(text)] * 30 for text in ("abcd abcd", "dcba dcba"))
    general, one, other = (
        interpolate(count(iter(texts), IDS, 4, TOKENS), TOKENS) for texts in (TEXTS, forwards, backwards)
    )
    return coded(general, TOKENS, {"one": one, "other": other})


def ids_of(text: str) -> list[int]:
    return [IDS[character] for character in text]


def test_a_draft_tells_its_language():
    found = of_two_languages()
    assert [found.languages_of(ids_of(text)) for text in ("abcd abdd", "dcba dcca")] == [[1], [2]]
    assert found.languages_of([]) == [0]
    assert set(found.languages_of(ids_of(" "))) == {0, 1, 2}  # unclear: all are tried
    assert model().languages_of(ids_of("abcd")) == [0]


def test_each_line_is_scored_in_its_own_language():
    found = of_two_languages().for_lines([1, 2, 0])
    contexts = found.start(6)  # two beams of each line
    for character in "ab":
        contexts = found.advance(contexts, np.full(6, IDS[character]))
    scores = np.exp(found.score(contexts, np.tile(np.arange(TOKENS), (6, 1))))
    assert scores.sum(1) == pytest.approx(np.ones(6), abs=1e-3)
    forwards, backwards, unclear = scores[::2, IDS["c"]]
    assert forwards > 0.9 and backwards < 0.1
    assert unclear == pytest.approx(after(of_two_languages(), "ab")["c"], rel=1e-6)
    assert np.array_equal(scores[::2], scores[1::2])


def test_languages_come_back_from_their_file(tmp_path):
    saved = of_two_languages()
    save(saved, NAMES, tmp_path / LANGUAGE_MODEL)
    found = LanguageModel.load(tmp_path / LANGUAGE_MODEL, NAMES, END)
    assert found.languages == ("one", "other")
    assert np.array_equal(found.keys, saved.keys) and np.array_equal(found.codes, saved.codes)
    assert after(found, "ab") == after(saved, "ab")


def test_many_tokens_leave_no_room_for_languages():
    tokens = 2000
    tables = interpolate(count([Text("ab")], IDS, 6, tokens), tokens)
    with pytest.raises(ValueError, match="no room for languages"):
        coded(tables, tokens, {"one": tables})


def test_a_file_carries_the_hash_of_its_tokens(tmp_path):
    """The same tokens in another order would give fluent nonsense."""
    save(model(), NAMES, tmp_path / LANGUAGE_MODEL)
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
        save(model(), NAMES, folder / LANGUAGE_MODEL)
    with pytest.raises(HandwritingError, match="is no language model" if damaged else "counted over other tokens"):
        load_recognizer(str(folder))


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


def test_the_shipped_model_knows_both_languages(recognizer):
    language, ids = recognizer.decoding.language_model, recognizer.tokenizer.get_vocab()

    def bits(text: str) -> float:
        context, total = language.start(1), 0.0
        for token in [*(ids[character] for character in text), END]:
            token = np.array([token])
            total -= float(language.score(context, token[None])[0, 0]) / math.log(2)
            context = language.advance(context, token)
        return total / (len(text) + 1)

    for likely, unlikely in [
        ("where is the", "wkere is tho"),
        ("dans la maison", "dons lo maisan"),
        ("STATION", "STATlON"),
    ]:
        assert bits(likely) < 4 and bits(unlikely) > bits(likely) + 0.7
