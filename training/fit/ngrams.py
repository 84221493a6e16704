"""Weighted n-grams of texts, interpolated, pruned and packed into the file that `hwr_core.decoding.language_model` reads."""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from hwr_core.decoding.language_model import ABSENT, FORMAT, NgramTables, Table, bits_of, tokens_hash
from training.data.charset import SPECIAL

END = SPECIAL.index("</s>")
# Discounts of counts below 1.5, below 2.5 and above (Chen and Goodman 1999). A discount is never more than its count.
DISCOUNTS = 0.8, 1.2, 1.6
CODES = 255  # of log probabilities, besides `ABSENT`, and of backoffs, besides 0
ROUNDS = 12  # of k-means over the values that share a code

Counts = list[tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True)
class Text:
    """A text to count. `whole` texts are lines with their start and end; of others only the inside is counted."""

    text: str | Sequence[str]
    weight: float = 1.0
    whole: bool = True


@dataclass(frozen=True)
class Ngrams:
    """N-grams of one length: packed keys, sorted, int64; log probabilities, NaN for contexts only; log backoffs."""

    keys: np.ndarray
    log_p: np.ndarray
    backoffs: np.ndarray


def count(lines: Iterable[Text], ids: dict[str, int], order: int, vocabulary: int) -> Counts:
    """Counts n-grams of 1 to `order` tokens. Texts with other tokens than `ids` are left out.

    Returns:
        For each order the packed n-grams, sorted, int64, and their weighted counts, float64.
    """
    tokens, before, weights = _joined(lines, ids, order)
    counts, keys, bits = [], np.zeros(len(tokens), np.int64), bits_of(vocabulary)
    for length in range(1, order + 1):
        shifted = np.concatenate([np.zeros(length - 1, np.int64), tokens[: len(tokens) - length + 1]])
        keys = keys | shifted << bits * (length - 1)
        valid = before >= length - 1
        found, inverse = np.unique(keys[valid], return_inverse=True)
        counts.append((found, np.bincount(inverse, weights[valid])))
    return counts


