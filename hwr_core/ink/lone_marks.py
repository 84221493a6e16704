"""Dots, dashes, equals signs and ticks that stand alone in a drawing, told by their shape.

A reader of lines sees every line at one height. A dash alone, blown up to it, looks like no letter that it knows.
"""

import numpy as np

from hwr_core.ink.strokes import Strokes, as_points
from hwr_core.reading import Reading

SURE_MARK = 0.95  # the confidence of a mark: shapes that could be letters as well are none
FLAT = 0.22  # height by width of a dash at most
STRAIGHT = 1.12  # path by chord of a straight stroke at most
DOT = 0.12  # of the other writing's letter height: the extent of a dot at most
DOT_SPREAD = 0.25  # of the distance between dots in a row: the extent of one at most
TAP = 3  # points of a tap of the finger at most, where there is no other writing to compare with
TICK_TURN = (0.1, 0.55)  # where the lowest point of a tick lies, from its left to its right end
TICK_ARM = 0.75  # of a tick's height: its left arm at most


def lone_mark(strokes: Strokes, letter: float | None = None) -> Reading | None:
    """The reading of a line that is only a mark: `.`, `...`, `:`, `-`, `=` or `✓`.

    Args:
        strokes: Those of the line, each (n, 2) float, y downwards, in any unit.
        letter: The usual height of the letters elsewhere in the drawing, in the same unit; None where there are none.

    Returns:
        None where the line is anything else.
    """
    strokes = [as_points(stroke) for stroke in strokes]
    text = _dots(strokes, letter) or _dashes(strokes) or _tick(strokes)
    return None if text is None else Reading(text, SURE_MARK, (SURE_MARK,) * len(text))


def _dots(strokes: Strokes, letter: float | None) -> str | None:
    if len(strokes) > 4:
        return None
    extents = np.array([np.ptp(stroke, 0).max() for stroke in strokes])
    middles = np.array([(stroke.min(0) + stroke.max(0)) / 2 for stroke in strokes])
    spread = np.ptp(middles, 0)
    small = (
        extents.max() <= DOT * letter
        if letter
        else all(
            len(stroke) <= TAP and extent <= max(DOT_SPREAD * spread.max(), 8.0)
            for stroke, extent in zip(strokes, extents, strict=True)
        )
    )
    if len(strokes) > 1 and not letter:
        small = small or bool(extents.max() <= DOT_SPREAD * spread.max() / (len(strokes) - 1))
    if not small:
        return None
    if len(strokes) == 2 and spread[1] > 2 * spread[0]:
        return ":"
    return "." * len(strokes) if spread[1] <= max(0.5 * spread[0], extents.max()) else None


def _dashes(strokes: Strokes) -> str | None:
    if len(strokes) > 2 or not all(map(_is_flat, strokes)):
        return None
    if len(strokes) == 1:
        return "-"
    (left1, top1), (left2, top2) = (stroke.min(0) for stroke in strokes)
    (right1, bottom1), (right2, bottom2) = (stroke.max(0) for stroke in strokes)
    narrower = min(right1 - left1, right2 - left2)
    shared = min(right1, right2) - max(left1, left2)
    apart = abs((top1 + bottom1) - (top2 + bottom2)) / 2
    return "=" if shared >= 0.6 * narrower and 0.08 * narrower < apart < 1.2 * narrower else None


def _is_flat(stroke: np.ndarray) -> bool:
    width, height = np.ptp(stroke, 0)
    if width <= 0 or height > FLAT * width:
        return False
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum()) <= STRAIGHT * float(np.hypot(width, height))


def _tick(strokes: Strokes) -> str | None:
    if len(strokes) != 1 or len(strokes[0]) < 4:
        return None
    stroke = strokes[0] if strokes[0][0, 0] <= strokes[0][-1, 0] else strokes[0][::-1]
    left, (width, height) = stroke[:, 0].min(), np.ptp(stroke, 0)
    if min(width, height) <= 0 or not 0.4 < width / height < 2.5:
        return None
    turn = int(stroke[:, 1].argmax())
    place = (stroke[turn, 0] - left) / width
    first, second = stroke[: turn + 1], stroke[turn:]
    arms = [stroke[turn, 1] - arm[:, 1].min() for arm in (first, second)]
    straight = all(_is_straight(arm) for arm in (first, second))
    ends = stroke[0, 0] <= left + 0.1 * width and stroke[-1, 0] >= left + 0.9 * width
    is_tick = (
        TICK_TURN[0] < place < TICK_TURN[1] and 0.1 * height < arms[0] <= TICK_ARM * height and arms[1] >= 0.9 * height
    )
    return "✓" if is_tick and straight and ends else None


def _is_straight(arm: np.ndarray) -> bool:
    if len(arm) < 2:
        return False
    path = float(np.hypot(*np.diff(arm, axis=0).T).sum())
    return path <= 1.15 * float(np.hypot(*(arm[-1] - arm[0])))
