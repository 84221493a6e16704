"""The page viewer: the picture of a page with its lines and words, in which a person finds and edits them.

Its JavaScript is in `static/viewer_shapes.js`, `viewer_pointer.js` and `viewer.js`, which together are one module.
"""

import cv2
import numpy as np

from hwr_core.layout.regions import Region
from hwr_core.layout.words import words_of
from hwr_core.reading import Line, Page, Point, box_corners
from pages.shared.components import component
from pages.shared.doubt import unsure_words
from pages.shared.reading_view import percent
from pages.shared.streamlit_patches import media_path
from pages.workbench.edits import id_of, page_id
from pages.workbench.files import STATIC, Sheet
from pages.workbench.reading import Prepared, ReadSheet
from pages.workbench.state import PhotoState, Shown

VIEWER = "viewer"  # key of the component
RENAMED = 50  # changed ids of lines that the browser is told
SCRIPTS = ("viewer_shapes.js", "viewer_pointer.js", "viewer.js")

_viewer = component(
    "page_viewer",
    html="<div class='viewer'></div>",
    css=(STATIC / "viewer.css").read_text(encoding="utf-8"),
    js="\n".join((STATIC / name).read_text(encoding="utf-8") for name in SCRIPTS),
)


def show_viewer(
    state: PhotoState, sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page, cleaned: bool
) -> None:
    """Shows a page in the viewer.

    Args:
        state: The session.
        sheet: The page.
        prepared: The page with its pictures.
        read: The page as it was read.
        shown: The same with the person's corrections.
        cleaned: Whether to show the cleaned page in place of the photo.
    """
    page = state.page(sheet.key)
    width, height = prepared.view_size
    page.shown = Shown(read.layout, prepared.view_size, prepared.view_to_photo, prepared.draft.turn)
    onto_view = np.linalg.inv(prepared.view_to_photo)
    data = {
        "page": page_id(sheet.key),
        "picture": media_path(prepared.cleaned if cleaned else prepared.view, "image/jpeg", "viewer"),
        "alt": f"{sheet.page_id.title}{', cleaned' if cleaned else ''}, with {len(shown.lines)} lines outlined",
        "width": width,
        "height": height,
        "regions": _regions(read, onto_view),
        "lines": [_line(line, onto_view) for line in shown.lines],
        "unread": [_corners(box_corners(box), onto_view) for box in shown.unread],
        "applied": state.edits,
        "renamed": dict(list(page.renamed.items())[-RENAMED:]),
        "undo": bool(page.undo_stack),
        "own": page.regions is not None,
    }
    _viewer(key=VIEWER, data=data, on_edits_change=lambda: None)


def _regions(read: ReadSheet, onto_view: np.ndarray) -> list[dict]:
    places = {region: place for place, region in enumerate(read.regions)}
    return [
        {
            "id": id_of(region),
            "corners": _corners(region.outline, onto_view),
            "formula": _is_formula(region, read, places),
            "line": places.get(region),
        }
        for region in read.layout
    ]


def _is_formula(region: Region, read: ReadSheet, places: dict[Region, int]) -> bool:
    return region.formula or (region in places and read.page.lines[places[region]].formula)


def _line(line: Line, onto_view: np.ndarray) -> dict:
    return {
        "corrected": line.corrected,
        "remark": "corrected" if line.corrected else f"{percent(line.reading.confidence)} sure",
        "words": [
            {
                "text": word.text,
                "corners": _corners(word.corners, onto_view),
                "doubtful": unsure,
                "remark": "corrected" if line.corrected else f"{percent(word.confidence)} sure",
            }
            for word, unsure in zip(words_of(line), unsure_words(line), strict=True)
        ],
    }


def _corners(corners: tuple[Point, ...], onto_view: np.ndarray) -> list[list[float]]:
    return cv2.perspectiveTransform(np.array(corners, float)[None], onto_view)[0].round(1).tolist()
