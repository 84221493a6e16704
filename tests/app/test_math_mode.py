"""The Math mode on the shipped checkpoint: formulas drawn and boxed on photos, in AppTest and in a real browser."""

import io
import re

import numpy as np
import pytest
from PIL import Image, ImageOps

from benchmarks.driving import canvas_box
from hwr_core import load_recognizer, read_ink
from hwr_core.decoding.latex import canonical
from hwr_core.ink.formula import render_formula
from hwr_core.ink.handprint import write, write_formula
from tests.support.app import draw_page, html_of, on_canvas
from training.evaluation.drawn.formulas import formulas

QUADRATIC = r"x=\frac{-b\pm\sqrt{b^{2}-4ac}}{2a}"
PATIENCE = 60_000  # milliseconds


@pytest.fixture(scope="module")
def math():
    return load_recognizer("math")


def in_math(app):
    app.session_state["mode"] = "Math"
    return app


def test_the_solutions_of_a_quadratic_equation_are_read(math):
    assert read_ink(write_formula(), math).text == QUADRATIC


def test_most_of_what_people_try_first_is_read_right(math):
    # `python -m training.evaluate math` prints the share; this notices when it breaks.
    chosen = formulas()[::6]
    right = sum(canonical(read_ink(formula.strokes, math).text) == formula.tokens for formula in chosen)
    assert right >= 0.7 * len(chosen)


def test_a_formula_on_the_canvas_is_rendered_with_its_source_and_alternatives():
    app = on_canvas(in_math(draw_page()), write_formula()).run()
    assert not app.exception
    assert app.latex[0].value.strip("$\n ") == QUADRATIC
    assert app.text_area[0].value == QUADRATIC
    assert 'data-testid="latex"' in html_of(app)
    assert any(button.label.startswith("Use this") for button in app.button)


def test_a_correction_is_rendered_and_an_alternative_can_be_taken():
    app = on_canvas(in_math(draw_page()), write_formula()).run()
    app.text_area[0].set_value(r"\frac{1}{2}").run()
    assert app.latex[0].value.strip("$\n ") == r"\frac{1}{2}"
    assert any(caption.value == "Edited" for caption in app.caption) and r"\frac{1}{2}</div>" in html_of(app)
    other = app.latex[1].value.strip("$\n ")
    next(button for button in app.button if button.label.startswith("Use this")).click().run()
    assert app.latex[0].value.strip("$\n ") == app.text_area[0].value == other


def test_the_same_strokes_are_read_as_text_again_when_the_mode_is_text():
    app = on_canvas(in_math(draw_page()), write("x = 12")).run()
    assert app.latex
    app.session_state["mode"] = "Text"
    app.run()
    assert not app.exception and not app.latex and "12" in app.text_area[0].value


def test_an_empty_canvas_and_a_scribble_say_that_nothing_was_read():
    assert "Write a formula" in html_of(in_math(draw_page()).run())
    turns = np.linspace(0, 60, 400)
    scribble = np.stack([200 + 90 * np.cos(7 * turns) * np.sin(turns), 150 + 90 * np.sin(5 * turns)], 1)
    app = on_canvas(in_math(draw_page()), [scribble]).run()
    assert not app.exception
    assert "No formula was recognized" in html_of(app)


@pytest.mark.browser
def test_a_formula_drawn_with_the_mouse_is_rendered(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1280, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.get_by_text("Math", exact=True).click()
    page.get_by_text("Write a formula").wait_for()
    box = canvas_box(page)
    strokes = write_formula()
    scale = 0.7 * box["height"] / np.concatenate(strokes)[:, 1].max()
    for stroke in strokes:
        points = stroke * scale + (box["x"] + 60, box["y"] + 40)
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y)
            page.wait_for_timeout(8)
        page.mouse.up()
    page.get_by_test_id("latex").filter(has_text=re.compile(r"\\frac.*\\sqrt")).wait_for()
    assert page.locator(".katex .sqrt").count() >= 1
    assert page.locator(".katex-error").count() == 0
    page.close()


@pytest.mark.browser
def test_a_box_round_a_formula_on_a_photo_is_read(chromium, app_address):
    photo = Image.new("RGB", (1000, 800), (238, 235, 226))
    formula = render_formula(write_formula(), 60, 5)
    photo.paste((30, 30, 60), (150, 300), ImageOps.invert(formula.convert("L")))
    buffer = io.BytesIO()
    photo.save(buffer, "PNG")
    page = chromium.new_page(viewport={"width": 1360, "height": 1200})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.locator("input[type=file]").first.set_input_files(
        {"name": "notes.png", "mimeType": "image/png", "buffer": buffer.getvalue()}
    )
    page.get_by_text("Edit line boxes").click()
    page.get_by_text("Formula", exact=True).click()
    page.locator("canvas.upper-canvas").wait_for()
    page.wait_for_timeout(2000)
    canvas = page.locator("canvas.upper-canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.evaluate("""() => {
        window.mostPages = 0;
        const count = () => { window.mostPages = Math.max(window.mostPages, [...document.querySelectorAll("h3")].filter((heading) => /\\d line/.test(heading.textContent)).length); };
        new MutationObserver(count).observe(document.body, { childList: true, subtree: true });
    }""")
    # The canvas shows the page as it is read: cropped to the ink.
    page.mouse.move(box["x"] + 0.01 * box["width"], box["y"] + 0.02 * box["height"])
    page.mouse.down()
    page.mouse.move(box["x"] + 0.5 * box["width"], box["y"] + 0.5 * box["height"], steps=5)
    page.mouse.move(box["x"] + 0.99 * box["width"], box["y"] + 0.98 * box["height"], steps=5)
    page.mouse.up()
    page.get_by_role("heading", name=re.compile("^1 line$")).wait_for()  # in the place of the pieces that were found
    page.get_by_test_id("lines").filter(has_text=re.compile(r"\\frac.*\\sqrt")).wait_for()
    page.locator(".katex .sqrt").wait_for()
    assert page.evaluate("window.mostPages") == 1  # never the old and the new page side by side
    page.close()
