"""Lines with their texts as a data set to train on: Hugging Face's `imagefolder` layout, in a ZIP."""

import io
import json
import zipfile
from collections.abc import Callable, Mapping

import numpy as np
from PIL import Image

from hwr_core.export import FileNames
from hwr_core.imaging.line_image import to_rgb
from hwr_core.layout.line_detection import cut_line
from hwr_core.reading import Page

METADATA = "metadata.jsonl"


def to_dataset(
    pages: Mapping[str, Page], pictures: Mapping[str, Callable[[], Image.Image]], only_corrected: bool = False
) -> bytes:
    """A PNG of each line as it is on the photo, in its colours, levelled, and `metadata.jsonl` with `file_name`, `text`, `kind` (text or
    formula) and `corrected`. `only_corrected` leaves out the lines that no person changed. ValueError where no line is left.

    `datasets.load_dataset("imagefolder", data_dir=…)` reads the unpacked folder.
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
