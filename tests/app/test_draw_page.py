"""Both pages, driven with Streamlit's AppTest."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from hwr_core import pipeline
from hwr_core.errors import HandwritingError
from hwr_core.ink.canvas import path_object, strokes_of
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.reading import Alternative, Line, Page, Reading
from pages.drawing.history import thumbnail
from pages.drawing.line_texts import Typed
from pages.drawing.saved import drawing_values
from pages.shared.reading_view import differing
from tests.support.app import (
    choose_word,
    draw_page,
    field,
    fields,
    html_of,
    on_canvas,
    pages_read,
    photo_page,
    png,
    press,
    shown_text,
    text_of,
    upload,
    words_of,
)
from tests.support.paths import SAMPLES


def test_an_empty_canvas_shows_a_hint_and_asks_no_model(monkeypatch):
    monkeypatch.setattr(
        "hwr_core.recognizer.Recognizer.read", lambda *args, **options: pytest.fail("the model was asked")
    )
    app = draw_page().run()
    assert not app.exception
    assert "Write a word or two" in html_of(app)
    assert not fields(app)


def test_the_shipped_checkpoint_starts_with_its_own_number_of_beams(recognizer):
    for app in (draw_page(), photo_page()):
        assert (
            next(slider.value for slider in app.run().slider if slider.label.startswith("Accuracy"))
            == recognizer.settings().beams
            == 4
        )


def test_strokes_are_read_into_the_prediction_and_the_editable_field():
    app = on_canvas(draw_page(), write("hello world")).run()
    assert not app.exception
    assert "hello" in field(app).value
    assert shown_text(app) == field(app).value
    assert any("Looks right · 9" in caption.value for caption in app.caption)


def test_struck_out_words_are_crossed_out_and_can_be_left_out(monkeypatch):
    real = pipeline.read_ink

    def struck(*arguments, **options):
        page = real(*arguments, **options)
        return replace(
            page, lines=tuple(replace(one, reading=replace(one.reading, struck=((0, 5),))) for one in page.lines)
        )

    monkeypatch.setattr(pipeline, "read_ink", struck)
    app = on_canvas(draw_page(), write("hello world")).run()
    assert field(app).value == "hello world"
    app.toggle(key="without_struck").set_value(True).run()
    assert not app.exception and field(app).value == shown_text(app) == "world"
    app.toggle(key="without_struck").set_value(False).run()
    assert field(app).value == "hello world"


def test_with_live_reading_off_a_button_reads():
    app = draw_page().run()
    app.toggle(key="live").set_value(False)
    app = on_canvas(app, write("hello world")).run()
    assert not fields(app)
    next(button for button in app.button if button.label == "Read").click().run()
    assert "hello" in field(app).value


def test_clearing_what_was_not_read_keeps_no_text_of_an_earlier_drawing():
    app = draw_page().run()
    app.toggle(key="live").set_value(False)

    def press(label: str) -> None:
        next(button for button in app.button if button.label == label).click().run()

    on_canvas(app, write("hello")).run()
    press("Read")
    press("Clear")
    on_canvas(app, []).run()
    on_canvas(app, write("other")).run()
    press("Clear")
    on_canvas(app, []).run()
    assert len(app.code) == 1


def test_a_correction_of_one_line_survives_choosing_another_reading_of_the_next():
    strokes = write("clever dog", unsteadiness=0.03, seed=2) + [
        s + (0, 150) for s in write("clever dog", unsteadiness=0.03, seed=2)
    ]
    app = on_canvas(draw_page(), strokes).run()
    field(app).set_value("mine\n" + field(app).value.split("\n")[1]).run()
    chosen = choose_word(app, 1)
    assert field(app).value == f"mine\n{chosen}"


def test_a_correction_stays_if_one_more_stroke_changes_the_box_but_not_the_reading():
    *most, bar = write("hello t", height=70)
    app = on_canvas(draw_page(), [*most, bar]).run()
    read = field(app).value
    dot = np.array([[bar[:, 0].max() + 3.0, bar[:, 1].mean()]], np.float32)  # makes the bar longer
    field(app).set_value("Hello, t").run()
    on_canvas(app, [*most, bar, dot]).run()
    state = app.session_state["drawing"]
    assert state.reading.page.text == read and len(state.strokes) == len(most) + 2
    assert field(app).value == shown_text(app) == "Hello, t"
    field(app).set_value(read).run()
    on_canvas(app, [*most, bar, dot, dot + (2, 0)]).run()
    assert state.reading.page.text == read and field(app).value == read, "the last correction counts"


def test_a_text_that_was_typed_while_the_last_stroke_was_being_read_stays():
    *most, last = write("to it", height=70)
    last = last + (8, 0)  # reaches beyond the line as it is read without it
    app = on_canvas(draw_page(), most).run()
    state = app.session_state["drawing"]
    key = list(state.fields)[-1]
    read = state.fields[key]
    on_canvas(app, [*most, last])
    state.enter(Typed(key, read.text, "To it!"))  # the browser shows the reading without the last stroke
    on_canvas(app, [*most, last, last + (60, 0)])
    state.undo()  # also if one draws on before the reading has come
    app.run()
    assert state.reading.page.text != read.text, "another reading, so that its text does not find the correction"
    assert field(app).value == shown_text(app) == "To it!"
    assert list(drawing_values(state.document, "Auto")["texts"].values()) == ["To it!", "To it!"], "also after a reload"
    state.undo()
    app.run()
    assert field(app).value == state.reading.page.text


def test_choosing_another_reading_puts_it_into_the_field():
    app = on_canvas(draw_page(), write("clever dog", unsteadiness=0.03, seed=2)).run()
    read = field(app).value
    assert choose_word(app) == field(app).value == shown_text(app) != read


def test_a_choice_for_one_drawing_is_not_put_over_another_that_reads_alike():
    strokes = write("clever dog", unsteadiness=0.03, seed=2)
    app = on_canvas(draw_page(), strokes).run()
    read = field(app).value
    chosen = choose_word(app)
    assert chosen != read
    on_canvas(press(app, "Clear"), []).run()
    for again in ([stroke + (0, 25) for stroke in strokes], strokes):
        on_canvas(app, again).run()
        assert field(app).value == read
        on_canvas(press(app, "Clear"), []).run()
    assert [code.value for code in app.code] == [read, read, chosen]


def test_after_another_reading_was_chosen_the_first_is_offered_and_the_card_says_so():
    app = on_canvas(draw_page(), write("clever dog", unsteadiness=0.03, seed=2)).run()
    read = field(app).value
    assert not any(caption.value == "Edited" for caption in app.caption)
    chosen = choose_word(app)
    assert any(caption.value == "Edited" for caption in app.caption) and shown_text(app) == chosen
    next(toggle for toggle in app.toggle if toggle.label == "Show original").set_value(True).run()
    assert shown_text(app) == read and field(app).value == chosen
    next(toggle for toggle in app.toggle if toggle.label == "Show original").set_value(False).run()
    assert read in [" ".join(word["text"] for word in words_of(app)[0])] or any(
        other["text"] in read for word in words_of(app)[0] for other in word["others"]
    )
    field(app).set_value(read).run()
    assert shown_text(app) == read and not any(caption.value == "Edited" for caption in app.caption)


def test_a_correction_is_there_again_after_a_look_at_something_else():
    app = on_canvas(draw_page(), write("hello world")).run()
    field(app).set_value("hello, world").run()
    for mode in ("Math", "Text"):
        app.session_state["mode"] = mode
        app.run()
    assert field(app).value == "hello, world"
    on_canvas(app, [*write("hello world"), np.array([[300, 250], [340, 290]])]).run()
    on_canvas(app, write("hello world")).run()
    assert field(app).value == "hello, world"


def test_the_history_tells_text_from_formulas_by_what_was_read():
    app = draw_page().run()
    app.toggle(key="live").set_value(False)
    press(on_canvas(app, write("hello world")).run(), "Read")
    app.session_state["mode"] = "Math"
    on_canvas(press(app.run(), "Clear"), []).run()
    history = app.session_state["drawing"].history
    assert [(earlier.text, earlier.formula) for earlier in history] == [("hello world", (False,))]


def test_more_writing_than_can_be_read_is_said():
    lines = [np.array([[5, y], [700, y], [700, y + 2.0]]) for y in range(0, 201 * 60, 60)]
    app = on_canvas(draw_page(), lines).run()
    assert not app.exception and "lines" in app.error[0].value and not fields(app)


def test_a_huge_drawing_has_a_small_picture_in_the_history():
    app = on_canvas(draw_page(), [100 * stroke for stroke in write("hello")]).run()  # as the edit tool could scale it
    press(app, "Clear")
    (earlier,) = app.session_state["drawing"].history
    picture = thumbnail(earlier.strokes)
    assert earlier.text == "hello" and max(picture.size) <= 420 and np.asarray(picture).min() < 100


@pytest.mark.parametrize(
    ("other", "text", "label"),
    [
        ("call me bach", "call me back", "call me **bach**"),
        ("call mo back", "call me back", "call **mo** back"),
        ("callme back", "call me back", "**callme** back"),
        ("a * b_c", "a x b c", r"a **\*** **b\_c**"),
        ("same", "same", "same"),
    ],
)
def test_the_words_of_another_reading_that_differ_are_bold(other, text, label):
    assert differing(other, text) == label


def test_strokes_moved_with_the_edit_tool_are_read_where_they_were_moved_to():
    stroke = np.array([[10.0, 10.0], [30.0, 50.0]], np.float32)
    item = path_object(stroke, 5, "#000")
    assert np.allclose(strokes_of([item])[0], stroke)
    assert np.allclose(strokes_of([{**item, "left": item["left"] + 100}])[0], stroke + (100, 0))
    assert np.allclose(np.ptp(strokes_of([{**item, "scaleX": 2}])[0], 0), (40, 40))


def test_a_checkpoint_that_cannot_be_had_is_said_and_the_shipped_one_reads(monkeypatch):
    asked = 0

    def unreachable(name, on_download):
        nonlocal asked
        asked += 1
        raise HandwritingError("The hub cannot be reached.")

    monkeypatch.setattr("hwr_core.checkpoints.registry._download", unreachable)
    monkeypatch.setattr("pages.shared.model_picker.downloads_allowed", lambda: True)
    app = draw_page().run()
    app.selectbox(key="auto checkpoint").set_value("microsoft/trocr-small-handwritten")
    on_canvas(app, write("hello world")).run()
    assert not app.exception
    assert "cannot be reached" in app.error[0].value
    app.run()
    assert "cannot be reached" in app.error[0].value and asked == 1, (
        "a failure is remembered, not tried again at every stroke"
    )
    assert "hello" in field(app).value


def test_what_the_draw_page_remembers_is_no_trouble_for_the_photo_page():
    drawn = on_canvas(draw_page().run(), write("hello world")).run()
    next(button for button in drawn.button if button.label == "Clear").click().run()
    assert drawn.session_state["drawing"].history
    app = photo_page()
    app.session_state["drawing"] = drawn.session_state["drawing"]
    app = upload(app.run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    assert not app.exception and "Martha" in text_of(app)


def test_the_photo_page_starts_with_an_invitation():
    app = photo_page().run()
    assert not app.exception and "Drop pictures" in html_of(app)


def test_an_uploaded_photo_is_previewed_read_and_offered_in_every_format():
    app = upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    assert not app.exception
    assert "Martha" in text_of(app)
    labels = [button.proto.label for button in app.get("download_button")]
    assert set(labels) >= {
        "Plain text",
        "Word",
        "Searchable PDF",
        "Markdown",
        "JSON",
        "ALTO 4",
        "PAGE 2019",
        "hOCR",
        "Data set",
    }


def test_the_threshold_changes_the_preview_and_rereads_only_what_changed(monkeypatch):
    read = []
    from hwr_core.recognizer import Recognizer

    original = Recognizer.stream

    def spy(self, images, beams=None):
        if beams != 1:  # not those that tell which way up a page is
            read.append(len(images))
        return original(self, images, beams)

    monkeypatch.setattr(Recognizer, "stream", spy)
    app = upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    assert read == [5]
    app.run()
    assert read == [5], "nothing changed, nothing is read"
    app.selectbox(key="threshold").set_value("manual").run()
    assert any("Threshold at 128" in caption.value for caption in app.caption)
    next(slider for slider in app.slider if slider.label == "Level").set_value(150).run()
    assert any("Threshold at 150" in caption.value for caption in app.caption)
    app.selectbox(key="threshold").set_value("none").run()
    assert read[0] == 5 and len(read) == 3, "going back costs nothing"


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("text.png", b"not a picture", "not a picture"),
        ("empty.png", b"", "empty"),
        ("cut.jpg", (SAMPLES / "letter.jpg").read_bytes()[:20_000], "damaged"),
    ],
)
def test_a_bad_file_is_said_and_the_app_goes_on(name, data, sentence):
    app = upload(photo_page().run(), (name, data))
    assert not app.exception
    assert sentence in app.error[0].value and name in app.error[0].value
    if not app.session_state["photo"].page_count:
        assert [title.value for title in app.title] == ["Read a photo or scan"], "the uploader is still there at large"
    next(button for button in app.button if button.key in (f"dismiss-{name}", "remove")).click().run()
    app = upload(app, ("line.png", png(render_line(write("hello world"), 96, 5))))
    assert not app.error and "hello" in text_of(app)


def test_two_files_of_one_name_are_both_there():
    files = [("image.jpg", png(render_line(write(text), 96, 5))) for text in ("good morning", "thank you")]
    app = upload(photo_page().run(), *files)
    assert list(app.session_state["photo"].files) == ["image.jpg", "image (2).jpg"]


def test_one_bad_file_does_not_lose_the_others():
    app = upload(
        photo_page().run(), ("bad.png", b"nonsense"), ("good.png", png(render_line(write("good morning"), 96, 5)))
    )
    assert "bad.png" in app.error[0].value and "good" in text_of(app)


@pytest.mark.parametrize("mode", ["CMYK", "P", "RGBA", "I;16"])
def test_unusual_modes_are_read(mode):
    line = render_line(write("hello world"), 96, 5)
    image = (
        Image.fromarray(np.asarray(line).astype(np.uint16) * 257)
        if mode == "I;16"
        else line.convert("RGB").convert(mode)
    )
    buffer = io.BytesIO()
    image.save(buffer, "TIFF")
    app = upload(photo_page().run(), ("line.tif", buffer.getvalue()))
    assert not app.exception and "hello" in text_of(app)


@pytest.mark.parametrize("level", [0, 255])
def test_a_photo_without_writing_says_so(level):
    app = upload(photo_page().run(), ("even.png", png(Image.new("RGB", (600, 400), (level,) * 3))))
    assert not app.exception and "No handwriting" in app.info[0].value


def test_nothing_that_was_uploaded_is_written_to_disk(monkeypatch):
    import builtins

    original = builtins.open

    def guarded(file, mode="r", *args, **options):
        assert not set(mode) & set("wax+"), f"{file} was opened for writing"
        return original(file, mode, *args, **options)

    app = photo_page().run()
    monkeypatch.setattr(builtins, "open", guarded)
    app = upload(app, ("line.png", png(render_line(write("secret words"), 96, 5))))
    assert not app.exception and "secret" in text_of(app)


def test_a_large_upload_does_not_pass_through_a_temporary_file():
    """Streamlit takes uploads with Starlette's form parser, which puts what is over 1 MB into a file unless told otherwise."""
    draw_page().run()
    in_file = []

    async def receive(request):
        in_file.append((await request.form())["picture"].file._rolled)
        return Response()

    client = TestClient(Starlette(routes=[Route("/", receive, methods=["POST"])]))
    client.post("/", files={"picture": b"x" * 66_000_000})
    assert in_file == [False]


