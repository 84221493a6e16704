"""Both pages when the server is killed and started again on the same port."""

import re

import pytest
from playwright.sync_api import expect

from benchmarks.driving import PATIENCE, canvas_box, write_with_mouse
from tests.support.paths import SAMPLES
from tests.support.server import free_port, serving

pytestmark = pytest.mark.browser
TYPED = "To it, then!"  # while there is no server
KEPT = "localStorage['handwriting-recognition/{}']?.includes('{}')"


def test_after_the_server_is_killed_drawings_and_corrections_come_back(chromium, tmp_path):
    context, port = chromium.new_context(viewport={"width": 1280, "height": 900}), free_port()
    context.set_default_timeout(PATIENCE)
    draw, photo = context.new_page(), context.new_page()
    with serving(tmp_path, port=port) as (address, process):
        photo.goto(f"{address}/photo")
        upload(photo)
        photo.get_by_text("Correct", exact=True).first.click()
        photo.get_by_label("Line 5", exact=True).fill("Yours, Editha")
        photo.keyboard.press("Enter")
        photo.wait_for_function(KEPT.format("photo", "Editha"))
        draw.bring_to_front()  # Chromium draws pages behind it once a second, and the mouse waits for that
        draw.goto(address)
        write_cleared_and_corrected(draw)
        width = canvas_box(draw)["width"]
        process.kill()
        for page in (draw, photo):
            expect(page.get_by_role("status").filter(has_text="No connection to the server.")).to_be_visible()
        draw.get_by_role("textbox", name="Edit text").fill(TYPED)  # the next server gets it
        draw.keyboard.press("Tab")
    with serving(tmp_path, port=port):
        for page in (draw, photo):
            expect(page.get_by_text("No connection to the server.")).to_have_count(0)
        shows_all(draw, width)
        draw.reload()
        shows_all(draw, width)
        expect(photo.get_by_text("This browser keeps your corrections of letter.jpg.")).to_be_visible()
        upload(photo)
        expect(photo.get_by_test_id("lines")).to_contain_text("Yours, Editha")
    context.close()


def upload(page) -> None:
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(SAMPLES / "letter.jpg")
    page.locator(".viewer img").wait_for()


def write_cleared_and_corrected(page) -> None:
    """A drawing in the history, and another one whose text is corrected."""
    page.get_by_role("button", name="Try an example").click()
    page.get_by_test_id("reading").wait_for()
    page.get_by_role("button", name="Clear", exact=True).click()
    page.get_by_text("History").wait_for()
    write_with_mouse(page, "to it")
    page.get_by_test_id("reading").filter(has_text=re.compile("to it", re.IGNORECASE)).wait_for()
    page.get_by_role("textbox", name="Edit text").fill("To it!")
    page.keyboard.press("Tab")
    page.wait_for_function(KEPT.format("draw", "To it!"))


def shows_all(page, width: float) -> None:
    expect(page.get_by_test_id("reading")).to_contain_text(TYPED)
    expect(page.get_by_role("textbox", name="Edit text")).to_have_value(TYPED)
    expect(page.get_by_role("button", name="Open")).to_have_count(1)
    expect(page.get_by_text("see you at 7:30")).to_be_visible()
    page.wait_for_function(KEPT.format("draw", TYPED))
    page.wait_for_function(KEPT.format("draw-history", "see you"))
    page.wait_for_function("JSON.parse(localStorage['handwriting-recognition/draw']).strokes.length === 7")
    assert canvas_box(page)["width"] == width


def test_two_tabs_keep_each_its_drawing_and_together_their_history_and_corrections(chromium, tmp_path):
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(PATIENCE)
    with serving(tmp_path) as (address, _):
        first, second = context.new_page(), context.new_page()
        for page, text in ((first, "to it"), (second, "no")):
            page.bring_to_front()
            page.goto(address)
            page.locator("html[data-canvas-tools] canvas.upper-canvas").wait_for()
            page.wait_for_timeout(1000)
            if page is second:  # a new tab starts with what was stored last
                page.get_by_test_id("reading").filter(has_text="to it").wait_for()
                page.get_by_role("button", name="Clear", exact=True).click()
                page.get_by_text("Write a word or two").wait_for()
            write_with_mouse(page, text)
            page.get_by_test_id("reading").filter(has_text=text).wait_for()
        first.bring_to_front()
        first.reload()
        first.get_by_test_id("reading").filter(has_text="to it").wait_for()
        first.get_by_role("button", name="Clear", exact=True).click()
        first.get_by_text("Write a word or two").wait_for()
        second.bring_to_front()
        second.get_by_role("button", name="Clear", exact=True).click()
        second.get_by_text("Write a word or two").wait_for()
        history = "JSON.parse(localStorage['handwriting-recognition/draw-history']).map(({ text }) => text)"
        second.wait_for_function(f"['to it', 'no'].every((text) => {history}.includes(text))")
        corrected = {first: ("Line 1", "Dear Annika,"), second: ("Line 5", "Yours, Otto")}
        for page in corrected:
            page.bring_to_front()
            page.goto(f"{address}/photo")
            upload(page)
            page.get_by_text("Correct", exact=True).first.click()
        for page, (line, text) in corrected.items():
            page.bring_to_front()
            page.get_by_label(line, exact=True).fill(text)
            page.keyboard.press("Enter")
            page.wait_for_function(KEPT.format("photo", text))
        first.reload()
        upload(first)
        for _, text in corrected.values():
            expect(first.get_by_test_id("lines")).to_contain_text(text)
    context.close()
