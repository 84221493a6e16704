"""The Photo page in headless Chromium: the result first, the page viewer, its edits, and the keys between the fields."""

import re

import pytest
from playwright.sync_api import Page, expect

from benchmarks.driving import PATIENCE
from tests.support.axe import serious
from tests.support.paths import SAMPLES
from tests.support.touch import eventually, fingers, swipe

pytestmark = pytest.mark.browser
PREFIX = "handwriting-recognition/"  # of the names in the browser's storage
DESKTOPS = {"1280": (1280, 800), "1440": (1440, 900), "1920": (1920, 1080)}


@pytest.fixture(scope="module")
def desktop(chromium, app_address):
    """A window with the letter, for the tests of this file one after the other."""
    page = opened(chromium.new_context(viewport={"width": 1280, "height": 800}), app_address)
    yield page
    page.context.close()


@pytest.fixture(scope="module")
def phone(chromium, app_address):
    context = chromium.new_context(viewport={"width": 400, "height": 850}, has_touch=True, is_mobile=True)
    page = opened(context, app_address)
    yield page
    context.close()


def opened(context, address: str) -> Page:
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{address}/photo")
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(str(SAMPLES / "letter.jpg"))
    lines(page, "Martha").wait_for()
    page.locator(".viewer .word").nth(20).wait_for(state="attached")
    return page


def lines(page: Page, contains: str = ""):
    return page.get_by_test_id("lines").filter(has_text=re.compile(contains, re.DOTALL))


def at(page: Page, across: float, down: float) -> tuple[float, float]:
    """A place on the picture, as shares of its size."""
    box = page.locator(".frame").bounding_box()
    return box["x"] + across * box["width"], box["y"] + down * box["height"]


def drag(page: Page, *places: tuple[float, float]) -> None:
    page.mouse.move(*at(page, *places[0]))
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*at(page, *place), steps=4)
    page.mouse.up()


def scale(page: Page) -> float:
    return page.locator(".stage").evaluate("stage => stage.getBoundingClientRect().width / stage.offsetWidth")


def outlines(page: Page) -> int:
    return page.locator(".viewer .line").count()


def test_the_first_line_is_on_the_first_screen(desktop, phone):
    for width, height in DESKTOPS.values():
        desktop.set_viewport_size({"width": width, "height": height})
        desktop.wait_for_timeout(300)
        assert lines(desktop).bounding_box()["y"] < 400
        assert desktop.locator(".frame").bounding_box()["y"] < 300
    desktop.set_viewport_size({"width": 1280, "height": 800})
    box = lines(phone).bounding_box()
    assert box["y"] < 800 and box["x"] >= 0 and box["x"] + box["width"] <= 400
    assert phone.evaluate("document.scrollingElement.scrollWidth") <= 400


def test_a_word_leads_from_the_picture_to_the_text_and_back(desktop):
    desktop.mouse.click(*at(desktop, 0.66, 0.34))
    expect(desktop.locator(".lines .active[data-word]")).to_have_text("evening")
    expect(desktop.locator(".status")).to_contain_text("“evening”")
    lines(desktop).get_by_text("roses").click()
    expect(desktop.locator(".status")).to_contain_text("Line 4: “roses.”")
    expect(desktop.locator(".viewer .word.active")).to_have_count(1)


def test_the_page_is_zoomed_with_the_wheel_and_the_keys_and_covers_the_screen(desktop):
    whole = scale(desktop)
    desktop.mouse.move(*at(desktop, 0.5, 0.5))
    desktop.mouse.wheel(0, -500)
    expect(desktop.locator(".frame")).to_have_class(re.compile("zoomed"))
    assert eventually(desktop, lambda: scale(desktop) > 1.5 * whole)
    desktop.get_by_role("button", name="Full screen").click()
    box = desktop.locator(".viewer").bounding_box()
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1280, 800)
    assert desktop.evaluate("document.elementFromPoint(50, 400).shadowRoot !== null"), "the sidebar is covered"
    desktop.keyboard.press("Escape")
    desktop.keyboard.press("0")
    expect(desktop.locator(".frame")).not_to_have_class(re.compile("zoomed"))
    assert scale(desktop) == pytest.approx(whole)
    desktop.keyboard.press("+")
    assert eventually(desktop, lambda: scale(desktop) > whole)
    desktop.keyboard.press("0")


