"""The app in real headless Chromium: writing with the mouse and with a finger, uploading a photo, moving a slider."""

import base64
import re
from pathlib import Path

import pypdfium2
import pytest
from playwright.sync_api import expect

from benchmarks.driving import PATIENCE, canvas_box, write_with_finger, write_with_mouse
from tests.support.paths import SAMPLES

pytestmark = pytest.mark.browser


@pytest.fixture
def desktop(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1280, "height": 950})
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.locator("canvas").last.wait_for()
    yield page
    page.close()


@pytest.fixture
def phone(chromium, app_address):
    context = chromium.new_context(
        viewport={"width": 400, "height": 800}, has_touch=True, is_mobile=True, device_scale_factor=2
    )
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.locator("canvas").last.wait_for()
    page.wait_for_function("document.querySelector('[data-testid=stMain]') && true")
    yield page
    context.close()


def reading(page, contains: str):
    found = page.get_by_test_id("reading").filter(has_text=re.compile(contains, re.IGNORECASE))
    found.wait_for()
    return found.inner_text()


def test_a_word_written_with_the_mouse_is_in_the_prediction(desktop):
    before = canvas_box(desktop)
    write_with_mouse(desktop, "hello world")
    assert "hello" in reading(desktop, "hello world")
    expect(desktop.get_by_role("textbox", name="Edit text")).to_have_value(re.compile("hello world"))
    assert canvas_box(desktop) == before, "the canvas moved under the pen"
    desktop.set_viewport_size({"width": 1280, "height": 800})
    expect(desktop.get_by_role("button", name="Copy")).to_be_in_viewport(ratio=1)


def test_a_word_written_with_a_finger_on_a_phone_is_in_the_prediction(phone):
    before = canvas_box(phone)
    write_with_finger(phone, "hello")
    assert "hello" in reading(phone, "hello").lower()
    assert canvas_box(phone) == before, "the canvas moved under the finger"


def test_the_whole_canvas_is_on_a_phones_screen(phone):
    box = canvas_box(phone)
    assert box["x"] >= 0 and box["x"] + box["width"] <= 400 and box["width"] > 300
    assert phone.evaluate("document.scrollingElement.scrollWidth") <= 400


def test_the_drawing_is_still_there_after_a_visit_to_the_photo_page(desktop):
    write_with_mouse(desktop, "hello")
    reading(desktop, "hello")
    desktop.get_by_role("link", name="Photo").click()
    desktop.get_by_text("Drop pictures or PDFs").wait_for()
    desktop.get_by_role("link", name="Draw").click()
    reading(desktop, "hello")
    write_with_mouse(desktop, "o")  # and it can be written on
    desktop.get_by_role("button", name="Undo").first.wait_for()


def test_the_example_is_written_and_read(desktop):
    desktop.get_by_role("button", name="Try an example").click()
    reading(desktop, "see you at")


def test_copy_works_over_http_where_a_page_has_no_clipboard(desktop):
    desktop.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    desktop.get_by_role("button", name="Try an example").click()
    reading(desktop, "see you at 7:30")
    desktop.get_by_role("button", name="Copy").click()
    expect(desktop.get_by_role("button", name="Copied")).to_be_visible()
    words = desktop.get_by_role("textbox", name="My words")
    words.focus()
    desktop.keyboard.press("Control+v")
    expect(words).to_have_value("see you at 7:30")


