"""Lines with their texts as a data set for training, in Hugging Face's `imagefolder` layout."""

import io
import json
import zipfile
from collections.abc import Mapping

import numpy as np
from PIL import Image

from hwr_core.export import FileNames, Pictures
from hwr_core.imaging.conversion import to_rgb
from hwr_core.layout.line_detection import cut_line
from hwr_core.reading import Page, PageName

METADATA = "metadata.jsonl"


def to_dataset(pages: Mapping[PageName, Page], pictures: Pictures[PageName], only_corrected: bool = False) -> bytes:
    """Packs the lines of pages, with their texts, as a data set in a ZIP.

    The ZIP has a PNG of each line, cut out of the photo in colour and levelled. `metadata.jsonl` has a row for each
    with `file_name`, `text`, `kind` ("text" or "formula") and `corrected`. Unpacked, the folder loads with
    `datasets.load_dataset("imagefolder", data_dir=…)`.

    Args:
        pages: the pages, each by its identity or the name of its picture. Lines without text are left out.
        pictures: functions that return the pages' upright pictures, by the same keys.
        only_corrected: whether to leave out lines that nobody corrected.

    Returns:
        The ZIP's bytes.

    Raises:
        ValueError: no line is left.
    """
    packed, rows = io.BytesIO(), []
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for (name, page), stem in zip(pages.items(), map(FileNames(""), pages), strict=True):
            chosen = [
                line for line in page.lines if line.reading.text.strip() and (line.corrected or not only_corrected)
            ]
            if not chosen:
                continue
            photo = np.asarray(to_rgb(pictures[name]()))
            for number, line in enumerate(chosen, 1):
                file = f"{stem}-{number:03d}.png"
                archive.writestr(file, _png(cut_line(photo, np.array(line.corners, float)).image))
                kind = "formula" if line.formula else "text"
                rows.append({"file_name": file, "text": line.reading.text, "kind": kind, "corrected": line.corrected})
        if not rows:
            raise ValueError("There is no line for the data set.")
        archive.writestr(METADATA, "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows))
    return packed.getvalue()


def _png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
