"""Counts a checkpoint's language model and puts it beside its weights: `python -m training.fit.count_ngrams models/text`, or `models/math`.

Of text: transcripts of training lines, the English corpus broken into lines, invented texts, and wordfreq's words. Of formulas:
CROHME's for training, the given ones, invented ones. Nothing that is for validation. Interpolated n-grams of the checkpoint's tokens
(`hwr_core.decoding.language_model`), characters or LaTeX's, rare long ones left out.
"""

import argparse
import random
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from transformers import PreTrainedTokenizerFast

from hwr_core.checkpoints.checkpoint_config import LANGUAGE_MODEL
from hwr_core.decoding.language_model import ABSENT, BITS
from hwr_core.decoding.latex_grammar import Grammar
from training.data import datasets as data
from training.data.charset import CHARACTERS, SPECIAL, close_up
from training.data.crohme import crohme
from training.data.word_frequencies import Vocabulary, fetch
from training.synthesis.formula_texts import given, school
from training.synthesis.phrases import Phrases

ORDER = 6
FEWEST = {4: 1.1, 5: 1.9, 6: 2.9}  # the weighted count below which n-grams of that order are left out
# Weight of a distinct follower in the discount: 1 is Witten and Bell's. Of 1, 2 and 4 this, and of the orders 5 to 7 the
# one above, in scratch runs foretold training transcripts that were left out of the counting best, for its size.
DISTINCT = 4
INVENTED = 60_000  # texts such as people write first
CAPITALS = 0.15  # weight of everything a second time in capitals, which transcripts have few of
FRENCH = 2.0  # weight of the French transcripts, of which there are few
CROHME, GIVEN, SCHOOL = 1.0, 0.3, 0.1  # weights of formulas
SCRIBBLES = 800
WORDS = 30.0, 0.15  # weight of the most frequent word of a vocabulary, and the least of any
END = SPECIAL.index("</s>")


@dataclass(frozen=True)
class Text:
    """`whole` lines start and end where they do; of others, only what follows on from their own tokens is counted."""

    text: str | list[str]
    weight: float = 1.0
    whole: bool = True


def texts(vocabularies: dict[str, Vocabulary], seed: int = 1) -> Iterator[Text]:
    rng = random.Random(seed)
    ink = [close_up(line.text) for line in data.iam_ondb("train")]
    english = [part for text in data.english() for part in textwrap.wrap(text, rng.randint(20, 70))]
    french = [line.text for name in ("copiste", "peraire", "cremma19", "poilus") for line in data.scans(name, "train")]
    phrases = Phrases({"en": ink + english, "fr": french}, vocabularies, rng)
    for text in ink + english:
        yield from cases(text, 1.0)
    for text in french:
        yield from cases(text, FRENCH)
    for _ in range(INVENTED):
        yield Text(phrases.everyday())
    for vocabulary in vocabularies.values():
        most, least = WORDS
        for word, share in zip(
            vocabulary.words, np.diff(vocabulary.cumulative, prepend=0) / vocabulary.cumulative[0], strict=True
        ):
            weight = max(least, most * share)
            yield Text(f" {word} ", weight, whole=False)
            yield Text(f" {word.capitalize()} ", weight * 0.3, whole=False)
            yield Text(f" {word.upper()} ", weight * CAPITALS, whole=False)


def cases(text: str, weight: float) -> Iterator[Text]:
    yield Text(text, weight)
    yield Text(text.upper(), weight * CAPITALS)


