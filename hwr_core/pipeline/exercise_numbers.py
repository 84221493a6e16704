"""The step that puts the numbers of exercises before their formulas: `1.` in the margin of a photo, and what is to be solved."""

from collections.abc import Sequence
from dataclasses import replace

from hwr_core.decoding.standing_apart import is_number
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.reading_order import reading_order
from hwr_core.layout.regions import regions_of
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.joining import sides_of, united
from hwr_core.reading import Reading, join_readings
from hwr_core.text_or_formula import BESIDE

FARTHEST = 5.0  # of the number's height: the white between it and its formula at most
OUTSIDE = 0.25  # of the number's height: how far its middle may lie above or below the formula


def put_numbers_before(draft: Draft, job: Job) -> Draft:
    """Joins each number of an exercise that stands by itself with the formula to its right. Regions of a person stay as they are."""
    if job.regions is not None or None in draft.readings:
        return draft
    items = list(zip(draft.lines, draft.regions, draft.readings, strict=True))
    numbers = [
        place
        for place, (line, _, reading) in enumerate(items)
        if reading is not None and is_number(reading.text) and line.mark is None  # a list mark would be lost
    ]
    taken: dict[int, int] = {}  # by the formula, the number before it
    for number in numbers:
        formula = _formula_beside(number, draft.lines, draft.readings)
        if formula is not None:
            taken.setdefault(formula, number)
    if not taken:
        return draft
    for formula, number in taken.items():
        parts = [draft.lines[number], draft.lines[formula]]
        line = united(parts)
        items[formula] = (
            line,
            replace(regions_of([line], draft.to_photo)[0], formula=True),
            _joined(parts, draft, number, formula),
        )
    kept = [item for place, item in enumerate(items) if place not in taken.values()]
    ordered = reading_order([line.outline for line, _, _ in kept])
    if all(len(line.pieces) == 1 for line in ordered):  # the numbers stood in a column of their own
        places = [(line.pieces[0], line.cell) for line in ordered]
        kept = [(replace(kept[place][0], cell=cell), *kept[place][1:]) for place, cell in places]
    lines, regions, readings = zip(*kept, strict=True)
    return replace(draft, lines=lines, regions=regions, readings=readings)


def _formula_beside(number: int, lines: Sequence[FoundLine], readings: Sequence[Reading | None]) -> int | None:
    """The number of the line that stands next to the right of a number, if it is a formula."""
    left, top, right, bottom = sides_of(lines[number])
    high, middle = bottom - top, (top + bottom) / 2
    beside = []
    for place, line in enumerate(lines):
        other = sides_of(line)
        level = other[1] - OUTSIDE * high <= middle <= other[3] + OUTSIDE * high
        if place != number and level and other[0] >= (left + right) / 2:
            beside.append((other[0], place))
    if not beside:
        return None
    start, nearest = min(beside)
    reading = readings[nearest]
    if reading is None or not reading.formula or is_number(reading.text) or lines[nearest].mark is not None:
        return None
    return nearest if start - right <= FARTHEST * high else None


def _joined(parts: Sequence[FoundLine], draft: Draft, number: int, formula: int) -> Reading:
    (left, _, right, _), (start, _, end, _) = map(sides_of, parts)
    width = max(end - left, 1)
    readings = [
        replace(reading, formula=True) for place in (number, formula) if (reading := draft.readings[place]) is not None
    ]
    return join_readings(readings, BESIDE, [(0.0, (right - left) / width), ((start - left) / width, 1.0)])
