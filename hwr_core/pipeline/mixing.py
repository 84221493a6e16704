"""The step that puts formulas in place of lines, where these are more probable."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.ink.bars import picture_has_bar
from hwr_core.layout.formula_regions import FormulaRegion, find_formulas
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.regions import Region, regions_of
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.lines import read_lines
from hwr_core.pipeline.steps import cleaned_page
from hwr_core.reading import Reading
from hwr_core.text_or_formula import are_formulas, connected, in_doubt, is_surely_text

SURE_FORMULA = 0.9  # confidence from which a formula that lies in its line is not read again


def mix(draft: Draft, job: Job) -> Draft:
    """Looks for formulas where lines are in doubt, if the reader reads both, and keeps the more probable readings."""
    recognizer, readings = job.reader.recognizer, draft.readings
    if not isinstance(recognizer, AutoRecognizer) or job.regions is not None or job.stopped():
        return draft
    texts = [place for place, reading in enumerate(readings) if reading is None or is_surely_text(reading)]
    lone = [place for place in range(len(readings)) if place not in texts]
    if not any(reading.formula or in_doubt(reading) for place in lone if (reading := readings[place]) is not None):
        return draft
    found = find_formulas(cleaned_page(draft, job).image, [draft.lines[place].outline for place in texts])
    touches = np.array(
        [[formula.share_in(draft.lines[place].outline) > 0 for formula in found] for place in lone], bool
    )
    blocks = [
        (places, formulas)
        for lines, formulas in connected(touches.reshape(len(lone), len(found)))
        if formulas and not _is_settled(draft, places := [lone[line] for line in lines], [found[n] for n in formulas])
    ]
    asked = [number for _, formulas in blocks for number in formulas]
    reader = replace(job.reader, recognizer=recognizer.doubting, name=(job.reader.name, "formulas in doubt"))
    read_ones = read_lines([found[number].line.image for number in asked], replace(job, reader=reader))
    return _with_formulas(draft, blocks, found, dict(zip(asked, read_ones, strict=True)))


def _is_settled(draft: Draft, places: Sequence[int], formulas: Sequence[FormulaRegion]) -> bool:
    """Whether a line need not be read again as a formula: a number by itself, or a sure formula in its own line."""
    if len(places) != 1 or len(formulas) != 1 or (reading := draft.readings[places[0]]) is None:
        return False
    if not reading.formula:
        return not in_doubt(reading)
    return reading.confidence >= SURE_FORMULA and formulas[0].share_in(draft.lines[places[0]].outline) == 1


def _with_formulas(
    draft: Draft,
    blocks: Sequence[tuple[list[int], list[int]]],
    found: Sequence[FormulaRegion],
    read_ones: dict[int, Reading | None],
) -> Draft:
    """Replaces the lines of a block by its formulas where these are more probable."""
    placed: list[tuple[tuple[float, int], FoundLine, Region, Reading | None]] = [
        ((place, 0), *item) for place, item in enumerate(zip(draft.lines, draft.regions, draft.readings, strict=True))
    ]
    for lines, numbers in blocks:
        readings = [reading for number in numbers if (reading := read_ones[number]) is not None]
        texts = [reading for place in lines if (reading := draft.readings[place]) is not None]
        top = min(lines, default=0)
        above = draft.readings[top - 1] if top else None
        barred = any(picture_has_bar(found[number].line.image) for number in numbers)
        if len(readings) < len(numbers) or not are_formulas(texts, readings, above, barred):
            continue
        placed = [item for item in placed if item[0][0] not in lines or item[0][1]]
        first = min(lines) if lines else _line_below(draft.lines, found[numbers[0]].line)
        cell = draft.lines[first].cell if len(lines) == len(numbers) == 1 else None
        for order, (number, reading) in enumerate(zip(numbers, readings, strict=True), 1):
            line = replace(found[number].line, cell=cell)
            region = replace(regions_of([line], draft.to_photo)[0], formula=True)
            placed.append(((first - 0.5 if not lines else first, order), line, region, reading))
    placed.sort(key=lambda item: item[0])
    return replace(
        draft,
        lines=tuple(item[1] for item in placed),
        regions=tuple(item[2] for item in placed),
        readings=tuple(item[3] for item in placed),
    )


def _line_below(lines: Sequence[FoundLine], formula: FoundLine) -> int:
    """The number of the first line whose middle lies below a formula's."""
    middle = formula.outline[:, 1].mean()
    return next((number for number, line in enumerate(lines) if line.outline[:, 1].mean() > middle), len(lines))
