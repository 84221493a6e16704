"""Which lines are taken for the writing of the paper's other side."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from PIL import Image

from hwr_core import load_recognizer
from hwr_core.layout.line_detection import FoundLine
from hwr_core.pipeline import mirrored
from hwr_core.pipeline.job import Draft, Job, LineReader
from hwr_core.reading import Reading


@dataclass
class Reader:
    """Stands for a recognizer: the likelihoods of texts are given."""

    likelihoods: dict[str, float] = field(default_factory=dict)
    reads_formulas = False

    @property
    def of_text(self):
        return self

    def likelihood(self, text):
        return self.likelihoods.get(text, -2.0)


def reading(text, confidence):
    return Reading(text, confidence, (confidence,) * len(text))


def line(contrast):
    grey = np.full((40, 200), 240, np.uint8)
    grey[15:25, 20:120] = 240 - contrast
    return FoundLine(np.zeros((4, 2)), grey)


@pytest.fixture
def rejected(monkeypatch):
    """Which lines are rejected: (contrast, text, its confidence, the mirror image's text, its confidence) for each."""

    def texts(rows, likelihoods=None):
        turned = {row[1]: reading(*row[3:]) for row in rows}
        monkeypatch.setattr(mirrored, "_mean", lambda r: float(r.confidence))
        lines = tuple(line(row[0]) for row in rows)

        def read_lines(images, job):
            low = [row for row in rows if row[2] < mirrored.FAINT_IN_DOUBT]
            faint = mirrored.FAINT * np.median([row[0] for row in rows])
            asked = [row for row in low if row[0] < faint or row[2] < mirrored.IN_DOUBT]
            assert len(asked) == len(images)
            return [turned[row[1]] for row in asked]

        monkeypatch.setattr(mirrored, "read_lines", read_lines)
        draft = Draft(lines=lines, readings=tuple(reading(row[1], row[2]) for row in rows))
        job = Job(lambda: Image.new("L", (1, 1)), LineReader(Reader(likelihoods or {})))
        after = mirrored.reject_mirrored(draft, job).readings
        return [row[1] for row, read in zip(rows, after, strict=True) if read.unreadable]

    return texts


SURE = (150, "are included on all the various", 0.99, "", 0.0)


def test_hard_writing_as_dark_as_the_rest_of_its_page_stays(rejected):
    hard = (150, "the lace-makers practiced.", 0.66, "herit sop zutan-erpl en", 0.80)
    likelihoods = {hard[1]: -1.4, hard[3]: -2.9}
    assert rejected([hard], likelihoods) == [], "it is more of a language than its mirror image"
    assert rejected([hard, SURE, SURE]) == [], "one line as dark as others that are read surely"


def test_a_page_seen_from_behind_is_no_text(rejected):
    rows = [(150, f"sinaqui beard not he {n}", 0.66, f"In her broad Ayrshire {n}", 0.94) for n in range(3)]
    assert len(rejected(rows)) == 3


def test_faint_writing_between_dark_lines_needs_less_to_be_the_other_sides(rejected):
    shines = (90, "sinaqui beard not he", 0.80, "In her broad Ayrshire", 0.87)
    assert rejected([shines, SURE, SURE]) == [shines[1]]
    assert rejected([(150, *shines[1:]), SURE, SURE]) == []


def test_very_faint_writing_between_dark_lines_must_read_surely(rejected):
    unsure = (35, "consistentes the selection the", 0.6, "", 0.0)
    sure = (35, "remember the milk", 0.9, "alim edt redmemer", 0.6)
    assert rejected([unsure, sure, SURE, SURE, SURE]) == [unsure[1]]
    assert rejected([(60, *unsure[1:]), SURE, SURE, SURE]) == []


def test_words_are_likelier_than_the_letters_of_a_mirror_image():
    recognizer = load_recognizer("text")
    assert recognizer.likelihood("the lace-makers") > recognizer.likelihood("herit sop zutan") + 0.5
    assert recognizer.likelihood("Die Straße ist schön") > recognizer.likelihood("nöhcs tsi eßartS eiD") + 0.5
    assert load_recognizer("text").with_decoding(language_model=None).likelihood("any") == 0.0