def test_json_of_the_page_is_valid():
    app = upload(photo_page().run(), ("line.png", png(render_line(write("hello world"), 96, 5))))
    (page,) = pages_read(app).values()
    from hwr_core.export.plain import to_json

    assert json.loads(to_json({"line.png": page}))[0]["text"] == text_of(app)


def test_an_unreadable_line_is_told_and_its_guess_is_accepted_in_its_place(monkeypatch):
    def line(text: str, top: int, **options) -> Line:
        image = Image.new("L", (10, 10), 255)
        return Line((10, top, 200, top + 40), image, Reading(text, 0.95, (0.95,) * len(text), **options))

    first, third = line("first", 10), line("third", 210)
    second = line("", 110, alternatives=(Alternative("second *", 0.1),), unreadable=True)
    page = Page((first, third), (300, 300), (second.box,), (second,))
    monkeypatch.setattr("hwr_core.pipeline.read_ink", lambda *arguments, **options: page)
    app = on_canvas(draw_page(), write("hello")).run()
    assert not app.exception and field(app).value == "first\nthird"
    assert any("Could not read this line" in caption.value for caption in app.caption)
    assert any("A part of the drawing was not read." in caption.value for caption in app.caption)
    app.button(key="guess-0").click().run()
    assert not app.exception and field(app).value == "first\nsecond *\nthird"
    assert not any(button.key == "guess-0" for button in app.button)


