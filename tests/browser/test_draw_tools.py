"""The canvas's tools and the browser's storage in headless Chromium."""

import json
import re

import numpy as np
import pytest
from playwright.sync_api import expect

from benchmarks.driving import PATIENCE, canvas_box, fitted, write_with_finger, write_with_mouse
from tests.support.axe import serious
from tests.support.paths import ROOT
from tests.support.touch import swipe

pytestmark = pytest.mark.browser
PAPER = {"light": "rgb(251, 250, 246)", "dark": "rgb(20, 24, 39)"}  # by colour scheme
DRAWING = "handwriting-recognition/draw"  # the storage's name of the drawing


@pytest.fixture
def desktop(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.locator("canvas.upper-canvas").wait_for()
    yield page
    page.close()


@pytest.fixture
def phone(chromium, app_address):
    context = chromium.new_context(viewport={"width": 400, "height": 850}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.locator("canvas.upper-canvas").wait_for()
    yield page
    context.close()


def wait_for_strokes(page, count: int) -> None:
    page.wait_for_function(
        f"JSON.parse(localStorage['{DRAWING}'] ?? '{{\"strokes\": []}}').strokes.length === {count}", timeout=PATIENCE
    )


def drag(page, start: tuple[float, float], end: tuple[float, float]) -> None:
    page.mouse.move(*start)
    page.mouse.down()
    page.mouse.move(*end, steps=8)
    page.mouse.up()


def undo_button(page):
    """The page's. For a moment the canvas component's toolbar shows another one."""
    named = page.get_by_role("button", name="Undo", exact=True)
    return named.and_(page.get_by_test_id("stBaseButton-secondary"))


def halves(page) -> tuple[dict, dict]:
    box = canvas_box(page)
    upper = {**box, "height": box["height"] / 2}
    return upper, {**upper, "y": box["y"] + upper["height"]}


def write_in(page, text: str, box: dict) -> None:
    for stroke in fitted(text, box):
        page.mouse.move(*stroke[0])
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*point)
        page.mouse.up()


def test_one_history_for_keys_eraser_selection_and_clear(desktop):
    write_with_mouse(desktop, "to it")
    wait_for_strokes(desktop, 7)
    assert not desktop.locator(".dc-toolbar").is_visible(), "the component's own toolbar has a history of its own"
    box = canvas_box(desktop)
    desktop.get_by_role("button", name="Eraser", exact=True).click()
    drag(desktop, (box["x"] + 20, box["y"] + 150), (box["x"] + 200, box["y"] + 150))
    wait_for_strokes(desktop, 5)
    desktop.get_by_role("button", name="Select", exact=True).click()
    desktop.locator(".layer[data-tool=select][data-strokes='5']").wait_for()
    for _ in range(3):  # at once one after the other, while the page still runs
        desktop.locator(".layer[data-tool=select][data-strokes='5']").wait_for()
        drag(desktop, (box["x"] + 5, box["y"] + 5), (box["x"] + box["width"] - 5, box["y"] + box["height"] - 5))
        desktop.keyboard.press("Delete")
        wait_for_strokes(desktop, 0)
        desktop.keyboard.press("Control+z")
        wait_for_strokes(desktop, 5)
    expect(desktop.get_by_text("Connection error")).to_have_count(0)
    undo_button(desktop).click()
    wait_for_strokes(desktop, 7)
    desktop.keyboard.press("Control+Shift+z")
    wait_for_strokes(desktop, 5)
    desktop.get_by_role("button", name="Clear", exact=True).click()
    wait_for_strokes(desktop, 0)
    desktop.get_by_text("History").wait_for()
    desktop.keyboard.press("Control+z")
    wait_for_strokes(desktop, 5)


def test_a_stroke_sends_only_itself_and_every_press_of_undo_counts(desktop):
    sizes: list[int] = []
    desktop.on("websocket", lambda socket: socket.on("framesent", lambda frame: sizes.append(len(frame))))
    desktop.reload()
    write_with_mouse(desktop, "to it")
    wait_for_strokes(desktop, 7)
    assert max(sizes) < 5000, "bytes of a request"
    for _ in range(3):
        desktop.keyboard.press("Control+z")
    undo_button(desktop).dblclick()
    wait_for_strokes(desktop, 2)
    for _ in range(5):
        desktop.keyboard.press("Control+y")
    wait_for_strokes(desktop, 7)
    write_with_mouse(desktop, "o")  # on what the canvas was given
    wait_for_strokes(desktop, 8)


def test_a_stroke_has_every_point_that_the_browser_tells_at_once_however_long_it_is(desktop):
    # A busy browser tells many moments of a pen in one event.
    drawn = """count => {
        const root = [...document.querySelectorAll(".st-key-canvas *")].find(one => one.shadowRoot).shadowRoot
        const canvas = root.querySelector("canvas.upper-canvas"), box = canvas.getBoundingClientRect()
        const at = (kind, x, y, more) => new PointerEvent(kind, {
            clientX: box.left + x, clientY: box.top + y, pointerId: 1, isPrimary: true, bubbles: true, composed: true, ...more})
        const path = [...Array(count).keys()].map(n => [60 + (n % 2 ? 0 : 3), 20 + n / count * 200])
        canvas.dispatchEvent(at("pointerdown", ...path[0]))
        const coalescedEvents = path.map(place => at("pointermove", ...place))
        canvas.dispatchEvent(at("pointermove", ...path.at(-1), {coalescedEvents}))
        canvas.dispatchEvent(at("pointerup", ...path.at(-1)))
    }"""
    for strokes, (count, least, most) in enumerate([(40, 40, 40), (12_000, 4_500, 10_000)], 1):
        desktop.evaluate(drawn, count)
        wait_for_strokes(desktop, strokes)
        _, _, *numbers = json.loads(desktop.evaluate(f"localStorage['{DRAWING}']"))["strokes"][-1]
        assert least <= len(numbers) / 2 - 1 <= most, "points, and one more from smoothing"
        assert abs(sum(numbers[1::2]) - 2200) < 120, "tenths of a pixel: the stroke's end"


def test_a_reload_loses_nothing_and_forget_removes_everything(desktop):
    write_with_mouse(desktop, "to it")
    wait_for_strokes(desktop, 7)
    expect(desktop.get_by_test_id("reading")).to_have_text("to it")
    field = desktop.get_by_role("textbox", name="Edit text")
    expect(field).to_have_value("to it")
    field.fill("To it!")
    drag(desktop, (900, 200), (920, 240))  # takes the focus from the field, which gives its text
    wait_for_strokes(desktop, 8)
    undo_button(desktop).click()
    wait_for_strokes(desktop, 7)  # first: the text may show before the stroke is read, and then not
    expect(field).to_have_value("To it!")
    expect(desktop.get_by_test_id("reading")).to_have_text("To it!")
    field.press("End")
    field.press_sequentially("!")  # the field keeps the focus
    desktop.reload()
    desktop.get_by_test_id("reading").filter(has_text="To it!!").wait_for()
    expect(desktop.get_by_role("textbox", name="Edit text")).to_have_value("To it!!")
    desktop.get_by_role("button", name="Forget").click()
    desktop.get_by_text("Write a word or two").wait_for()
    wait_for_strokes(desktop, 0)
    kept = f"localStorage['{DRAWING}']"  # removed, or stored again without a drawing
    desktop.wait_for_function(f"!{kept} || Object.keys(JSON.parse({kept}).texts).length === 0")


def test_the_first_stroke_counts_and_a_reload_right_after_the_last_one_loses_none(desktop):
    desktop.reload()
    desktop.locator("html[data-canvas-tools] canvas.upper-canvas").wait_for()
    strokes = fitted("to it", desktop.locator("canvas.upper-canvas").bounding_box())
    for stroke in strokes:  # at once, while the page still loads
        drag(desktop, tuple(stroke[0]), tuple(stroke[-1]))
    desktop.reload()
    wait_for_strokes(desktop, len(strokes))


def test_a_reading_that_arrives_while_one_types_takes_neither_text_nor_cursor_nor_focus(desktop):
    field = desktop.get_by_role("textbox", name="Edit text")
    upper, lower = halves(desktop)
    write_in(desktop, "to it", upper)
    expect(field).to_have_value("to it")
    write_in(desktop, "no", lower)
    field.focus()  # a click may scroll, and takes longer than the reading
    desktop.keyboard.press("Control+Home")
    for key in "Oh ":
        desktop.keyboard.press(key)
    field.blur()  # is sent before the reading of the second line comes
    field.focus()  # the cursor is where it was
    for key in "so many words ":  # it comes meanwhile
        desktop.keyboard.press(key, delay=40)
    expect(field).to_have_value(re.compile("^Oh so many words to it\n.*$"))
    expect(field).to_be_focused()
    desktop.keyboard.type("and ")
    field.blur()
    reading = desktop.get_by_test_id("reading")
    expect(reading.locator(".line")).to_have_count(2)
    expect(reading).to_contain_text("Oh so many words and to it")
    expect(field).to_have_value(re.compile("^Oh so many words and to it\n.*$"))


def test_a_reading_that_arrives_in_a_field_without_the_focus_leaves_the_cursor_where_it_was(desktop):
    field = desktop.get_by_role("textbox", name="Edit text")
    upper, lower = halves(desktop)
    write_in(desktop, "to it", upper)
    expect(field).to_have_value("to it")
    field.focus()
    desktop.keyboard.press("Control+Home")
    field.blur()
    write_in(desktop, "no", lower)
    expect(field).to_have_value(re.compile("^to it\n.+$"))
    field.focus()
    desktop.keyboard.type("Oh ")
    expect(field).to_have_value(re.compile("^Oh to it\n.+$"))
    field.blur()
    desktop.keyboard.press("Control+z")  # takes the typed word back: another text is in the field
    expect(field).to_have_value(re.compile("^to it\n.+$"))
    text = field.input_value()
    side = field.bounding_box()
    desktop.mouse.click(side["x"] + side["width"] - 8, side["y"] + side["height"] - 12)  # the pointer puts it elsewhere
    desktop.keyboard.type("!")
    expect(field).to_have_value(f"{text}!")


def test_a_text_typed_right_before_another_page_is_opened_is_kept(desktop):
    write_with_mouse(desktop, "to it")
    field = desktop.get_by_role("textbox", name="Edit text")
    expect(field).to_have_value("to it")
    field.fill("to it now")
    desktop.get_by_role("link", name="Photo").click()  # at once: the field's text would come after the other page
    desktop.get_by_text("Drop pictures or PDFs").wait_for()
    desktop.get_by_role("link", name="Draw").click()
    expect(field).to_have_value("to it now")


def test_what_is_typed_is_put_into_its_lines(desktop):
    script = (ROOT / "pages" / "drawing" / "static" / "merged_text.js").read_text()
    cases = [  # the text before, as typed up to the cursor (|), as read meanwhile, and both together
        ("a", "A!|", "a\nc", "A!|\nc"),
        ("no\nno", "no\nYES|", "new\nno\nno", "new\nno\nYES|"),
        ("no\nno", "NO|\nYES", "new\nno\nno", "new\nNO|\nYES"),
        ("a", "a\nmore|", "x\na", "x\na\nmore|"),
        ("a", "top|\na", "a\nc", "top|\na\nc"),
        ("hello\nb", "Hello!|\nb", "x\nhellp\nb", "x\nHello!|\nb"),
        ("a\nb\nc", "a\nc|", "a\nb\nc\nd", "a\nc|\nd"),
        ("a\nb", "|a\nB", "a\nb", "|a\nB"),
        ("a\nb", "a\nB!|", "a", "a\nB!|"),
        ("", "new|", "a", "new|"),
    ]
    for first, typed, read, merged in cases:
        text, cursor = desktop.evaluate(
            f"([first, typed, read, at]) => {{ {script}; return mergedText(first, typed, read, [at]) }}",
            [first, typed.replace("|", ""), read, typed.index("|")],
        )
        assert f"{text[:cursor]}|{text[cursor:]}" == merged


@pytest.mark.parametrize("window", ["desktop", "phone"])
def test_axe_finds_nothing_serious_in_light_and_dark(request, window):
    page = request.getfixturevalue(window)
    page.get_by_role("button", name="Try an example").click()
    page.get_by_test_id("reading").wait_for()
    for scheme, paper in PAPER.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
        page.get_by_role("img", name="Canvas to write on").wait_for()
        assert not serious(page), scheme


def test_axe_finds_nothing_serious_on_the_help_page_in_light_and_dark(chromium, app_address):
    page = chromium.new_page(viewport={"width": 1280, "height": 800})
    page.set_default_timeout(PATIENCE)
    page.goto(f"{app_address}/help")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    for scheme, paper in PAPER.items():
        page.emulate_media(color_scheme=scheme)
        expect(page.get_by_test_id("stApp")).to_have_css("background-color", paper)
        assert not serious(page), scheme
    page.close()


def test_a_word_is_corrected_by_a_choice_and_by_typing_and_is_added_to_my_words(desktop):
    write_with_mouse(desktop, "clever")
    words = desktop.get_by_test_id("reading").get_by_role("button")
    words.first.wait_for()
    desktop.wait_for_timeout(1500)
    words.first.click()
    field = desktop.get_by_role("textbox", name="Correct this word")
    field.fill("Klever")
    desktop.get_by_role("button", name="Use, and add to My words").click()
    desktop.get_by_test_id("reading").filter(has_text="Klever").wait_for()
    expect(desktop.get_by_role("textbox", name="My words")).to_have_value("Klever")
    desktop.wait_for_function("localStorage['handwriting-recognition/words'] === '\"Klever\"'")
    expect(desktop.locator("[data-testid=stApp]")).to_have_attribute("data-test-script-state", "notRunning")
    words.first.click()
    field.fill("Clovis")
    field.press("Enter")
    expect(desktop.get_by_role("textbox", name="My words")).to_have_value("Klever\nClovis")


def test_the_canvas_grows_with_the_ink_is_dragged_taller_and_shrinks_without_cropping(desktop):
    box = canvas_box(desktop)
    drag(desktop, (box["x"] + 100, box["y"] + 300), (box["x"] + box["width"] - 20, box["y"] + 330))
    canvas = desktop.locator("canvas.upper-canvas")
    desktop.wait_for_function("height => document.querySelector('.st-key-canvas').clientHeight > height + 100", arg=340)
    desktop.wait_for_timeout(1000)  # it grows once
    grown = canvas.evaluate("canvas => canvas.offsetHeight")
    handle = desktop.get_by_role("separator", name="Height of the canvas")
    handle.focus()
    handle.press("ArrowDown")
    expect(canvas).to_have_js_property("offsetHeight", grown + 40)
    desktop.set_viewport_size({"width": 500, "height": 800})
    desktop.wait_for_timeout(1500)
    small = canvas.bounding_box()
    assert small["x"] >= 0 and small["x"] + small["width"] <= 500
    assert canvas.evaluate("canvas => canvas.width") > 800, "the ink at the right is still on it"


def test_a_finger_erases_selects_moves_and_deletes(phone):
    write_with_finger(phone, "to it")
    wait_for_strokes(phone, 7)
    box = canvas_box(phone)
    heights = np.concatenate(fitted("to it", box))[:, 1]
    middle = (heights.min() + heights.max()) / 2
    phone.get_by_role("button", name="Eraser", exact=True).tap()
    phone.locator(".layer[data-tool=erase]").wait_for()
    swipe(phone, (box["x"] + 5, middle), (box["x"] + 0.5 * box["width"], middle))
    phone.wait_for_function(f"JSON.parse(localStorage['{DRAWING}']).strokes.length < 7")
    left = phone.evaluate(f"JSON.parse(localStorage['{DRAWING}']).strokes.length")
    assert left > 0
    phone.get_by_role("button", name="Select", exact=True).tap()
    phone.locator(f".layer[data-tool=select][data-strokes='{left}']").wait_for()
    swipe(phone, (box["x"] + 3, box["y"] + 3), (box["x"] + box["width"] - 3, box["y"] + box["height"] - 3))
    frames = phone.locator(".frame")
    expect(frames).to_have_count(left)
    before = phone.evaluate(f"localStorage['{DRAWING}']")
    inner = frames.last.bounding_box()
    place = inner["x"] + inner["width"] / 2, inner["y"] + inner["height"] / 2
    swipe(phone, place, (place[0] - 30, place[1] + 40))
    phone.wait_for_function(f"before => localStorage['{DRAWING}'] !== before", arg=before)
    wait_for_strokes(phone, left)
    expect(frames.last).not_to_have_css("left", f"{inner['x'] - box['x']}px")
    phone.get_by_role("button", name="Delete selected").tap()
    wait_for_strokes(phone, 0)
    undo_button(phone).tap()
    wait_for_strokes(phone, left)


def test_on_a_phone_on_its_side_the_sidebar_leaves_room_for_the_canvas_and_the_photo(chromium, app_address):
    context = chromium.new_context(viewport={"width": 850, "height": 400}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.set_default_timeout(PATIENCE)
    page.goto(app_address)
    page.locator("canvas.upper-canvas").wait_for()
    page.wait_for_function(
        "(({width, y}) => width > 700 && y < 180)(document.querySelector('.st-key-canvas').getBoundingClientRect())"
    )
    page.get_by_test_id("stExpandSidebarButton").click()
    page.get_by_text("Pen width").wait_for()
    page.wait_for_timeout(1200)  # it is folded away once, and then is the person's
    expect(page.get_by_text("Pen width")).to_be_in_viewport()
    page.goto(f"{app_address}/photo")
    expect(page.get_by_text("Drop pictures or PDFs")).to_be_visible()
    expect(page.get_by_text("Fix perspective")).not_to_be_in_viewport()
    context.close()