def _joined(lines: Iterable[Text], ids: dict[str, int], order: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """All texts one after the other: (tokens,) ids, how many tokens of the same text precede, and weights.

    −1 tokens precede one that is not predicted: the end tokens before a line, and a fragment's first.
    """
    tokens, lengths, weights, whole = array("H"), array("l"), array("f"), array("b")
    start = [END] * (order - 1)
    for line in lines:
        if not set(line.text) <= ids.keys():
            continue
        written = [ids[token] for token in line.text]
        tokens.extend([*start, *written, END] if line.whole else written)
        lengths.append(len(written) + order * line.whole)
        weights.append(line.weight)
        whole.append(line.whole)
    sizes = np.array(lengths)
    place = np.arange(len(tokens)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = np.repeat(np.where(np.array(whole, bool), order - 1, 1), sizes)
    before = np.where(place < first, -1, np.minimum(place, order)).astype(np.int8)
    return np.array(tokens, np.int64), before, np.repeat(np.array(weights), sizes)


def interpolate(counts: Counts, vocabulary: int, fewest: dict[int, float] | None = None) -> list[Ngrams]:
    """Smooths counts by interpolated Kneser–Ney (Kneser and Ney 1995) and leaves rare n-grams out.

    The longest n-grams have their own counts. Shorter ones count the different tokens before them. The discounts after
    a context are its backoff weight, which the shorter context's probabilities share. All probabilities add up to one,
    also with n-grams left out.

    Args:
        counts: of `count`.
        vocabulary: the number of tokens.
        fewest: by length the weighted count below which n-grams are left out.

    Returns:
        The n-grams of each length, every one's context among the shorter ones.
    """
    bits = bits_of(vocabulary)
    tables: list[Ngrams] = []
    shorter, shorter_p = np.zeros(1, np.int64), np.full(1, 1 / vocabulary)
    for length, (keys, seen) in enumerate(counts, 1):
        weights = seen if length == len(counts) else _preceding(keys, seen, counts[length], bits * length)
        starts = np.flatnonzero(np.diff(keys >> bits, prepend=-1))
        sizes = np.diff(starts, append=len(keys))
        shares = (weights - _discounts(weights)) / np.repeat(np.add.reduceat(weights, starts), sizes)
        shares[seen < (fewest or {}).get(length, 0)] = 0
        left = 1 - np.add.reduceat(shares, starts)
        backed = shorter_p[np.searchsorted(shorter, keys & (1 << bits * (length - 1)) - 1)]
        p, kept = shares + np.repeat(left, sizes) * backed, shares > 0
        if length == 1:  # every token of the alphabet is there, seen or not
            p = np.bincount(keys, shares, vocabulary) + left / vocabulary
            keys, kept = np.arange(vocabulary), np.ones(vocabulary, bool)
        else:
            tables[-1] = _with_backoffs(tables[-1], (keys >> bits)[starts][left < 1], np.log(left[left < 1]))
        tables.append(Ngrams(keys[kept], np.log(p[kept]), np.zeros(kept.sum())))
        shorter, shorter_p = keys, p
    return _with_contexts([table for table in tables if len(table.keys)], bits)


def _preceding(keys: np.ndarray, seen: np.ndarray, longer: tuple[np.ndarray, np.ndarray], bits: int) -> np.ndarray:
    """How many different tokens precede each n-gram; rare ones count as less than one. At a text's start at most one."""
    longer_keys, longer_seen = longer
    endings = np.searchsorted(keys, longer_keys & (1 << bits) - 1)
    preceding = np.bincount(endings, np.minimum(longer_seen, 1), len(keys))
    return np.where(preceding > 0, preceding, np.minimum(seen, 1))


def _discounts(weights: np.ndarray) -> np.ndarray:
    once, twice, more = DISCOUNTS
    return np.minimum(weights, np.where(weights < 1.5, once, np.where(weights < 2.5, twice, more)))


def _with_backoffs(table: Ngrams, contexts: np.ndarray, backoffs: np.ndarray) -> Ngrams:
    """The table with these contexts' backoffs, and with those contexts that are no n-grams themselves."""
    both = np.union1d(table.keys, contexts)
    log_p, all_backoffs = np.full(len(both), np.nan), np.zeros(len(both))
    log_p[np.searchsorted(both, table.keys)] = table.log_p
    all_backoffs[np.searchsorted(both, table.keys)] = table.backoffs
    all_backoffs[np.searchsorted(both, contexts)] = backoffs
    return Ngrams(both, log_p, all_backoffs)


def _with_contexts(tables: list[Ngrams], bits: int) -> list[Ngrams]:
    """The tables with every n-gram's context in the table before, as the file's trie needs it."""
    for index in range(len(tables) - 1, 0, -1):
        missing = np.setdiff1d(tables[index].keys >> bits, tables[index - 1].keys)
        tables[index - 1] = _with_backoffs(tables[index - 1], missing, np.zeros(len(missing)))
    return tables


def coded(languages: Mapping[str, Sequence[Ngrams]], vocabulary: int) -> NgramTables:
    """The n-grams with their log probabilities and backoffs as codes of one byte, the same codes for all languages.

    Args:
        languages: for each language, or for "" alone, the n-grams of each length.
        vocabulary: the number of tokens.
    """
    every = [table for tables in languages.values() for table in tables]
    levels, codes = _codes(np.concatenate([table.log_p for table in every]))
    backoff_levels, backoff_codes = _codes(
        np.concatenate([np.where(t.backoffs == 0, np.nan, t.backoffs) for t in every])
    )
    ends = np.cumsum([len(table.keys) for table in every])[:-1]
    parts = zip(every, np.split(codes, ends), np.split(backoff_codes, ends), strict=True)
    found = iter([(table.keys, own, backoffs) for table, own, backoffs in parts])
    of_languages = {name: [next(found) for _ in tables] for name, tables in languages.items()}
    return NgramTables(of_languages, levels, backoff_levels, vocabulary, END)


def _codes(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Levels (256,) float32 and each value's code, uint8: the nearest level, or 0 for NaN. Code 0 has level 0."""
    known = values[~np.isnan(values)]
    levels = np.unique(known)
    if len(levels) > CODES:
        levels = np.linspace(known.min(), known.max(), CODES)
        for _ in range(ROUNDS):  # k-means in one dimension: the least squared error
            nearest = np.searchsorted((levels[1:] + levels[:-1]) / 2, known)
            sizes = np.bincount(nearest, minlength=CODES)
            levels = np.where(sizes, np.bincount(nearest, known, CODES) / np.maximum(sizes, 1), levels)
    codes = np.searchsorted((levels[1:] + levels[:-1]) / 2, values) + 1
    padded = np.zeros(CODES + 1, np.float32)
    padded[1 : len(levels) + 1] = levels
    return padded, np.where(np.isnan(values), ABSENT, codes).astype(np.uint8)


def save(ngrams: NgramTables, tokens: Sequence[str | None], path: Path) -> None:
    """Writes the n-grams as safetensors.

    Args:
        ngrams: to write.
        tokens: the checkpoint's tokens, in the order of their ids.
        path: the file.
    """
    tensors = {"levels": ngrams.levels, "backoff_levels": ngrams.backoff_levels}
    for language, tables in ngrams.languages.items():
        prefix = f"{language}." if language else ""
        found = _tensors(tables, ngrams.order, bits_of(ngrams.vocabulary))
        tensors |= {prefix + name: tensor for name, tensor in found.items()}
    metadata = {
        "format": FORMAT,
        "order": str(ngrams.order),
        "end": str(ngrams.end),
        "tokens_sha256": tokens_hash(tokens),
        "languages": " ".join(ngrams.languages),
    }
    save_file(tensors, path, metadata)


def _tensors(tables: Sequence[Table], order: int, bits: int) -> dict[str, np.ndarray]:
    """The tables of a language as a trie. A language without the longest n-grams has empty tables of them."""
    nothing = np.zeros(0, np.int64), np.zeros(0, np.uint8), np.zeros(0, np.uint8)
    tables = [*tables, *[nothing] * (order - len(tables))]
    tensors = {}
    for length, (keys, codes, backoffs) in enumerate(tables, 1):
        tensors[f"codes.{length}"] = codes
        if length > 1:
            tensors[f"tokens.{length}"] = (keys & (1 << bits) - 1).astype(np.uint8 if bits == 8 else np.uint16)
        if length < order:
            contexts = np.searchsorted(keys, tables[length][0] >> bits)
            tensors[f"children.{length}"] = np.bincount(contexts, minlength=len(keys)).astype(np.uint16)
            tensors[f"backoff_codes.{length}"] = backoffs
    return tensors