def test_a_drawing_without_a_readable_line_offers_its_guess(monkeypatch):
    reading = Reading("", 0.1, alternatives=(Alternative("hello", 0.1),), unreadable=True)
    line = Line((0, 0, 100, 40), Image.new("L", (10, 10), 255), reading)
    page = Page((), (300, 300), (line.box,), (line,))
    monkeypatch.setattr("hwr_core.pipeline.read_ink", lambda *arguments, **options: page)
    app = on_canvas(draw_page(), write("hello")).run()
    assert not app.exception and not fields(app)
    app.button(key="guess-0").click().run()
    assert not app.exception and field(app).value == "hello"
    on_canvas(press(app, "Clear"), []).run()
    assert [code.value for code in app.code] == ["hello"]


def test_a_correction_of_a_line_stays_while_one_writes_on_and_is_offered_when_the_line_grows():
    first = write("hello", height=70)
    below = [stroke + (0, 220) for stroke in write("thank you", height=70)]
    app = on_canvas(draw_page(), first).run()
    field(app).set_value("Hello!").run()
    on_canvas(app, [*first, *below]).run()
    assert field(app).value == "Hello!\nthank you", "it belongs to the first line"
    right = max(float(stroke[:, 0].max()) for stroke in first)
    more = [*first, *below, *[stroke + (right + 40, 0) for stroke in write("you", height=70)]]
    on_canvas(app, more).run()
    assert field(app).value.split("\n")[0] == "hello you"
    app.button(key="again-0").click().run()
    assert field(app).value == "Hello!\nthank you"
    on_canvas(press(app, "Clear"), []).run()
    on_canvas(app, first).run()
    assert field(app).value == "hello"
