"""How long a reading takes: shared by the evaluation and the benchmarks."""

import statistics
import time
from collections.abc import Callable

from hwr_core import read_ink
from hwr_core.ink.handprint import write, write_formula
from hwr_core.recognizer import Recognizer

TEXT = "meet me at the station at 7:30"  # 30 characters


def median_seconds(call: Callable[[], object], times: int) -> float:
    """The median duration of `times` calls, in seconds, after one call that is not counted."""
    call()
    seconds = []
    for _ in range(times):
        started = time.perf_counter()
        call()
        seconds.append(time.perf_counter() - started)
    return statistics.median(seconds)


def drawing_seconds(recognizer: Recognizer, beams: int = 1, times: int = 20, formula: bool | None = None) -> float:
    """The median time from strokes to text, in seconds: `TEXT` drawn, or the solutions of a quadratic equation.

    Args:
        recognizer: reads them.
        beams: width of the beam search.
        times: calls that are counted.
        formula: whether the equation is drawn. None: as the recognizer's checkpoint reads.
    """
    drawn = recognizer.reads_formulas if formula is None else formula
    strokes = write_formula() if drawn else write(TEXT, slant=0.1, unsteadiness=0.006)
    return median_seconds(lambda: read_ink(strokes, recognizer, beams=beams), times)
