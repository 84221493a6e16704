"""Formulas that the paper's white parted, put together where the whole is the more probable reading.

White tells formulas apart that stand one below the other (`ink.formula_grouping`). Hands leave white inside formulas too: above
limits, beside bars of fractions, below scripts. So neighbours are read as one formula as well. The constants were chosen
on CROHME's writers kept for choices: 17 of 21 parted formulas are joined, and of 1,171 pairs of formulas none.

A fraction whose parts all look like text, as `dy` over `dx`, is known by its bar. Two or three short lines that stand by
themselves are read as a formula, where one of them has a flat stroke as wide as a symbol.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from hwr_core.decoding.latex import canonical
from hwr_core.decoding.unread_symbols import has_ink
from hwr_core.errors import HandwritingError
from hwr_core.reading import Reading
from hwr_core.text_or_formula import BESIDE, is_words

WHITE_BETWEEN = 2.5  # of a symbol's height: the white between two parts of a formula, one below the other, at most
WHITE_BESIDE = 1.5  # of a symbol's height: the white between their columns at most
OVERLAP = 0.5  # of a symbol's height: by so much the boxes of two parts may overlap
MOST_PARTS = 3  # of a formula: a fraction's bar may stand alone
SMALL_PART = 2  # symbols at most of one of three parts
SURE = 0.85  # confidence from which a whole that is more probable than its parts is believed
MUCH_MORE = 20.0  # times as probable as its parts: then a whole is believed without being sure
LEAST = 0.2  # confidence of a whole at least
PROBABLE = 0.6  # probability of the parts from which the whole may have no symbol fewer
KEPT = 0.6  # share of the parts' symbols that the whole has at least
HOPE = 0.5  # share of the confidence that a whole must have, below which its search is given up
SHORT_TEXT = 10  # characters of a line of text that may be a part of a formula
FRACTION = (
    0.7  # confidence of a fraction of lines of text at least: the bar speaks for it, however well its parts are read
)

RELATIONS = {"=", "<", ">", r"\leq", r"\geq", r"\neq", r"\approx"}

Item = TypeVar("Item")
Number = TypeVar("Number", int, float)


Sides = tuple[float, float, float, float]  # left, top, right, bottom


@dataclass(frozen=True, eq=False)
class Part(Generic[Item]):
    """What was read as one formula or one line.

    Attributes:
        item: The ink that was read.
        box: Where it stands.
        reading: Its reading.
        barred: Whether a stroke of it may be the bar of a fraction (`pipeline.bars`).
    """

    item: Item
    box: Sides
    reading: Reading
    barred: bool = False


def join_parted(
    parts: Sequence[Part[Item]],
    size: float,
    unite: Callable[[Sequence[Item]], Item],
    read: Callable[[Item, float], Reading | None],
) -> list[Part[Item]]:
    """Puts parts together that are more probably one formula.

    Args:
        parts: The formulas and lines of a page, in reading order.
        size: The height of a symbol, in the unit of the boxes.
        unite: Makes one item of several.
        read: Reads an item as a formula: in full where the second argument is 0, else quickly, and it may give up where the
            confidence is below it. None: not read.

    Returns:
        The parts, with united ones in the place of their first.
    """
    found = list(parts)
    tried: set[tuple[Part[Item], ...]] = set()
    while (chain := next((chain for chain in _chains(found, size) if chain not in tried), None)) is not None:
        tried.add(chain)
        item, readings = unite([part.item for part in chain]), [part.reading for part in chain]
        whole = read(item, HOPE * _least(readings))
        if whole is not None and is_whole(whole, readings):
            whole = read(item, 0.0)
        if whole is not None and is_whole(whole, readings):
            place = min(found.index(part) for part in chain)
            found[place] = Part(item, around([part.box for part in chain]), whole)
            found = [part for part in found if part not in chain]
    return found


def around(boxes: Sequence[tuple[Number, Number, Number, Number]]) -> tuple[Number, Number, Number, Number]:
    """The smallest box with all of these in it."""
    lefts, tops, rights, bottoms = zip(*boxes, strict=True)
    return min(lefts), min(tops), max(rights), max(bottoms)


def is_whole(whole: Reading, parts: Sequence[Reading]) -> bool:
    """Whether a formula is more probable than its parts, and leaves nothing of them out.

    Args:
        whole: The reading of all parts together.
        parts: The readings of each alone.
    """
    if not whole.text or not whole.complete or whole.unread or r"\\" in whole.text:
        return False
    by_bar = not any(part.formula for part in parts)
    if by_bar and r"\frac" not in whole.text:
        return False
    apart = _probability(parts)
    if whole.confidence <= _least(parts):
        return False
    written, each = _symbols(whole.text), [_symbols(_guess(part)) for part in parts]
    there = sum(each, Counter())
    least = there.total() if apart >= PROBABLE and not by_bar else 1 + max(symbols.total() for symbols in each)
    if written.total() < least:
        return False
    return (written & there).total() >= KEPT * there.total()


def _chains(parts: Sequence[Part[Item]], size: float) -> Iterator[tuple[Part[Item], ...]]:
    """Parts that may be one formula, each with the nearest one below it: three if one of them is small, then two."""
    below = [_nearest_below(part, parts, size) for part in parts]
    nexts = dict(zip(parts, below, strict=True))
    for count in range(MOST_PARTS, 1, -1):
        for part in parts:
            chain = [part]
            while len(chain) < count and (other := nexts[chain[-1]]) is not None:
                chain.append(other)
            if len(chain) == count and (
                _may_be_whole([one.reading for one in chain]) or _may_be_fraction(chain, nexts)
            ):
                yield tuple(chain)


def _may_be_fraction(chain: Sequence[Part[Item]], nexts: Mapping[Part[Item], Part[Item] | None]) -> bool:
    """Whether lines of text may be a fraction: one has a bar, and no other short line stands near, as in a sum."""
    lone = nexts[chain[-1]] is None and not any(below is chain[0] for below in nexts.values())
    between = [part for part in chain[1:-1] if _symbols(_guess(part.reading)).total() > 1]
    as_text = not any(part.reading.formula for part in chain)
    return as_text and lone and not between and any(part.barred for part in chain)


def _may_be_whole(parts: Sequence[Reading]) -> bool:
    """Whether it is worth the time to read parts together."""
    if not any(part.formula for part in parts):
        return False
    each = [_symbols(_guess(part)) for part in parts]
    if len(parts) == MOST_PARTS:
        return any(symbols.total() <= SMALL_PART for symbols in each)
    # Two equations that are read well are two.
    return _probability(parts) < PROBABLE or not all(symbols.keys() & RELATIONS for symbols in each)


def _nearest_below(part: Part[Item], parts: Sequence[Part[Item]], size: float) -> Part[Item] | None:
    near = [other for other in parts if other is not part and _may_be_below(part, other, size)]
    return min(near, key=lambda other: other.box[1], default=None) if may_be_part(part.reading) else None


def _may_be_below(upper: Part, lower: Part, size: float) -> bool:
    (left, top, right, bottom), (left2, top2, right2, _) = upper.box, lower.box
    white, beside = top2 - bottom, max(left, left2) - min(right, right2)
    near = -OVERLAP * size <= white <= WHITE_BETWEEN * size and beside <= WHITE_BESIDE * size
    return near and top2 > top and may_be_part(lower.reading)


def may_be_part(reading: Reading) -> bool:
    """Whether this is a formula, or a line that is as short as a part of one and has no words."""
    return reading.formula or (len(_guess(reading)) <= SHORT_TEXT and not is_words(reading))


def _least(parts: Sequence[Reading]) -> float:
    """The confidence that a whole of these parts must have."""
    if not any(part.formula for part in parts):
        return FRACTION
    apart = _probability(parts)
    least = max(apart, min(SURE, max(LEAST, MUCH_MORE * apart)))
    # The numerators of two fractions stand side by side, and each row is read well by itself.
    return min(least, SURE) if any(BESIDE in part.text for part in parts) else least


def _probability(readings: Sequence[Reading]) -> float:
    return math.prod(reading.confidence for reading in readings)


def _guess(reading: Reading) -> str:
    """The text of a reading, also where it counts as unreadable."""
    return reading.alternatives[0].text if reading.unreadable and reading.alternatives else reading.text


def _symbols(text: str) -> Counter[str]:
    """How often each symbol is written; letters alike large and small."""
    try:
        tokens = canonical(text)
    except HandwritingError:  # a line of text
        tokens = [character for character in text if not character.isspace()]
    return Counter(token.lower() for token in tokens if has_ink(token))
