"""The page on the desk with its lines' boxes: shown, or on a canvas where they are moved, deleted and drawn."""

import base64
import hashlib

import cv2
import numpy as np
import streamlit as st
from PIL import Image
from streamlit_drawable_canvas import boxes_to_drawing, st_canvas

from hwr_core.ink.canvas import labelled_boxes_of
from hwr_core.layout.regions import FORMULA, Region, box_on, regions_drawn
from hwr_core.layout.words import words_of
from hwr_core.reading import Page
from pages.common import DOUBTFUL, column_width
from pages.workbench.files import Sheet
from pages.workbench.reading import Prepared, layout_of, layouts

BLUE, RED, GREEN = (43, 74, 203), (214, 69, 61), (30, 132, 80)
TEXT = "text"
LABEL = 11  # pixels of a label's letters


def with_boxes(prepared: Prepared, page: Page) -> Image.Image:
    """The page with its lines outlined and numbered, and unsure words marked."""
    canvas = prepared.view.copy()
    from_photo = np.linalg.inv(prepared.view_to_photo)
    marks = canvas.copy()
    size = max(0.4, min(1.0, max(canvas.shape) / 1500))
    for number, line in enumerate(page.lines, 1):
        colour = GREEN if line.corrected else BLUE
        corners = cv2.perspectiveTransform(np.array(line.corners, float)[None], from_photo)[0]
        cv2.polylines(canvas, [corners.round().astype(np.int32)], True, colour, 2, cv2.LINE_AA)
        for word in [] if line.corrected else words_of(line):
            if word.character_confidences and min(word.character_confidences) < DOUBTFUL:
                outline = cv2.perspectiveTransform(np.array(word.corners, float)[None], from_photo)[0]
                cv2.fillPoly(marks, [outline.round().astype(np.int32)], RED, cv2.LINE_AA)
        left, bottom = corners[3].round().astype(int).tolist()
        cv2.putText(
            canvas,
            str(number),
            (max(0, left - round(26 * size)), bottom),
            cv2.FONT_HERSHEY_DUPLEX,
            0.9 * size,
            RED,
            2,
            cv2.LINE_AA,
        )
    untouched = (canvas == prepared.view).all(2) & (marks != prepared.view).any(2)
    canvas[untouched] = (0.75 * canvas[untouched] + 0.25 * marks[untouched]).astype(np.uint8)
    return Image.fromarray(canvas)


def edit_boxes(sheet: Sheet, prepared: Prepared) -> None:
    """The page as a canvas. What is changed there becomes the sheet's layout."""
    with st.container(horizontal=True, vertical_alignment="center"):
        kind = st.segmented_control(
            "New boxes are",
            [TEXT, FORMULA],
            default=TEXT,
            required=True,
            key="kind",
            format_func=str.capitalize,
            label_visibility="collapsed",
        )
        if sheet.key in layouts():
            st.button(
                "Back to the lines as found",
                key="as_found",
                icon=":material/undo:",
                on_click=restore,
                args=(sheet,),
                type="tertiary",
            )
        st.caption(
            "Draw a box round a line with the mouse; it takes the place of boxes in it. With the toolbar's pencil, a click picks a box, to be moved, stretched or deleted; "
            "a second click relabels it: “formula” makes it one. On a touch screen, “…” beside each line under Correct deletes, joins and moves them up and down."
        )
    width = min(column_width(900), 1100)
    scale = width / prepared.view.shape[1]
    height = round(prepared.view.shape[0] * scale)
    shown = (sheet.key, width, prepared.view_to_photo.tobytes())
    if (
        st.session_state.get("canvas_shown") != shown
    ):  # another canvas, which must not start from what an earlier one did
        st.session_state.canvas_shown = shown
        renew(sheet)
    start = _start(sheet, prepared)
    onto_photo = prepared.view_to_photo @ np.diag([1 / scale, 1 / scale, 1.0])
    boxes = [box_on(region, onto_photo) for region in start]
    drawing = boxes_to_drawing(
        [
            {"label": _label(number, region), "left": left, "top": top, "width": right - left, "height": bottom - top}
            for number, (region, (left, top, right, bottom)) in enumerate(zip(start, boxes, strict=True), 1)
        ],
        stroke_color="#2b4acb", stroke_width=2, fill_color="rgba(43, 74, 203, 0.06)",
    )  # fmt: skip
    for item in drawing["objects"]:
        item["fontSize"] = LABEL
    key = f"boxes-{_version(sheet)}-{hashlib.blake2b(repr((sheet.key, boxes)).encode(), digest_size=8).hexdigest()}"

    def changed() -> None:
        objects = ((st.session_state.get(key) or {}).get("drawing") or {}).get("raw", {}).get("objects", [])
        drawn = labelled_boxes_of(objects)
        regions = regions_drawn(drawn, start, boxes, onto_photo, (width, height))
        if len(regions) < len(drawn):  # a box in the place of others, which the canvas must lose
            layouts()[sheet.key] = regions
            renew(sheet)
        elif regions != layout_of(sheet, prepared):
            layouts()[sheet.key] = regions

    st_canvas(
        drawing_mode="labeled_rect", label=kind, stroke_width=2, stroke_color="#2b4acb", fill_color="rgba(43, 74, 203, 0.06)", font_size=LABEL,
        background_image=_data_url(prepared.view), width=width, height=height, max_display_height=900,
        initial_drawing=drawing, key=key, on_change=changed,
    )  # fmt: skip


def _data_url(picture: np.ndarray) -> str:
    """As JPEG: a picture object would be sent as PNG, and be kept by the component for all sessions."""
    _, packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, 82])
    return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode()


def restore(sheet: Sheet) -> None:
    layouts().pop(sheet.key, None)
    renew(sheet)


def renew(sheet: Sheet) -> None:
    """The canvas starts from the layout as it now is, which something else than the canvas changed."""
    versions = st.session_state.setdefault("canvas_versions", {})
    versions[sheet.key] = versions.get(sheet.key, 0) + 1


def _version(sheet: Sheet) -> int:
    return st.session_state.get("canvas_versions", {}).get(sheet.key, 0)


def _start(sheet: Sheet, prepared: Prepared) -> tuple[Region, ...]:
    """The layout when the canvas was made: the canvas's own changes must not remake it."""
    starts = st.session_state.setdefault("canvas_starts", {})
    version, regions = starts.get(sheet.key, (None, ()))
    if version != _version(sheet) or (sheet.key not in layouts() and regions != prepared.regions):
        regions = layout_of(sheet, prepared)
        starts[sheet.key] = (_version(sheet), regions)
    return regions


def _label(number: int, region: Region) -> str:
    return f"{number} {FORMULA}" if region.formula else str(number)