def test_a_photo_is_uploaded_previewed_and_read_and_the_threshold_moves_the_preview(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1360, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.get_by_role("link", name="Draw").wait_for()  # the app's own navigation, also on a direct visit
    assert page.get_by_role("link", name="shared").count() == 0
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(str(SAMPLES / "letter.jpg"))
    page.get_by_test_id("lines").filter(has_text="Martha").wait_for()
    method = page.locator("[data-testid=stSelectbox]").filter(has_text="Method").locator("input")
    method.scroll_into_view_if_needed()
    page.wait_for_timeout(1000)  # a list that opens while the sidebar still scrolls closes at once
    method.click()
    page.get_by_role("option", name="Manual").click()
    page.get_by_text("Threshold at 128").wait_for()
    page.get_by_test_id("lines").wait_for()
    thresholded = page.locator("[data-testid=stImage]").filter(has_text="Thresholded").locator("img")
    before = thresholded.get_attribute("src")
    slider = page.get_by_role("slider", name="Level")
    slider.focus()
    for _ in range(25):
        slider.press("ArrowLeft")
    page.get_by_text("Threshold at 103").wait_for()
    page.get_by_test_id("lines").wait_for()
    expect(thresholded).not_to_have_attribute("src", before)  # the sentence comes first
    page.close()


def test_a_read_page_is_downloaded_as_a_searchable_pdf(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1360, "height": 1000}, accept_downloads=True)
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.locator("[data-testid=stFileUploader] input[type=file]").first.set_input_files(str(SAMPLES / "letter.jpg"))
    page.get_by_test_id("lines").filter(has_text="Martha").wait_for()
    page.get_by_role("button", name="Export").click()
    with page.expect_download() as download:
        page.get_by_role("button", name="Searchable PDF").click()
    assert download.value.suggested_filename == "letter.pdf"
    document = pypdfium2.PdfDocument(Path(download.value.path()).read_bytes())
    assert "Martha" in document[0].get_textpage().get_text_range()
    page.close()


def test_a_picture_in_the_clipboard_is_pasted(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1360, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.get_by_role("tab", name="Paste").click()
    page.get_by_role("button", name="Paste a picture").wait_for()
    data = base64.b64encode((SAMPLES / "shopping-list.jpg").read_bytes()).decode()
    paste = """(data) => {
            const bytes = Uint8Array.from(atob(data), (character) => character.charCodeAt(0))
            const clipboard = new DataTransfer()
            clipboard.items.add(new File([bytes], "image.jpg", { type: "image/jpeg" }))
            document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: clipboard, bubbles: true }))
        }"""
    page.evaluate(paste, data)
    page.get_by_text("pasted.jpg").wait_for()
    page.get_by_test_id("lines").wait_for()
    page.evaluate(paste, base64.b64encode((SAMPLES / "letter.jpg").read_bytes()).decode())
    page.get_by_text("pasted (2).jpg").wait_for()
    page.close()


def test_settings_live_in_the_address(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1360, "height": 1000})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/photo")
    page.get_by_text("Straighten lines").click()
    page.wait_for_url("**deskew=false**")
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    page.get_by_text("Straighten lines").wait_for()
    assert not page.get_by_role("switch", name="Straighten lines").is_checked()
    page.close()


def test_no_request_leaves_for_another_host(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1280, "height": 950})
    page.set_default_timeout(PATIENCE)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for path, text in (
        ("", "Write a word or two"),
        ("/photo", "Drop pictures or PDFs"),
        ("/help", "two pages to work on"),
    ):
        page.goto(app_address + path)
        page.get_by_text(text).wait_for()
        page.wait_for_timeout(2000)
    own = (app_address, app_address.replace("http", "ws", 1), "data:", "blob:")
    assert asked and not [url for url in asked if not url.startswith(own)]
    page.close()


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="Linux tells the libraries of a process")
def test_the_server_never_imports_pandas(chromium, app_server):
    """Streamlit would, for a list in a component's data: 66 MB. The tests above have used both pages."""
    address, process = app_server
    page = chromium.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(address)
    page.get_by_text("Write a word or two").wait_for()
    page.close()
    maps = Path(f"/proc/{process}/maps").read_text()
    assert "cv2" in maps
    assert "pyarrow" not in maps and "pandas" not in maps


def test_on_a_phone_the_sidebar_leaves_the_page_that_was_chosen_in_it(phone):
    phone.get_by_test_id("stExpandSidebarButton").tap()
    phone.get_by_test_id("stSidebarNavLink").filter(has_text="Photo").tap()
    phone.get_by_text("Pictures and PDFs of handwriting").wait_for()
    phone.get_by_test_id("stExpandSidebarButton").wait_for()
    phone.get_by_role("tab", name="Samples").tap()  # nothing covers it