def formulas(known: set[str], seed: int = 1) -> Iterator[Text]:
    rng = random.Random(seed)
    for formula in crohme("train"):
        yield Text(formula.tokens, CROHME)
    for tokens in given(Grammar([*SPECIAL, *sorted(known)], END, range(len(SPECIAL)))):
        yield Text(tokens, GIVEN)
    for _ in range(INVENTED // 4):
        yield Text(school(rng), SCHOOL)
    for _ in range(SCRIBBLES):  # nothing at all is what a scribble reads as
        yield Text([])


def count(lines: Iterator[Text], ids: dict[str, int], order: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """For each order the packed n-grams, sorted, and their weighted counts; texts with other characters are left out."""
    tokens, before, weights = (
        [],
        [],
        [],
    )  # before: how many tokens of the same text precede; −1 where it is not predicted
    for line in lines:
        if not set(line.text) <= ids.keys():
            continue
        written = [ids[character] for character in line.text]
        if line.whole:
            tokens.append([END] * (order - 1) + written + [END])
            before.append([-1] * (order - 1) + list(range(order - 1, order + len(written))))
        else:
            tokens.append(written)
            before.append([-1, *range(1, len(written))])
        weights.append(np.full(len(tokens[-1]), line.weight))
    tokens, before, weights = (np.concatenate(part) for part in (tokens, before, weights))
    counts, keys = [], np.zeros(len(tokens), np.int64)
    for length in range(1, order + 1):
        shifted = np.concatenate([np.zeros(length - 1, np.int64), tokens[: len(tokens) - length + 1]])
        keys = keys | shifted << BITS * (length - 1)
        valid = before >= length - 1
        found, inverse = np.unique(keys[valid], return_inverse=True)
        counts.append((found, np.bincount(inverse, weights[valid])))
    return counts


def interpolate(
    counts: list[tuple[np.ndarray, np.ndarray]], fewest: dict[int, float], tokens: int
) -> list[tuple[np.ndarray, ...]]:
    """The tables of `hwr_core.decoding.language_model.LanguageModel`, over an alphabet of so many `tokens`.

    After a context seen n times with d different tokens, a token seen c times gets c / (n + `DISTINCT` d), and the shorter
    context's probabilities share what is left, also of the n-grams that are left out: all add up to one.
    """
    tables: list[list[np.ndarray]] = []
    shorter, shorter_p = np.zeros(1, np.int64), np.full(1, 1 / tokens)
    for length, (keys, weights) in enumerate(counts, 1):
        contexts = keys >> BITS
        starts = np.flatnonzero(np.diff(contexts, prepend=-1))
        sizes = np.diff(starts, append=len(keys))
        shares = weights / np.repeat(np.add.reduceat(weights, starts) + DISTINCT * sizes, sizes)
        kept = weights >= fewest.get(length, 0)
        shares[~kept] = 0
        left = 1 - np.add.reduceat(shares, starts)
        suffixes = keys & (1 << BITS * (length - 1)) - 1
        p = shares + np.repeat(left, sizes) * shorter_p[np.searchsorted(shorter, suffixes)]
        if length == 1:  # every token of the alphabet is there, seen or not
            keys, p, kept = np.arange(tokens), np.bincount(keys, shares, tokens) + left / tokens, np.ones(tokens, bool)
        else:
            tables[-1] = with_backoffs(*tables[-1][:2], contexts[starts][left < 1], np.log(left[left < 1]))
        tables.append([keys[kept], np.log(p[kept]), np.zeros(kept.sum())])
        shorter, shorter_p = keys, p
    return [tuple(table) for table in tables if len(table[0])]


def with_backoffs(keys: np.ndarray, log_p: np.ndarray, contexts: np.ndarray, backoffs: np.ndarray) -> list[np.ndarray]:
    """The table with these contexts' backoffs; those that were never predicted themselves (a line's start) come in as absent."""
    both = np.union1d(keys, contexts)
    all_p, all_b = np.full(len(both), ABSENT), np.zeros(len(both))
    all_p[np.searchsorted(both, keys)] = log_p
    all_b[np.searchsorted(both, contexts)] = backoffs
    return [both, all_p, all_b]


def save(tables: list[tuple[np.ndarray, ...]], path: Path) -> None:
    tensors = {}
    for order, (keys, log_p, backoffs) in enumerate(tables, 1):
        tensors[f"keys.{order}"] = torch.from_numpy(keys)
        tensors[f"log_probabilities.{order}"] = torch.from_numpy(log_p).half()
        tensors[f"backoffs.{order}"] = torch.from_numpy(backoffs if order < len(tables) else backoffs[:0]).half()
    save_file(tensors, path, {"order": str(len(tables)), "end": str(END)})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("--downloads", type=Path, default=Path("runs/downloads"))
    arguments = parser.parse_args()
    vocabulary = PreTrainedTokenizerFast.from_pretrained(arguments.checkpoint).get_vocab()
    ids = {token: index for token, index in vocabulary.items() if token not in SPECIAL}
    if r"\frac" not in ids and set(ids) != set(CHARACTERS):
        parser.error("The checkpoint's tokens are neither the characters nor LaTeX's; this language model is of these.")
    lines = formulas(set(ids)) if r"\frac" in ids else texts(fetch(arguments.downloads))
    tables = interpolate(count(lines, ids, ORDER), FEWEST, len(vocabulary))
    save(tables, arguments.checkpoint / LANGUAGE_MODEL)
    for order, (keys, *_) in enumerate(tables, 1):
        print(f"{len(keys):9,} n-grams of order {order}")
    print(
        f"{(arguments.checkpoint / LANGUAGE_MODEL).stat().st_size / 1e6:.1f} MB in {arguments.checkpoint / LANGUAGE_MODEL}"
    )


if __name__ == "__main__":
    main()
