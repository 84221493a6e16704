"""Measures the user's words (`read(words=…)`): `python -m training.evaluation.own_words`.

The words of validation lines that are in no frequency list, mostly names, are given in lists of 20 among 200 others:
words of training transcripts that are in no frequency list either. The lines of a list are read without it and with it.
As many lines without such words are read with the lists too, which shows what a list costs.

Every second list is for choosing `word_list.BONUS` (`--half tune --bonus 0.6 0.9`); the table is of the others.
"""

import argparse
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from hwr_core import load_recognizer
from hwr_core.decoding.word_list import BONUS, WordList
from hwr_core.metrics import cer
from hwr_core.own_words import token_texts
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer
from training.data.datasets import SCANS, iam_ondb, scans
from training.data.word_frequencies import listed_words
from training.evaluation import results
from training.evaluation.lines import note_of
from training.evaluation.results import Cell, Table, percent, share
from training.evaluation.tables import comparable
from training.evaluation.validation import ALL_SETS, validation_lines
from training.evaluation.word_scores import bare, matched, unlisted

OWN, DISTRACTORS = 20, 200  # words of a list
HALVES = {"tune": 0, "report": 1}


@dataclass(frozen=True)
class LineOf:
    """A validation line: its set, picture, transcript, and its words that are in no frequency list."""

    set: str
    image: Image.Image
    truth: str
    rare: tuple[str, ...]


@dataclass(frozen=True)
class ListedLines:
    """Lines and the list that they are read with. `plain` lines have no word of the list's first twenty."""

    words: tuple[str, ...]
    lines: list[LineOf]
    plain: list[LineOf]


def words_of(text: str) -> list[str]:
    return [word for word in map(bare, text.split()) if word]


def rare_words(text: str, listed: frozenset[str]) -> tuple[str, ...]:
    return tuple(word for word in words_of(text) if unlisted(word, listed))


def distractors(listed: frozenset[str]) -> list[str]:
    """The words of training transcripts that are in no frequency list."""
    texts = [line.text for line in iam_ondb("train")]
    texts += [line.text for name in SCANS for line in scans(name, "train")]
    return sorted({word for text in texts for word in rare_words(comparable(text), listed)})


def lists(recognizer: Recognizer, listed: frozenset[str], half: str, limit: int | None) -> list[ListedLines]:
    """Validation lines in groups that share about twenty rare words, each group with its list."""
    rng = random.Random(0)
    lines = [
        LineOf(name, image, truth, rare_words(truth, listed))
        for name, own in validation_lines(recognizer, None, ALL_SETS).items()
        for image, truth in ((image, comparable(text)) for image, text in own)
    ]
    rng.shuffle(lines)
    others = distractors(listed)
    groups: list[list[LineOf]] = [[]]
    for line in (line for line in lines if line.rare):
        if len({word for one in groups[-1] for word in one.rare} | set(line.rare)) > OWN:
            groups.append([])
        groups[-1].append(line)
    plain = [line for line in lines if not line.rare]
    found = []
    for number, group in enumerate(groups):
        own = {word for line in group for word in line.rare}
        words = [*sorted(own), *rng.sample([word for word in others if word not in own], DISTRACTORS)]
        rng.shuffle(words)
        found.append(ListedLines(tuple(words), group, plain[number * OWN : (number + 1) * OWN]))
    return found[HALVES[half] :: 2][:limit]


def read_plainly(recognizer: Recognizer, given: Sequence[ListedLines]) -> list[list[Reading]]:
    return [recognizer.read([line.image for line in [*one.lines, *one.plain]]) for one in given]


def read_listed(recognizer: Recognizer, given: Sequence[ListedLines], bonus: float) -> list[list[Reading]]:
    """The readings of each list's lines, with the list."""
    tokens = token_texts(recognizer._model)
    found = []
    for one in given:
        table = WordList(one.words, tokens, bonus)
        found.append(recognizer.with_decoding(word_list=table).read([line.image for line in [*one.lines, *one.plain]]))
    return found


