"""Which texts each language's model counts, and how many n-grams are kept."""

from training.data.charset import CHARACTERS, SPECIAL
from training.fit.count_ngrams import is_in, tables
from training.fit.ngrams import Text

COMMON = {"en": frozenset({"the", "is", "of"}), "fr": frozenset({"le", "la", "est", "de"})}


def test_a_sentence_that_was_not_translated_is_of_no_other_language():
    assert is_in("The centre of the page is white", "en", COMMON)
    assert not is_in("The centre of the page is white", "fr", COMMON)
    assert is_in("Le centre de la page est blanc", "fr", COMMON)


def test_names_are_of_every_language():
    assert all(is_in("Anna Perrier, 12", code, COMMON) for code in COMMON)


def test_no_more_ngrams_are_kept_than_wanted_and_short_ones_all_stay():
    tokens = [*SPECIAL, *CHARACTERS]
    texts = [Text(text) for text in ("the cat sat on the mat", "the dog sat on the log")]
    whole, pruned = tables(texts, tokens, 10_000), tables(texts, tokens, 90)
    sizes = [[len(table.keys) for table in found] for found in (whole, pruned)]
    assert sum(sizes[0]) > sum(sizes[1])
    assert sizes[0][:3] == sizes[1][:3]
