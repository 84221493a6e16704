"""Which words of a line are to be checked, and whether a page is beyond the model."""

from collections.abc import Callable

from hwr_core.layout.words import spans_of
from hwr_core.reading import Line, Page, Reading
from pages.shared.marks import is_improbable, is_marked
from pages.shared.reading_view import DOUBTFUL, PROBABLE

# Share of improbable words from which a page seems to be in another language. Four pages in a language that the checkpoint
# does not read have 0.47 to 0.60. A page of measures in English has 0.38. Nine pages in English and French have at most 0.19.
MOST_IMPROBABLE = 0.45
LEAST_WORDS = 8  # of a page, to tell it by its words
LEAST_LETTERS = 12  # of a page, to tell it by its letters


def unsure_words(line: Line) -> list[bool]:
    """For each word, as `hwr_core.layout.words.words_of` has them, whether it is marked. Corrected lines have no mark."""
    return _that_are(is_marked, line)


def seems_unknown(page: Page) -> bool:
    """Whether a page has text that is as unsure throughout as in a language, script or hand that the model does not read."""
    lines = [line for line in page.lines if not line.formula]
    words = [word for line in lines for word in _that_are(is_improbable, line)]
    if len(words) >= LEAST_WORDS:
        return sum(words) / len(words) >= MOST_IMPROBABLE
    confidences = [value for line in lines for value in line.reading.character_confidences]
    if len(confidences) < LEAST_LETTERS or any(line.reading.confidence > PROBABLE for line in lines):
        return False
    return sum(confidences) / len(confidences) < DOUBTFUL


def _that_are(chosen: Callable[[Reading, int, int], bool], line: Line) -> list[bool]:
    spans = spans_of(line)
    if line.corrected or not line.reading.character_confidences:
        return [False] * len(spans)
    return [chosen(line.reading, start, end) for start, end in spans]
