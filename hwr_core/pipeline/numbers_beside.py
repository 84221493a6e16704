"""The step that puts a column of numbers beside the lines that they belong to: a list of telephone numbers is read row by row.

By their outlines alone, names and long numbers are two columns of prose. What was read tells them.
"""

from dataclasses import replace

from hwr_core.layout.reading_order import reading_order
from hwr_core.pipeline.job import Draft, Job
from hwr_core.reading import Reading

DIGITS = 0.5  # share of a number's letters and digits that are digits


def put_numbers_beside(draft: Draft, job: Job) -> Draft:
    """Orders the lines anew, knowing which are numbers. An order that a person chose stays, and gets the cells that fit it."""
    numbers = [
        place for place, reading in enumerate(draft.readings) if reading is not None and _is_mostly_digits(reading)
    ]
    if len(numbers) < 2 or None in draft.readings:
        return draft
    outlines = [line.outline for line in draft.lines]
    ordered = reading_order(outlines, numbers)
    order = [line.pieces[0] for line in ordered]
    if len(order) < len(outlines) or ordered == reading_order(outlines):
        return draft
    if job.regions is not None and order != list(range(len(order))):
        return draft
    lines = [replace(draft.lines[line.pieces[0]], cell=line.cell) for line in ordered]
    regions = tuple(draft.regions[place] for place in order)
    return replace(draft, lines=tuple(lines), regions=regions, readings=tuple(draft.readings[place] for place in order))


def _is_mostly_digits(reading: Reading) -> bool:
    letters = [character for character in reading.text if character.isalnum()]
    return not reading.formula and sum(map(str.isdigit, letters)) > DIGITS * len(letters)
