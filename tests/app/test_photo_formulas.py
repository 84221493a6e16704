"""A formula on a photo, in a box that a person draws round it."""

import cv2
import numpy as np
from PIL import Image

from hwr_core.ink.formula import render_formula
from hwr_core.ink.handprint import write, write_formula
from hwr_core.ink.strokes import render_line
from tests.app.test_photo_page import edit
from tests.support.app import pages_read, photo_page, png, upload

TEXT = (60, 40, 640, 140)  # left, top, right, bottom of the text on the page
FORMULA = (120, 260, 700, 470)  # and of the formula


def test_a_formula_in_a_drawn_box_is_read_rendered_and_counted_as_one():
    sheet = Image.new("L", (1000, 560), 255)
    for picture, (left, top, right, bottom) in (
        (render_line(write("good morning"), 96, 5), TEXT),
        (render_formula(write_formula()), FORMULA),
    ):
        picture.thumbnail((right - left, bottom - top))
        sheet.paste(picture.convert("L"), (left, top))
    app = upload(photo_page().run(), ("page.png", png(sheet)))
    state = app.session_state["photo"]
    shown = state.page(state.current).shown
    left, top, right, bottom = FORMULA
    corners = np.array(
        [[(left - 20, top - 20), (right + 20, top - 20), (right + 20, bottom + 20), (left - 20, bottom + 20)]], float
    )
    onto_view = cv2.perspectiveTransform(corners, np.linalg.inv(shown.view_to_photo))[0]
    edit(app, {"op": "draw", "id": "new", "corners": onto_view.tolist(), "formula": True})
    assert not app.exception
    (page,) = pages_read(app).values()
    assert [(line.reading.text, line.formula) for line in page.lines] == [
        ("good morning", False),
        (r"x=\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}", True),
    ]
    assert [latex.value.strip("$\n ") for latex in app.latex] == [page.lines[1].reading.text]
