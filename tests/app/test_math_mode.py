"""The Math mode on the shipped checkpoint: formulas drawn and boxed on photos, in AppTest and in a real browser."""

import re

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks.driving import canvas_box
from hwr_core import load_recognizer, read_ink
from hwr_core.decoding.latex import canonical
from hwr_core.ink.handprint import write, write_formula
from tests.support.app import draw_page, field, html_of, on_canvas
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
    assert field(app).value == QUADRATIC
    assert 'data-testid="latex"' in html_of(app)
    assert any(button.label.startswith("Use this") for button in app.button)


def test_a_correction_is_rendered_and_an_alternative_can_be_taken():
    app = on_canvas(in_math(draw_page()), write_formula()).run()
    field(app).set_value(r"\frac{1}{2}").run()
    assert app.latex[0].value.strip("$\n ") == r"\frac{1}{2}"
    assert any(caption.value == "Edited" for caption in app.caption) and r"\frac{1}{2}</div>" in html_of(app)
    other = app.latex[1].value.strip("$\n ")
    next(button for button in app.button if button.label.startswith("Use this")).click().run()
    assert app.latex[0].value.strip("$\n ") == field(app).value == other


def test_the_same_strokes_are_read_as_text_again_when_the_mode_is_text():
    app = on_canvas(in_math(draw_page()), write("x = 12")).run()
    assert app.latex
    app.session_state["mode"] = "Text"
    app.run()
    assert not app.exception and not app.latex and "12" in field(app).value


def test_an_empty_canvas_and_a_scribble_say_that_nothing_was_read():
    assert "Write a formula" in html_of(in_math(draw_page()).run())
    turns = np.linspace(0, 60, 400)
    scribble = np.stack([200 + 90 * np.cos(7 * turns) * np.sin(turns), 150 + 90 * np.sin(5 * turns)], 1)
    app = on_canvas(in_math(draw_page()), [scribble]).run()
    assert not app.exception
    assert "No formula was recognized" in html_of(app)


@pytest.mark.browser
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
    page.set_viewport_size({"width": 1280, "height": 800})
    page.get_by_role("button", name="Formats").click()
    formats = page.get_by_test_id("stPopoverBody")
    expect(formats.get_by_role("button", name="Word")).to_be_in_viewport(ratio=1)
    formats.get_by_role("button", name="Copy align*").click()
    expect(formats.get_by_role("button", name="Copied")).to_be_visible()
    page.close()
