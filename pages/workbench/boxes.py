"""The page with the boxes of its lines: as a picture, or as a canvas for moving, deleting and drawing boxes."""

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
from hwr_core.reading import Line, Page, box_corners
from pages.shared.components import column_width
from pages.shared.reading_view import DOUBTFUL
from pages.workbench.files import Sheet
from pages.workbench.reading import Prepared, layout_of
from pages.workbench.state import PageState, photo_state

BLUE, RED, GREEN, AMBER = (43, 74, 203), (214, 69, 61), (30, 132, 80), (199, 119, 0)
BOX_COLOUR, BOX_FILL = "#2b4acb", "rgba(43, 74, 203, 0.06)"
TEXT = "text"
LABEL = 11  # pixels of a label's letters
MARK = 0.25  # opacity of the mark on an unsure word
CANVAS_WIDTH, MOST_WIDTH, MOST_HEIGHT = 900, 1100, 900  # pixels: until the column's is known, and at most
JPEG_QUALITY = 82  # of 100
HELP = (
    "Draw a box around a line with the mouse. It replaces the boxes inside it. Choose the pencil in the toolbar to "
    "move, resize or delete a box. A second click on a box renames it; the name “formula” makes it a formula. "
    "On a touch screen, use “…” beside each line under Correct."
)


def with_boxes(prepared: Prepared, page: Page) -> Image.Image:
    """The page with its lines outlined and numbered, unsure words marked, and unread ink framed in amber."""
    canvas = prepared.view.copy()
    from_photo = np.linalg.inv(prepared.view_to_photo)
    marks = canvas.copy()
    size = max(0.4, min(1.0, max(canvas.shape) / 1500))
    for number, line in enumerate(page.lines, 1):
        corners = _on_view(line.corners, from_photo)
        cv2.polylines(canvas, [corners], True, GREEN if line.corrected else BLUE, 2, cv2.LINE_AA)
        for corners_of_word in _unsure_words(line):
            cv2.fillPoly(marks, [_on_view(corners_of_word, from_photo)], RED, cv2.LINE_AA)
        left, bottom = corners[3].tolist()
        beside = (max(0, left - round(26 * size)), bottom)
        cv2.putText(canvas, str(number), beside, cv2.FONT_HERSHEY_DUPLEX, 0.9 * size, RED, 2, cv2.LINE_AA)
    for box in page.unread:
        cv2.polylines(canvas, [_on_view(box_corners(box), from_photo)], True, AMBER, 2, cv2.LINE_AA)
    untouched = (canvas == prepared.view).all(2) & (marks != prepared.view).any(2)
    canvas[untouched] = ((1 - MARK) * canvas[untouched] + MARK * marks[untouched]).astype(np.uint8)
    return Image.fromarray(canvas)


def edit_boxes(sheet: Sheet, prepared: Prepared) -> None:
    """Shows the page as a canvas. Changes there become the page's layout."""
    state = photo_state()
    page = state.page(sheet.key)
    kind = _box_tools(page)
    width = min(column_width(CANVAS_WIDTH), MOST_WIDTH)
    scale = width / prepared.view.shape[1]
    height = round(prepared.view.shape[0] * scale)
    shown = (sheet.key, width, prepared.view_to_photo.tobytes())
    if state.canvas_shown != shown:  # another canvas: it must not inherit the changes of the earlier one
        state.canvas_shown = shown
        page.renew_canvas()
    start = _start(page, sheet, prepared)
    onto_photo = prepared.view_to_photo @ np.diag([1 / scale, 1 / scale, 1.0])
    boxes = [box_on(region, onto_photo) for region in start]
    key = f"boxes-{page.canvas}-{hashlib.blake2b(repr((sheet.key, boxes)).encode(), digest_size=8).hexdigest()}"

    def changed() -> None:
        objects = ((st.session_state.get(key) or {}).get("drawing") or {}).get("raw", {}).get("objects", [])
        drawn = labelled_boxes_of(objects)
        regions = regions_drawn(drawn, start, boxes, onto_photo, (width, height))
        if len(regions) < len(drawn):  # a box replaces others, which the canvas must lose
            page.with_regions(regions)
        elif regions != layout_of(sheet, prepared):
            page.regions = regions

    st_canvas(
        drawing_mode="labeled_rect",
        label=kind,
        stroke_width=2,
        stroke_color=BOX_COLOUR,
        fill_color=BOX_FILL,
        font_size=LABEL,
        background_image=_data_url(prepared.view),
        width=width,
        height=height,
        max_display_height=MOST_HEIGHT,
        initial_drawing=_drawing(start, boxes),
        key=key,
        on_change=changed,
    )


def _box_tools(page: PageState) -> str:
    """What new boxes are, the way back, and the help. Returns the kind of new boxes."""
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
        if page.regions is not None:
            st.button(
                "Reset to detected lines",
                key="as_found",
                icon=":material/undo:",
                on_click=page.with_regions,
                args=(None,),
                type="tertiary",
            )
        st.caption(HELP)
    return kind


def _drawing(start: tuple[Region, ...], boxes: list[tuple[int, int, int, int]]) -> dict:
    """The boxes as the canvas takes them, labelled with their numbers."""
    labelled = [
        {
            "label": f"{number} {FORMULA}" if region.formula else str(number),
            "left": left,
            "top": top,
            "width": right - left,
            "height": bottom - top,
        }
        for number, (region, (left, top, right, bottom)) in enumerate(zip(start, boxes, strict=True), 1)
    ]
    drawing = boxes_to_drawing(labelled, stroke_color=BOX_COLOUR, stroke_width=2, fill_color=BOX_FILL)
    for item in drawing["objects"]:
        item["fontSize"] = LABEL
    return drawing


def _start(page: PageState, sheet: Sheet, prepared: Prepared) -> tuple[Region, ...]:
    """The lines when the canvas was made. The canvas's own changes must not make another canvas."""
    canvas, regions = page.canvas_start
    if canvas != page.canvas or (page.regions is None and regions != prepared.draft.found_regions):
        regions = layout_of(sheet, prepared)
        page.canvas_start = (page.canvas, regions)
    return regions


def _unsure_words(line: Line) -> list[tuple[tuple[int, int], ...]]:
    """The corners of the words with a doubtful character. Corrected lines have none."""
    words = [] if line.corrected else words_of(line)
    return [word.corners for word in words if min(word.character_confidences, default=1.0) < DOUBTFUL]


def _on_view(corners: tuple[tuple[int, int], ...], from_photo: np.ndarray) -> np.ndarray:
    return cv2.perspectiveTransform(np.array(corners, float)[None], from_photo)[0].round().astype(np.int32)


def _data_url(picture: np.ndarray) -> str:
    """As JPEG: a picture object would be sent as PNG, and be kept by the component for all sessions."""
    _, packed = cv2.imencode(".jpg", picture[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, JPEG_QUALITY])
    return "data:image/jpeg;base64," + base64.b64encode(packed.tobytes()).decode()