@dataclass
class Counts:
    """Words, and how many of them are misread: without the list, with it."""

    words: int = 0
    before: int = 0
    after: int = 0

    def add(self, right_before: bool, right_after: bool) -> None:
        self.words += 1
        self.before += not right_before
        self.after += not right_after


def count(given: Sequence[ListedLines], before: list[list[Reading]], after: list[list[Reading]]) -> list[list[Cell]]:
    """A row for each set, and for all: rare words, other words of the same lines."""
    rare = {name: Counts() for name in (*ALL_SETS, "all")}
    others = {name: Counts() for name in (*ALL_SETS, "all")}
    for one, old, new in zip(given, before, after, strict=True):
        for line, plain, with_list in zip(one.lines, old, new, strict=False):
            words = words_of(line.truth)
            right = [matched(words, words_of(comparable(reading.text)))[0] for reading in (plain, with_list)]
            for word, *ok in zip(words, *right, strict=True):
                kind = rare if word in line.rare else others
                kind[line.set].add(*ok)
                kind["all"].add(*ok)
    return [
        [name, *(cell for counts in (rare[name], others[name]) for cell in _cells(counts))]
        for name in rare
        if rare[name].words
    ]


def _cells(counts: Counts) -> list[Cell]:
    return [counts.words, *(percent(share(wrong, counts.words)) for wrong in (counts.before, counts.after))]


def cost(given: Sequence[ListedLines], before: list[list[Reading]], after: list[list[Reading]]) -> list[list[Cell]]:
    """A row for each set, and for all, of lines that have no rare word."""
    rows: dict[str, tuple[list[str], list[str], list[str]]] = {name: ([], [], []) for name in (*ALL_SETS, "all")}
    for one, old, new in zip(given, before, after, strict=True):
        first = len(one.lines)
        for line, plain, with_list in zip(one.plain, old[first:], new[first:], strict=True):
            for name in (line.set, "all"):
                for texts, text in zip(rows[name], (line.truth, plain.text, with_list.text), strict=True):
                    texts.append(comparable(text))
    return [
        [
            name,
            len(truths),
            sum(map(str.__ne__, old, new)),
            *(round(100 * cer(truths, texts), 2) for texts in (old, new)),
        ]
        for name, (truths, old, new) in rows.items()
        if truths
    ]


def tables(given: Sequence[ListedLines], before: list[list[Reading]], after: list[list[Reading]]) -> list[Table]:
    columns = ["validation lines", "words in no frequency list", "wrong %", "wrong % with the list"]
    columns += ["other words of these lines", "others wrong %", "others wrong % with the list"]
    of_lines = ["validation lines", "lines without listed words", "read otherwise with the list", "CER %"]
    return [
        Table("", columns, count(given, before, after)),
        Table("cost", [*of_lines, "CER % with the list"], cost(given, before, after)),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="text")
    parser.add_argument(
        "--half", choices=HALVES, default="report", help="which lists: to choose the bonus, or the others"
    )
    parser.add_argument("--bonus", type=float, nargs="+", default=[BONUS], help="bonuses to try; the last is reported")
    parser.add_argument("--limit", type=int, help="lists")
    parser.add_argument("--downloads", type=Path, default=Path("runs/downloads"), help="where the frequency lists lie")
    parser.add_argument("--results", type=Path, metavar="PATH")
    arguments = parser.parse_args()
    recognizer = load_recognizer(arguments.model)
    given = lists(recognizer, listed_words(arguments.downloads), arguments.half, arguments.limit)
    before = read_plainly(recognizer, given)
    found: list[Table] = []
    for bonus in arguments.bonus:
        found = tables(given, before, read_listed(recognizer, given, bonus))
        print(f"bonus {bonus}, {len(given)} lists")
        for table in found:
            print(table.markdown(), end="\n\n", flush=True)
    if arguments.results:
        arguments.beams = None
        note = f"{note_of(recognizer, arguments)} Lists of {OWN} words of the lines and {DISTRACTORS} others; bonus {bonus}, "
        note += "which was chosen on every second list. These are the others."
        results.save(found, arguments.results, note)


if __name__ == "__main__":
    main()