def test_lines_are_drawn_merged_deleted_and_brought_back_with_the_mouse_and_keys(desktop):
    desktop.get_by_role("button", name="Edit lines").click()
    drag(desktop, (0.5, 0.26), (0.7, 0.34), (0.98, 0.43))  # round the second half of the second line
    lines(desktop, "after a long.*after a long").wait_for()
    assert outlines(desktop) == 6
    desktop.keyboard.press("Delete")
    expect(desktop.locator(".viewer .line")).to_have_count(5)
    desktop.mouse.click(*at(desktop, 0.2, 0.86))
    desktop.get_by_role("button", name="Move up in the order").click()
    lines(desktop, "Yours, Edith.*full of roses").wait_for()
    desktop.keyboard.press("Control+z")
    lines(desktop, "full of roses.*Yours, Edith").wait_for()
    desktop.get_by_role("button", name="Treat as formula").click()
    expect(desktop.locator(".viewer .line.formula")).to_have_count(1)
    desktop.get_by_role("button", name="Reset to detected lines").click()
    expect(desktop.locator(".viewer .line.formula")).to_have_count(0)
    desktop.get_by_role("button", name="Edit lines").click()


def test_a_line_is_drawn_moved_and_resized_with_a_finger(phone):
    def width() -> float:
        return phone.locator(".viewer .line.active").evaluate("line => line.getBBox().width")

    phone.get_by_role("button", name="Edit lines").tap()
    swipe(phone, at(phone, 0.5, 0.26), at(phone, 0.8, 0.43))
    expect(phone.locator(".viewer .line")).to_have_count(6)
    before = width()
    swipe(phone, at(phone, 0.8, 0.345), at(phone, 0.98, 0.345))  # by the handle at its right end
    lines(phone, "after a long.*after a long").wait_for()
    assert eventually(phone, lambda: width() > 1.4 * before)
    phone.get_by_role("button", name="Delete line").tap()
    expect(phone.locator(".viewer .line")).to_have_count(5)
    phone.get_by_role("button", name="Edit lines").tap()
    whole = scale(phone)
    touch = fingers(phone)
    for kind, left in (("touchStart", 0.4), ("touchMove", 0.3), ("touchMove", 0.2)):
        touch(kind, at(phone, left, 0.5), at(phone, 1 - left, 0.5))
    touch("touchEnd")
    assert eventually(phone, lambda: scale(phone) > 2 * whole), "two fingers zoom"


def test_keys_lead_from_field_to_field_and_a_correction_is_undone(desktop):
    desktop.get_by_text("Correct", exact=True).click()
    first, second = (desktop.get_by_label(f"Line {number}", exact=True) for number in (1, 2))
    tops = [field.bounding_box()["y"] for field in (first, second)]
    assert tops[0] + 25 * (tops[1] - tops[0]) <= 2 * 800, "25 lines on two screens"
    first.click()
    first.press("End")
    desktop.keyboard.type("!")
    desktop.keyboard.press("Enter")
    expect(second).to_be_focused()
    desktop.get_by_role("button", name="Undo", exact=True).first.wait_for()
    expect(second).to_be_focused()
    assert desktop.locator(".viewer .line.active").get_attribute("data-place") == "1"
    desktop.keyboard.press("ArrowDown")
    expect(desktop.get_by_label("Line 3", exact=True)).to_be_focused()
    desktop.mouse.click(*at(desktop, 0.2, 0.86))
    expect(desktop.get_by_label("Line 5", exact=True)).to_be_focused()
    desktop.get_by_role("button", name="Undo", exact=True).first.click()
    expect(first.first).to_have_value("Dear Martha,")  # while the field is replaced there are two
    desktop.wait_for_function(f"!localStorage.getItem('{PREFIX}photo-typed')")
    desktop.get_by_text("Text", exact=True).click()


@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_axe_finds_nothing_serious_in_light_and_dark(request, window):
    page = request.getfixturevalue(window)
    for scheme, paper in (("light", "rgb(251, 250, 246)"), ("dark", "rgb(20, 24, 39)")):
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
        page.get_by_text("Correct", exact=True).click()
        page.get_by_label("Line 1", exact=True).wait_for()
        assert not serious(page), scheme
        if window == "phone":
            page.get_by_role("button", name="More options for line 1").tap()
            page.get_by_role("dialog", name="More options for line 1").get_by_text("Treat as formula").wait_for()
            assert not serious(page), scheme
            page.keyboard.press("Escape")
        page.get_by_text("Text", exact=True).click()
        lines(page).wait_for()
        assert not serious(page), scheme
    page.emulate_media(color_scheme="light")


def test_corrections_and_the_text_being_typed_come_back_when_the_file_is_chosen_again(chromium, app_address):
    page = opened(chromium.new_context(viewport={"width": 1280, "height": 800}), app_address)
    asked = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.get_by_text("Correct", exact=True).click()
    page.get_by_label("Line 5", exact=True).fill("Yours, Editha")
    page.keyboard.press("Enter")
    stored(page, "photo", "Editha")
    page.get_by_label("Line 1", exact=True).fill("Dear Marthe")
    stored(page, "photo-typed", "Marthe")
    page.reload()
    assert asked == ["beforeunload"]
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(str(SAMPLES / "letter.jpg"))
    lines(page, "Marthe.*Yours, Editha").wait_for()
    stored(page, "photo", "Marthe")
    assert names(page) == {"photo", "words"}, "now it is one of the corrections"
    page.context.close()


