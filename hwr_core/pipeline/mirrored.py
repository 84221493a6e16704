"""The step that tells the writing of a page's other side, which shines through the paper, from its own."""

from dataclasses import replace

import numpy as np

from hwr_core.imaging.grey_levels import percentiles
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.lines import read_lines
from hwr_core.reading import Alternative, Reading

IN_DOUBT = 0.88  # mean confidence of the characters, geometric, below which a line may be mirrored
FAINT = 0.8  # of the usual contrast of the page's lines: fainter lines may shine through
FAINT_IN_DOUBT = 0.96  # `IN_DOUBT` for fainter lines
BETTER = 0.06  # by which its mirror image must read better; 120 lines of writing read worse by 0.11 or more
FAINT_BETTER = (
    0.02  # `BETTER` for fainter lines: no confidence exceeds 1. Of 301 lines of writing one is read better from behind
)
LEAST_CHARACTERS = 6  # of a line: shorter words may look alike from both sides


def reject_mirrored(draft: Draft, job: Job) -> Draft:
    """Marks lines as unreadable whose mirror images are read with clearly more confidence."""
    recognizer = job.reader.recognizer.of_text
    if recognizer.reads_formulas or job.regions is not None:
        return draft
    contrasts = [_contrast(line.image) for line in draft.lines]
    faint = FAINT * float(np.median(contrasts)) if contrasts else 0.0
    doubtful = [
        place
        for place, (reading, contrast) in enumerate(zip(draft.readings, contrasts, strict=True))
        if reading is not None and not reading.formula and len(reading.text) >= LEAST_CHARACTERS
        if _mean(reading) < (FAINT_IN_DOUBT if contrast < faint else IN_DOUBT)
    ]
    if not doubtful or job.stopped():
        return draft
    reader = replace(job.reader, recognizer=recognizer, beams=1, name=(job.reader.name, "mirrored"))
    images = [np.ascontiguousarray(draft.lines[place].to_read[:, ::-1]) for place in doubtful]
    readings = list(draft.readings)
    for place, mirrored in zip(doubtful, read_lines(images, replace(job, reader=reader)), strict=True):
        reading = readings[place]
        better = FAINT_BETTER if contrasts[place] < faint else BETTER
        if mirrored is not None and reading is not None and _mean(mirrored) > _mean(reading) + better:
            readings[place] = _rejected(reading)
    return replace(draft, readings=tuple(readings))


def _contrast(grey: np.ndarray) -> float:
    """The greys between the paper and the ink of a line (height, width) uint8."""
    dark, paper = percentiles(grey, (1, 75))
    return paper - dark


def _mean(reading: Reading) -> float:
    """The geometric mean of the confidences of a reading's characters; 0 without any."""
    values = np.maximum(reading.character_confidences, 1e-9)
    return float(np.exp(np.log(values).mean())) if len(values) else 0.0


def _rejected(reading: Reading) -> Reading:
    guesses = (Alternative(reading.text, reading.confidence), *reading.alternatives)
    return Reading("", reading.confidence, (), guesses, reading.complete, unreadable=True)
