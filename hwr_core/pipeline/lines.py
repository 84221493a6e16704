"""Pictures of lines become readings, in batches that can be watched and stopped."""

import hashlib
from collections.abc import Hashable, Sequence
from dataclasses import replace

import numpy as np

from hwr_core.auto_recognizer import AutoRecognizer
from hwr_core.pipeline.job import Job, KnownReadings, LineReader, Picture, Words
from hwr_core.reading import Reading
from hwr_core.recognizer import Recognizer


def read_lines(images: Sequence[Picture], job: Job, formulas: Sequence[bool] | None = None) -> list[Reading | None]:
    """Reads pictures of lines, as far as they are not in `job.readings` and the job is not stopped.

    Args:
        images: Of one line or formula each; PIL images of any mode or uint8 arrays.
        job: Who reads, progress, stop and known readings.
        formulas: Which of the pictures are formulas. None: none is.

    Returns:
        A reading for each picture. None: not read, because the job was stopped.
    """
    known: KnownReadings = {} if job.readings is None else job.readings
    tell = job.on_progress or (lambda done, total: None)
    readers = _readers(len(images), job, formulas)
    keys = [_key(reader, image) for reader, image in zip(readers, images, strict=True)]
    readings = [known.get(key) for key in keys]
    left = [number for number, reading in enumerate(readings) if reading is None]
    done = 0
    if left and not job.stopped():
        tell(0, len(left))
    for numbers in _same_reader(left, readers):
        if job.stopped():
            break
        reader = readers[numbers[0]]
        for batch in reader.recognizer.stream([images[number] for number in numbers], reader.beams):
            for index, reading in batch.items():
                readings[numbers[index]] = known[keys[numbers[index]]] = reading
            done += len(batch)
            tell(done, len(left))
            if job.stopped():
                break
    return readings


def _readers(count: int, job: Job, formulas: Sequence[bool] | None) -> list[LineReader]:
    """The reader of each picture. The formula reader is asked for only if a picture is a formula."""
    mixed = job.reader.recognizer
    if formulas is None or not any(formulas):
        return [job.reader] * count
    if job.formula_reader is not None:
        formula_reader = job.formula_reader()
    elif isinstance(mixed, AutoRecognizer):
        formula_reader = replace(job.reader, recognizer=mixed.math, name=(job.reader.name, "formulas"))
    else:
        formula_reader = job.reader
    return [formula_reader if formula else job.reader for formula in formulas]


def _same_reader(numbers: Sequence[int], readers: Sequence[LineReader]) -> list[list[int]]:
    """Groups the pictures' numbers by their readers, the reader of the first picture first."""
    groups: dict[int, list[int]] = {}
    for number in numbers:
        groups.setdefault(id(readers[number]), []).append(number)
    return list(groups.values())


def _key(reader: LineReader, image: Picture) -> Hashable:
    """Tells a picture's reading by this reader from all others."""
    pixels = np.ascontiguousarray(image)
    return (reader.name, hashlib.blake2b(pixels.data, digest_size=16).hexdigest(), pixels.shape)


def favouring(recognizer: Recognizer, words: Words) -> Recognizer:
    """The recognizer, favouring `words` if there are any."""
    return recognizer.with_words(words) if words else recognizer
