"""The validation sets of text lines: writers and pages that no checkpoint is trained on."""

import io
import random
from collections.abc import Sequence

from PIL import Image

from hwr_core.ink.strokes import level, render_line
from hwr_core.recognizer import Recognizer
from training.data.datasets import iam_ondb, scans

Lines = list[tuple[Image.Image, str]]  # line images and their transcripts

# The names of the rows in docs/results/evaluation-text.json.
COPISTE = "Copiste, every eighth writer, French, pen on paper"
VAL_T = "IAM-OnDB val_t, English, drawn"
INK_SETS = {"IAM-OnDB val_v, English, drawn": "val_v", VAL_T: "val_t"}
SCAN_SETS = {
    COPISTE: "copiste",
    "DHSD, every eighth writer, German, pen on paper": "dhsd",
    "tables, every eighth page, French, 1903–12": "tables",
    "numbers, every eighth page, 19th–20th century": "numbers",
}
FIRST_SETS = (*INK_SETS, COPISTE)  # English and French sentences, the sets of the first checkpoints
ALL_SETS = (*INK_SETS, *SCAN_SETS)


def validation_lines(
    recognizer: Recognizer, limit: int | None = None, names: Sequence[str] = ALL_SETS
) -> dict[str, Lines]:
    """Loads validation sets.

    Args:
        recognizer: its `ink_height` and `ink_stroke_width` set how strokes are rendered, as in `read_ink`.
        limit: lines of each set, drawn at random; None for all.
        names: the sets, of `ALL_SETS`.

    Returns:
        Each set's line images with their transcripts. DHSD's images are stretched (`data.scans`).
    """
    found = lines_by_writer(recognizer, limit, names)
    return {name: [(image, text) for image, text, _ in lines] for name, lines in found.items()}


def lines_by_writer(
    recognizer: Recognizer, limit: int | None = None, names: Sequence[str] = ALL_SETS
) -> dict[str, list[tuple[Image.Image, str, str]]]:
    """As `validation_lines`, with who wrote each line. Of the tables and the numbers it is the page."""
    return {name: _ink(name, recognizer, limit) if name in INK_SETS else _scans(name, limit) for name in names}


def _ink(name: str, recognizer: Recognizer, limit: int | None) -> list[tuple[Image.Image, str, str]]:
    lines = chosen(iam_ondb(INK_SETS[name]), limit)
    return [(drawn(line.strokes, recognizer), line.text, str(line.writer)) for line in lines]


def _scans(name: str, limit: int | None) -> list[tuple[Image.Image, str, str]]:
    lines = chosen(scans(SCAN_SETS[name], "val"), limit)
    return [(Image.open(io.BytesIO(line.jpeg)), line.text, line.writer) for line in lines]


def drawn(strokes: list, recognizer: Recognizer) -> Image.Image:
    """Renders strokes as `read_ink` renders a line."""
    return render_line(level(strokes), recognizer.ink_height, recognizer.ink_stroke_width)


def chosen(lines: list, limit: int | None) -> list:
    """Draws `limit` of the lines at random, the same ones each time; all of them for None."""
    return lines if limit is None or limit >= len(lines) else random.Random(0).sample(lines, limit)