def test_nothing_is_stored_once_that_is_switched_off_and_forget_counts_once(chromium, app_address):
    page = opened(chromium.new_context(viewport={"width": 1280, "height": 800}), app_address)
    page.get_by_role("button", name="Forget").click()
    page.get_by_text("Drop pictures or PDFs").wait_for()
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(str(SAMPLES / "letter.jpg"))
    lines(page, "Martha").wait_for()
    page.get_by_text("Correct", exact=True).click()
    page.get_by_label("Line 5", exact=True).fill("Yours, Editha")
    page.keyboard.press("Enter")
    stored(page, "photo", "Editha")
    page.get_by_role("link", name="Draw").click()
    stored(page, "draw", "strokes")
    assert {"photo", "words"} <= names(page), "Forget was pressed before"
    page.get_by_role("link", name="Photo").click()
    lines(page, "Yours, Editha").wait_for()
    page.get_by_text("Keep my work in this browser").click()
    stored(page, "keep", "false")
    page.get_by_text("Correct", exact=True).click()
    page.get_by_label("Line 1", exact=True).fill("Dear Marthe")
    expect(page.get_by_label("Line 1", exact=True)).to_have_value("Dear Marthe")
    assert eventually(page, lambda: not names(page) & {"photo", "photo-typed"}), names(page)
    page.context.close()


def stored(page: Page, slot: str, text: str) -> None:
    """Waits until the browser's storage has a text in a slot."""
    arguments = [PREFIX + slot, text]
    page.wait_for_function("([slot, text]) => localStorage.getItem(slot)?.includes(text)", arg=arguments)


def names(page: Page) -> set[str]:
    """The names of the slots of the browser's storage that are not empty."""
    keys = page.evaluate("Object.keys(localStorage)")
    return {key.removeprefix(PREFIX) for key in keys if key.startswith(PREFIX)}


def test_files_that_the_uploader_refuses_get_a_sentence_and_the_others_are_read(chromium, app_address, tmp_path):
    large, notes = tmp_path / "large.tif", tmp_path / "notes.txt"
    with large.open("wb") as file:
        file.truncate(64_000_001)
    notes.write_text("typed")
    context = chromium.new_context(viewport={"width": 400, "height": 850}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    uploader = page.locator("[data-testid=stFileUploader] input[type=file]").first
    too_large = page.get_by_text("large.tif is larger than 64 MB: save it smaller, or split it.")
    uploader.set_input_files([large, notes])
    expect(too_large).to_be_in_viewport(ratio=1)
    expect(page.get_by_text("notes.txt is not a picture that can be opened: use PNG,")).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Dismiss").tap()
    expect(too_large).to_have_count(0)
    uploader.set_input_files([large, SAMPLES / "letter.jpg", notes])
    lines(page, "Martha").wait_for()
    expect(too_large).to_be_in_viewport(ratio=1)
    page.get_by_role("button", name="Dismiss").tap()
    expect(too_large).to_have_count(0)
    page.get_by_role("button", name="Add pages").tap()
    uploader.set_input_files([large])
    expect(page.get_by_role("dialog").get_by_text("large.tif is larger than 64 MB")).to_be_in_viewport(ratio=1)
    context.close()


def test_a_page_is_turned_for_itself(desktop):
    stage = desktop.locator(".stage")
    width, height = (stage.evaluate(f"stage => stage.offset{side}") for side in ("Width", "Height"))
    assert width > height
    desktop.get_by_role("button", name="Rotate this page right").click()
    expect(stage).not_to_have_css("height", f"{height}px")
    assert stage.evaluate("stage => stage.offsetHeight > stage.offsetWidth")
    desktop.get_by_role("button", name="Rotate this page left").click()
    expect(stage).to_have_css("height", f"{height}px")
    lines(desktop, "Martha").wait_for()


def test_a_phones_camera_app_takes_the_photo(chromium, app_address):
    context = chromium.new_context(viewport={"width": 400, "height": 850}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.get_by_role("tab", name="Camera").tap()
    page.get_by_text("opens its camera app").wait_for()
    assert page.locator("video").count() == 0, "the webcam is off until it is wanted"
    page.locator("input[type=file][capture=environment]").set_input_files(str(SAMPLES / "shopping-list.jpg"))
    lines(page, "Shopping for Saturday").wait_for()
    page.get_by_role("button", name="Export").tap()
    with page.expect_download() as download:
        page.get_by_role("button", name="Plain text").tap()
    assert download.value.suggested_filename == "camera.txt"
    context.close()
