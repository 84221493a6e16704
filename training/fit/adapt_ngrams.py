"""Adds a person's texts to a checkpoint's language model, without the texts that it was counted on.

Each probability of the model is taken for a count of `PRIOR` texts, to which the person's own counts are added
(maximum a posteriori adaptation, Bacchiani and Roark 2003). Contexts that the person never wrote stay as they are.
"""

from collections.abc import Iterable, Sequence

import numpy as np

from hwr_core.decoding.language_model import ABSENT, LanguageModel, NgramTables, bits_of
from training.fit.count_ngrams import bits
from training.fit.ngrams import Counts, Ngrams, Text, _with_backoffs, _with_contexts, coded, count

# By length of the n-gram the count that the model's own probabilities stand for: short contexts were counted most.
PRIOR = {1: 5000.0, 2: 2000.0, 3: 600.0, 4: 200.0, 5: 80.0, 6: 40.0}
LEAST_PRIOR = 40.0  # of longer n-grams
CLEARLY = 0.9  # bits per character, of those without the person's texts


def adapted(ngrams: NgramTables, texts: Iterable[str], tokens: Sequence[str], weight: float = 1.0) -> NgramTables:
    """Returns the n-grams with the person's texts, in each language that these may be in.

    Args:
        ngrams: Over these tokens.
        texts: The person's lines. Those with unknown characters are left out.
        tokens: The checkpoint's tokens, in the order of their ids.
        weight: How often each text counts.
    """
    ids = {token: index for index, token in enumerate(tokens) if len(token) == 1}
    lines = list(texts)
    own = count([Text(text, weight) for text in lines], ids, ngrams.order, len(tokens))
    model = LanguageModel(ngrams)
    known = [[ids[letter] for letter in text] for text in lines if set(text) <= ids.keys()]
    likely = {int(model.in_each_language(line).argmax()) for line in known}
    spoken = {model.languages[number] for number in likely}
    found = {
        name: _adapted_tables(ngrams, name, own) if name in spoken else tables_of(ngrams, name)
        for name in ngrams.languages
    }
    return coded(found, len(tokens))


def _adapted_tables(ngrams: NgramTables, language: str, own: Counts) -> list[Ngrams]:
    old, new, bits = tables_of(ngrams, language), list[Ngrams](), bits_of(ngrams.vocabulary)
    for length in range(1, ngrams.order + 1):
        table, contexts = _adapted(old, own, length, bits)
        if length > 1:
            new[-1] = _with_backoffs(new[-1], contexts, _backoffs(new, table, contexts, bits))
        new.append(_merged(table, old[length - 1]))
    return _with_contexts(new, bits)


def is_better(ngrams: NgramTables, texts: Sequence[str], tokens: Sequence[str], weight: float = 1.0) -> bool:
    """Whether the n-grams with every second text foretell the others clearly better."""
    learned, others = texts[::2], texts[1::2]
    new = LanguageModel(adapted(ngrams, learned, tokens, weight))
    return bits(new, tokens, others) < CLEARLY * bits(LanguageModel(ngrams), tokens, others)


def tables_of(ngrams: NgramTables, language: str) -> list[Ngrams]:
    """The n-grams of a language of each length, uncoded."""
    found = []
    for keys, codes, backoff_codes in ngrams.languages[language]:
        values = np.where(codes == ABSENT, np.nan, ngrams.levels[codes]).astype(np.float64)
        found.append(Ngrams(keys, values, ngrams.backoff_levels[backoff_codes].astype(np.float64)))
    return found


def log_p(tables: Sequence[Ngrams], keys: np.ndarray, length: int, bits: int) -> np.ndarray:
    """Log probabilities of the last tokens of n-grams `keys`, all of this length, whether they are in the tables or not."""
    place, found = _found(tables[length - 1], keys)
    values = np.where(found, tables[length - 1].log_p[place], np.nan)
    missing = np.isnan(values)
    if missing.any():
        context, known = _found(tables[length - 2], keys[missing] >> bits)
        backoffs = np.where(known, tables[length - 2].backoffs[context], 0.0)
        shorter = keys[missing] & (1 << bits * (length - 1)) - 1
        values[missing] = backoffs + log_p(tables, shorter, length - 1, bits)
    return values


def _found(table: Ngrams, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    place = np.minimum(np.searchsorted(table.keys, keys), len(table.keys) - 1)
    return place, table.keys[place] == keys


def _adapted(old: Sequence[Ngrams], own: Counts, length: int, bits: int) -> tuple[Ngrams, np.ndarray]:
    """The n-grams of the contexts that the person wrote, and these contexts, sorted."""
    keys, seen = own[length - 1]
    contexts, inverse = np.unique(keys >> bits, return_inverse=True)
    totals = np.bincount(inverse, seen)
    known = old[length - 1].keys[~np.isnan(old[length - 1].log_p)]
    _, same = _found(Ngrams(contexts, contexts, contexts), known >> bits)
    every = np.union1d(known[same], keys)
    place, counted = _found(Ngrams(keys, keys, keys), every)
    counts = np.where(counted, seen[place], 0.0)
    total = totals[np.searchsorted(contexts, every >> bits)]
    prior = PRIOR.get(length, LEAST_PRIOR)
    p = (counts + prior * np.exp(log_p(old, every, length, bits))) / (total + prior)
    return Ngrams(every, np.log(p), np.zeros(len(every))), contexts


def _backoffs(shorter: Sequence[Ngrams], table: Ngrams, contexts: np.ndarray, bits: int) -> np.ndarray:
    """The log weights of the shorter n-grams' probabilities after each context, so that all adds up to one."""
    length = len(shorter) + 1
    place = np.searchsorted(contexts, table.keys >> bits)
    suffixes = table.keys & (1 << bits * (length - 1)) - 1
    explicit = np.bincount(place, np.exp(table.log_p), len(contexts))
    backed = np.bincount(place, np.exp(log_p(shorter, suffixes, length - 1, bits)), len(contexts))
    return np.log(np.maximum(1 - explicit, 1e-6) / np.maximum(1 - backed, 1e-6))


def _merged(table: Ngrams, old: Ngrams) -> Ngrams:
    """The old n-grams with the adapted ones in their places; backoffs stay."""
    keys = np.union1d(old.keys, table.keys)
    values, backoffs = np.full(len(keys), np.nan), np.zeros(len(keys))
    place = np.searchsorted(keys, old.keys)
    values[place], backoffs[place] = old.log_p, old.backoffs
    values[np.searchsorted(keys, table.keys)] = table.log_p
    return Ngrams(keys, values, backoffs)
