"""What became of every piece of writing on a page: read, reported as unread, lost without a word, or invented."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np
from rapidfuzz.distance import Levenshtein

from training.evaluation.composed_pages import ComposedPage, Piece
from training.evaluation.tables import comparable

Box = tuple[float, float, float, float]
READ = (
    1 / 3
)  # share of a word's characters that must stand in the result, right or wrong, for the word to count as read
COMMAND = "¤"  # stands for any command of LaTeX, which is one sign: a misread letter may be read as one
INVENTED = 3  # characters in a row that no ink stands for, from which they count; fewer are a misread letter


@dataclass(frozen=True)
class ReadLine:
    """A line as a reader gives it: its text and its box (left, top, right, bottom) in pixels of the page."""

    text: str
    box: Box


@dataclass
class Account:
    """Counts over pages; characters without spaces.

    `edits` are those of each piece's own text; `ordered_edits` those of the pages' whole texts.
    """

    words: int = 0
    lost: int = 0
    reported: int = 0
    characters: int = 0
    invented: int = 0
    neighbours: int = 0
    right_neighbours: int = 0
    edits: int = 0
    ordered_edits: int = 0
    misses: list[str] = field(default_factory=list)

    def add(self, other: "Account") -> None:
        for name, value in vars(other).items():
            setattr(self, name, getattr(self, name) + value)


def bare(text: str, formula: bool = False) -> str:
    """The text as it is compared: plain quotes, single spaces, none before a colon or around an apostrophe.

    A command of LaTeX is one sign. Formulas have no spaces.
    """
    text = re.sub(r"\\[A-Za-z]+ ?", COMMAND, re.sub(r"\\(left|right)\b", "", comparable(text)))
    text = re.sub(r"\s+([:;!?»])", r"\1", text.replace(" ' ", "'"))
    return re.sub(r"\s+", "", text) if formula else re.sub(r"^[•☐☑→\-–—·*]\s+", "", text)


def account(page: ComposedPage, lines: Sequence[ReadLine], unread: Sequence[Box] = ()) -> Account:
    """Compares the lines with the pieces of the page. Each line counts for the piece that it covers most."""
    found = Account()
    of_piece: list[list[int]] = [[] for _ in page.pieces]
    for number, line in enumerate(lines):
        for index in _covered(line.box, page.pieces):
            of_piece[index].append(number)
    shared = _groups(of_piece)
    for pieces in shared:
        numbers = sorted({number for index in pieces for number in of_piece[index]})
        _compare(page, [page.pieces[index] for index in pieces], [lines[number] for number in numbers], unread, found)
    used = {number for numbers in of_piece for number in numbers}
    for number, line in enumerate(lines):
        if number not in used and len(bare(line.text).replace(" ", "")) >= 1:
            found.invented += len(bare(line.text).replace(" ", ""))
            found.misses.append(f"invented: {line.text!r}")
    _order(page, of_piece, found)
    truth = " ".join(bare(piece.text, piece.formula) for piece in page.pieces)
    said = " ".join(bare(line.text) for line in lines)
    found.ordered_edits = Levenshtein.distance(truth.replace(" ", ""), said.replace(" ", ""))
    return found


def _covered(box: Box, pieces: Sequence[Piece]) -> list[int]:
    """The pieces of which at least a third lies in the box, or which fill at least half of it; else the one with the most."""
    shares = []
    for piece in pieces:
        across = max(0.0, min(box[2], piece.box[2]) - max(box[0], piece.box[0]))
        down = max(0.0, min(box[3], piece.box[3]) - max(box[1], piece.box[1]))
        own = (piece.box[2] - piece.box[0]) * (piece.box[3] - piece.box[1])
        area = max((box[2] - box[0]) * (box[3] - box[1]), 1e-6)
        shares.append(max(across * down / own, across * down / area if across * down / area > 0.5 else 0.0))
    over = [index for index, share in enumerate(shares) if share > 1 / 3]
    best = int(np.argmax(shares)) if shares else -1
    return over or ([best] if best >= 0 and shares[best] > 0.05 else [])


def _groups(of_piece: list[list[int]]) -> list[list[int]]:
    """Pieces that share a line are compared together."""
    groups: list[tuple[set[int], list[int]]] = []
    for index, numbers in enumerate(of_piece):
        numbers_, pieces = set(numbers), [index]
        for group in [group for group in groups if group[0] & numbers_]:
            groups.remove(group)
            numbers_, pieces = numbers_ | group[0], group[1] + pieces
        groups.append((numbers_, pieces))
    return [sorted(pieces) for _, pieces in groups]


def _compare(
    page: ComposedPage, pieces: list[Piece], lines: list[ReadLine], unread: Sequence[Box], found: Account
) -> None:
    truths = [bare(piece.text, piece.formula) for piece in pieces]
    said = " ".join(bare(line.text, all(piece.formula for piece in pieces)) for line in lines)
    kept, inserted, edits = _aligned("".join(truths).replace(" ", ""), said.replace(" ", ""))
    found.edits += edits
    found.invented += inserted
    start = 0
    for piece, text in zip(pieces, truths, strict=True):
        for match in re.finditer(r"\S+", text):
            word = range(start, start + len(match[0]))
            start += len(match[0])
            found.words += 1
            found.characters += len(word)
            if sum(kept[place] for place in word) < READ * len(word):
                if _reported(piece, match, len(text), unread):
                    found.reported += 1
                else:
                    found.lost += 1
                    found.misses.append(f"lost: {match[0]!r} of {text!r}, read {said!r}")


def _aligned(truth: str, said: str) -> tuple[list[bool], int, int]:
    """Which characters of the truth have one in the result; how many of the result stand for nothing; all edits."""
    kept, inserted, run, edits = [True] * len(truth), 0, 0, 0
    last = None
    for edit in Levenshtein.editops(truth, said):
        edits += 1
        if edit.tag == "delete":
            kept[edit.src_pos] = False
        if edit.tag == "insert":
            run = run + 1 if last is not None and edit.dest_pos - last <= 2 else 1
            inserted += INVENTED if run == INVENTED else 1 if run > INVENTED else 0
            last = edit.dest_pos
    return kept, inserted, edits


def _reported(piece: Piece, word: re.Match, length: int, unread: Sequence[Box]) -> bool:
    left, top, right, bottom = piece.box
    middle = left + (right - left) * (word.start() + word.end()) / 2 / max(length, 1)
    return any(box[0] - 8 <= middle <= box[2] + 8 and box[1] < bottom and box[3] > top for box in unread)


def _order(page: ComposedPage, of_piece: list[list[int]], found: Account) -> None:
    """How often the piece that follows comes right after."""
    place = {}
    for index, numbers in enumerate(of_piece):
        if numbers:
            # Pieces of one line stand in it from the left.
            place[index] = (min(numbers), page.pieces[index].box[0] if page.turn == 0 else index)
    order = sorted(place, key=place.__getitem__)
    after = dict(pairwise(order))
    for index in range(len(page.pieces) - 1):
        found.neighbours += 1
        found.right_neighbours += after.get(index) == index + 1
