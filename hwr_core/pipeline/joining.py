"""The step that puts the parts of a formula on a photo together, where white has parted them."""

from collections.abc import Sequence
from dataclasses import replace

import cv2
import numpy as np

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.ink.bars import picture_has_bar
from hwr_core.ink.formula import symbol_size
from hwr_core.layout.line_detection import FoundLine
from hwr_core.layout.regions import regions_of
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.lines import read_lines
from hwr_core.pipeline.parted_formulas import Part, around, join_parted, may_be_part
from hwr_core.reading import Box, Reading, box_corners


def join(draft: Draft, job: Job) -> Draft:
    """Reads neighbouring formulas as one too, and keeps the more probable reading. Regions of a person stay as they are."""
    recognizer = job.reader.recognizer
    knows_formulas = recognizer.reads_formulas or isinstance(recognizer, AutoRecognizer)
    readings = [reading for reading in draft.readings if reading is not None]
    if job.regions is not None or not knows_formulas or len(readings) < max(2, len(draft.readings)):
        return draft
    with_readings = list(zip(draft.lines, readings, strict=True))
    in_table = any(line.cell is not None for line in draft.lines)  # its cells stand one below the other, and stay apart
    formulas = [line for line, reading in with_readings if reading.formula]
    short = [line for line, reading in with_readings if may_be_part(reading)]
    if len(short) < 2 or in_table or job.stopped():
        return draft
    size = float(np.median([symbol_size(line.image) for line in formulas or short]))
    barred = [may_be_part(reading) and picture_has_bar(line.image, size) for line, reading in with_readings]
    if not formulas and not any(barred):
        return draft
    recognizer = recognizer.math if isinstance(recognizer, AutoRecognizer) else recognizer

    def read(line: FoundLine, least: float) -> Reading | None:
        name = (job.reader.name, "joined", least)
        reader = replace(job.reader, recognizer=recognizer, name=name)
        if least:
            reader = replace(reader, recognizer=recognizer.with_decoding(give_up_below=least), beams=1)
        return read_lines([line.image], replace(job, reader=reader, on_progress=None))[0]

    parts = [
        Part(line, sides_of(line), reading, bar) for (line, reading), bar in zip(with_readings, barred, strict=True)
    ]
    whole = join_parted(parts, size, united, read)
    regions = dict(zip(map(id, draft.lines), draft.regions, strict=True))
    return replace(
        draft,
        lines=tuple(part.item for part in whole),
        readings=tuple(part.reading for part in whole),
        regions=tuple(
            regions.get(id(part.item)) or replace(regions_of([part.item], draft.to_photo)[0], formula=True)
            for part in whole
        ),
    )


def united(lines: Sequence[FoundLine]) -> FoundLine:
    """One line of several: their ink on paper, each where it stands."""
    boxes = [sides_of(line) for line in lines]
    left, top, right, bottom = around(boxes)
    paper = np.full((bottom - top, right - left), int(np.median([np.median(line.image) for line in lines])), np.uint8)
    for line, (start, upper, stop, lower) in zip(lines, boxes, strict=True):
        place = paper[upper - top : lower - top, start - left : stop - left]
        np.minimum(place, cv2.resize(line.image, place.shape[::-1]), out=place)
    return FoundLine(np.array(box_corners((left, top, right, bottom)), float), paper)


def sides_of(line: FoundLine) -> Box:
    """The upright box of a line, in whole pixels of the cleaned page."""
    left, top = np.floor(line.outline.min(0)).astype(int).tolist()
    right, bottom = np.ceil(line.outline.max(0)).astype(int).tolist()
    return left, top, max(right, left + 1), max(bottom, top + 1)
