"""The step that tells the writing of a page's other side, which shines through the paper, from its own."""

from dataclasses import replace

import numpy as np

from hwr_core.imaging.grey_levels import percentiles
from hwr_core.pipeline.job import Draft, Job
from hwr_core.pipeline.lines import read_lines
from hwr_core.reading import Alternative, Reading
from hwr_core.recognizer import Recognizer

IN_DOUBT = 0.88  # mean confidence of the characters, geometric, below which a line may be mirrored
FAINT = 0.8  # of the usual contrast of the page's lines: fainter lines may shine through
FAINT_IN_DOUBT = 0.96  # `IN_DOUBT` for fainter lines
BETTER = 0.12  # by which its mirror image must read better; none of 742 validation lines does, 96 % of their images
FAINT_BETTER = 0.04  # `BETTER` for fainter lines; two of the 742 do
VERY_FAINT = 0.4  # of the usual contrast: seldom a pen's, so that less must speak for the other side
VERY_FAINT_BETTER = -0.06
VERY_FAINT_CERTAIN = 0.65  # mean confidence below which a very faint line is no writing of this side
LANGUAGE = 0.08  # weight of a character's log probability in its language beside the confidence of its shape
LEAST_CHARACTERS = 6  # of a line: shorter words may look alike from both sides


def reject_mirrored(draft: Draft, job: Job) -> Draft:
    """Marks lines as unreadable whose mirror images are read with clearly more confidence, and are more of a language.

    Lines as dark as the page's others shine through only where most of what is seen does.
    """
    recognizer = job.reader.recognizer.of_text
    if recognizer.reads_formulas or job.regions is not None:
        return draft
    contrasts = [_contrast(line.image) for line in draft.lines]
    usual = float(np.median(contrasts)) if contrasts else 0.0
    dark = [contrast >= FAINT * usual for contrast in contrasts]
    doubtful = [
        place
        for place, reading in enumerate(draft.readings)
        if reading is not None and not reading.formula and len(reading.text) >= LEAST_CHARACTERS
        if _mean(reading) < (IN_DOUBT if dark[place] else FAINT_IN_DOUBT)
    ]
    if not doubtful or job.stopped():
        return draft
    reader = replace(job.reader, recognizer=recognizer, beams=1, name=(job.reader.name, "mirrored"))
    images = [np.ascontiguousarray(draft.lines[place].to_read[:, ::-1]) for place in doubtful]
    rejected = {
        place
        for place, mirrored in zip(doubtful, read_lines(images, replace(job, reader=reader)), strict=True)
        if _is_mirrored(draft.readings[place], mirrored, contrasts[place] / max(usual, 1e-6), recognizer)
    }
    if 2 * sum(dark[place] for place in rejected) < sum(dark):
        rejected = {place for place in rejected if not dark[place]}
    readings = [
        _rejected(reading) if reading is not None and place in rejected else reading
        for place, reading in enumerate(draft.readings)
    ]
    return replace(draft, readings=tuple(readings))


def _is_mirrored(reading: Reading | None, mirrored: Reading | None, contrast: float, recognizer: Recognizer) -> bool:
    """Whether a line is read from behind. `contrast` is in shares of the page's usual one."""
    if reading is None or mirrored is None:
        return False
    if contrast < VERY_FAINT and _mean(reading) < VERY_FAINT_CERTAIN:
        return True
    needed = BETTER if contrast >= FAINT else FAINT_BETTER if contrast >= VERY_FAINT else VERY_FAINT_BETTER
    language = recognizer.likelihood(mirrored.text) - recognizer.likelihood(reading.text)
    return bool(mirrored.text) and _mean(mirrored) - _mean(reading) + LANGUAGE * language > needed


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
