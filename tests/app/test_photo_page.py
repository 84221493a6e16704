"""The Photo page's workbench, driven with Streamlit's AppTest: pages of files, lines' boxes, corrections, settings."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
import streamlit as st
from PIL import Image
from streamlit.testing.v1 import AppTest

from hwr_core import load_recognizer, pipeline
from hwr_core.imaging.settings import PRESETS, PreprocessSettings
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import render_line
from hwr_core.layout.regions import region_at
from hwr_core.reading import BLANK, Alternative, Cell, Reading
from hwr_core.recognizer import Recognizer
from pages.shared import model_picker
from pages.workbench.adding import _secure
from pages.workbench.edits import id_of, page_id
from pages.workbench.memory import BUDGET
from pages.workbench.state import PhotoState, photo_state
from tests.support.app import html_of, pages_read, photo_page, png, settled, text_of, upload
from tests.support.paths import SAMPLES


def page_of(*texts: str) -> Image.Image:
    sheet = Image.new("L", (1000, 160 * len(texts) + 40), 255)
    for row, text in enumerate(texts):
        line = render_line(write(text, seed=row), 96, 5)
        line.thumbnail((900, 90))
        sheet.paste(line.convert("L"), (60, 40 + 160 * row))
    return sheet


def pdf(*pages: Image.Image) -> bytes:
    buffer = io.BytesIO()
    pages[0].save(buffer, "PDF", save_all=True, append_images=pages[1:])
    return buffer.getvalue()


@pytest.fixture
def letter() -> AppTest:
    return upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))


def correcting(app: AppTest) -> AppTest:
    return app.segmented_control(key="view").set_value("Correct").run()


def click(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


def edit(app: AppTest, *edits: dict) -> AppTest:
    """Makes edits as the viewer sends them."""
    state = app.session_state["photo"]
    sent = [{"n": state.edits + place, "page": page_id(state.current), **one} for place, one in enumerate(edits, 1)]
    app.session_state["viewer"] = {"edits": sent}
    return app.run()


def line_ids(app: AppTest) -> list[str]:
    state = app.session_state["photo"]
    return [id_of(region) for region in state.page(state.current).shown.layout]


def more(app: AppTest, number: int) -> AppTest:
    """Opens the tools of a line."""
    key = next(field.key for field in app.text_input if field.label == f"Line {number}")
    app.session_state[f"more-{key}"] = True
    return app.run()


def test_a_pdfs_pages_are_in_the_strip_and_read_when_they_are_chosen():
    app = upload(
        photo_page().run(), ("notes.pdf", pdf(page_of("good morning"), page_of("thank you"), page_of("see you soon")))
    )
    assert not app.exception and text_of(app) == "good morning"
    assert [page.text for page in pages_read(app).values()] == ["good morning", "thank you", "see you soon"]
    app.button(key="page-2").click().run()
    assert text_of(app) == "see you soon" and any("notes.pdf, page 3" in markdown.value for markdown in app.markdown)
    assert app.segmented_control(key="which-3").value == "All 3 pages"


def test_a_strip_of_many_pages_has_pages_itself():
    app = photo_page()
    app.session_state["photo"] = PhotoState(stopped_all=True)
    app = upload(app.run(), ("notes.pdf", pdf(*[page_of(f"page {number}") for number in range(1, 20)])))
    assert not app.exception
    strip = [button.label for button in app.button if (button.key or "").startswith("page-")]
    assert [label.removesuffix(" ✓") for label in strip] == [f"notes · {number}" for number in range(1, 13)]
    assert len(app.get("pagination")) == 1


def test_files_survive_a_visit_to_the_other_page_and_can_be_removed(letter):
    others = {*BUDGET._made, *BUDGET._files}  # of other tests' sessions in this process
    letter.run()
    assert "Martha" in text_of(letter)
    upload(letter, ("line.png", png(render_line(write("hello world"), 96, 5))))
    assert list(letter.session_state["photo"].files) == ["letter.jpg", "line.png"] and text_of(letter) == "hello world"
    state = letter.session_state["photo"]
    line, kept = state.current, [*BUDGET._made, *BUDGET._files]
    assert line in state.pages and [key for key in kept if line.file in repr(key)]
    letter.button(key="remove").click().run()
    left = [key for key in (*BUDGET._made, *BUDGET._files) if key[1] != "reading" and key not in others]
    assert left and not [key for key in left if line.file in repr(key)], "nothing is remembered of it"
    assert state.pages and line not in state.pages
    assert list(letter.session_state["photo"].files) == ["letter.jpg"] and "Martha" in text_of(letter)


def test_a_correction_sticks_where_the_settings_change_and_reaches_every_export(letter):
    correcting(letter)
    field = next(field for field in letter.text_input if field.label == "Line 5")
    field.set_value("Yours, Editha").run()
    assert not letter.exception
    letter.toggle(key="flatten").set_value(False).run()
    fields = [field.value for field in letter.text_input if field.label.startswith("Line")]
    assert "Yours, Editha" in fields
    letter.segmented_control(key="view").set_value("Text").run()
    assert text_of(letter).endswith("Yours, Editha")


def test_the_error_rate_against_the_corrections_is_shown_on_request(letter):
    correcting(letter)
    machine = "\n".join(field.value for field in letter.text_input if field.label.startswith("Line"))
    next(field for field in letter.text_input if field.label == "Line 1").set_value("Dear Marthe,").run()
    letter.toggle(key="compare").set_value(True).run()
    shown = next(caption.value for caption in letter.caption if caption.value.startswith("Character error rate"))
    assert f"(1 of {len(machine.replace(chr(10), ''))})" in shown


def test_another_reading_is_taken_with_a_click(letter):
    correcting(letter)
    for line in (1, 2, 3):  # a sure line has no other reading
        more(letter, line)
    other = next(button for button in letter.button if (button.key or "").startswith("use-"))
    line, label = int(other.key.split("-")[1]) + 1, other.label.replace("**", "")
    other.click().run()
    assert next(field for field in letter.text_input if field.label == f"Line {line}").value == label


def test_lines_are_joined_deleted_and_put_in_order(letter):
    more(correcting(letter), 2)
    click(letter, "Delete")
    assert len([field for field in letter.text_input if field.label.startswith("Line")]) == 4 and not letter.exception
    more(letter, 1)
    click(letter, "Down")
    fields = [field.value for field in letter.text_input if field.label.startswith("Line")]
    assert fields[1] == "Dear Martha,"
    more(letter, 3)
    click(letter, "Merge with next line")
    assert len([field for field in letter.text_input if field.label.startswith("Line")]) == 3 and not letter.exception
    edit(letter, {"op": "reset"})
    assert len([field for field in letter.text_input if field.label.startswith("Line")]) == 5


def test_regions_in_which_nothing_was_read_stay_out_of_sight(letter, monkeypatch):
    read = Recognizer.stream
    blank = 1  # the second line of the letter

    def stream(self, images, beams=None):
        for batch in read(self, images, beams):
            yield {place: BLANK if place == blank and len(images) == 5 else reading for place, reading in batch.items()}

    monkeypatch.setattr(Recognizer, "stream", stream)
    letter = upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    first, second, third, fourth = text_of(letter).split("\n")
    correcting(letter)
    click(more(letter, 1), "Down")
    assert [field.value for field in letter.text_input if field.label.startswith("Line ")] == [
        second,
        first,
        third,
        fourth,
    ]
    more(letter, 4).button(key="Delete-3").click().run()
    assert [field.value for field in letter.text_input if field.label.startswith("Line ")] == [second, first, third]


def test_a_line_that_was_emptied_is_no_correction_for_the_data_set(letter):
    correcting(letter)
    fields = {field.label: field.key for field in letter.text_input}
    letter.text_input(key=fields["Line 1"]).set_value("").run()
    assert not [toggle for toggle in letter.toggle if "corrected line" in toggle.label]
    letter.text_input(key=fields["Line 2"]).set_value("we arrived").run()
    assert [toggle.label for toggle in letter.toggle if "corrected line" in toggle.label] == ["Only 1 corrected line"]


def test_a_line_that_is_a_formula_is_read_as_one():
    app = photo_page().run()
    app.selectbox(key="auto checkpoint").set_value("text").run()
    app = upload(app, ("page.png", png(page_of("good morning", "x + y = 2"))))
    more(correcting(app), 2)
    click(app, "Treat as formula")
    assert not app.exception
    fields = [field.value for field in app.text_input if field.label.startswith("Line")]
    assert fields == ["good morning", "x+y=2"]
    (page,) = pages_read(app).values()
    assert [line.formula for line in page.lines] == [False, True]


def test_text_and_formulas_are_read_mixed_unless_another_model_is_chosen():
    app = upload(photo_page().run(), ("page.png", png(page_of("good morning", "x + y = 2"))))
    assert not app.exception
    (page,) = pages_read(app).values()
    assert [(line.reading.text, line.formula) for line in page.lines] == [("good morning", False), ("x+y=2", True)]
    assert [latex.value for latex in app.latex]


def test_reading_can_be_stopped_and_gone_on_with(monkeypatch):

    original = Recognizer.stream

    def stopped_after_a_batch(self, images, beams=None):
        for number, batch in enumerate(original(self, images, beams)):
            if number == 1 and beams != 1:
                photo_state().stop()
                st.rerun()
            yield batch

    monkeypatch.setattr(Recognizer, "stream", stopped_after_a_batch)
    monkeypatch.setattr(Recognizer, "batch_size", 2)
    app = upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    assert not app.exception and "3 lines not read yet" in app.warning[0].value
    assert len(text_of(app).splitlines()) == 2
    monkeypatch.setattr(Recognizer, "stream", original)
    app.button(key="go_on").click().run()
    assert not app.warning and len(text_of(app).splitlines()) == 5


def test_the_settings_are_saved_and_loaded_and_an_odd_file_is_said(letter):
    letter.selectbox(key="threshold").set_value("otsu").run()
    saved = PreprocessSettings(threshold="otsu")
    letter.button(key="reset").click().run()
    assert letter.selectbox(key="threshold").value == "none"
    key = "settings-0"
    letter.file_uploader(key=key).set_value(("mine.json", saved.to_json().encode(), "application/json")).run()
    assert not letter.exception and letter.selectbox(key="threshold").value == "otsu"
    bomb = b'<?xml version="1.0"?><!DOCTYPE b [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;&a;">]><b>&b;</b>'
    for number, data in enumerate(
        [bomb, b"[" * 100_000, json.dumps({"stroke_amount": 1e9}).encode(), b'{"__class__": "os"}', b"\xff\xfe"], 1
    ):
        letter.file_uploader(key=f"settings-{number}").set_value(("odd.json", data, "application/json")).run()
        assert not letter.exception and letter.error[0].value.startswith("odd.json: ")
        assert letter.selectbox(key="threshold").value == "otsu", "what was set stays"


def test_presets_set_every_control_and_the_choice_shows_which_it_is(letter):
    letter.selectbox(key="preset").set_value("Whiteboard").run()
    assert not letter.exception and letter.selectbox(key="stroke").value == PRESETS["Whiteboard"].stroke
    letter.toggle(key="deskew").set_value(False).run()
    assert letter.selectbox(key="preset").value is None, "no preset any more"
    letter.button(key="reset").click().run()
    assert letter.toggle(key="deskew").value is True


def test_settings_come_from_the_address_and_nonsense_there_is_ignored():
    app = photo_page()
    app.query_params["threshold"] = "Sauvola"
    app.query_params["sauvola_k"] = "0.35"
    app.query_params["stroke"] = "nonsense"
    app.run()
    assert not app.exception
    assert app.selectbox(key="threshold").value == "sauvola" and app.selectbox(key="stroke").value == "keep"
    assert next(slider for slider in app.slider if slider.label == "k").value == pytest.approx(0.35)


def test_a_setting_that_reads_worse_is_said(letter):
    letter.selectbox(key="threshold").set_value("manual").run()
    letter.slider(key="threshold_level").set_value(40).run()
    assert any("That change made it worse: 9" in warning.value for warning in letter.warning)


def test_going_back_to_a_page_costs_nothing(monkeypatch):
    from hwr_core.layout import orientation

    cleaned = []
    original = orientation.preprocess
    monkeypatch.setattr(orientation, "preprocess", lambda *arguments: cleaned.append(1) or original(*arguments))
    files = [(f"{text}.png", png(page_of(text, text))) for text in ("good morning", "thank you")]
    app = upload(photo_page().run(), *files)
    app.button(key="page-1").click().run()
    before = len(cleaned)
    app.button(key="page-0").click().run()
    assert text_of(app).startswith("good morning") and len(cleaned) == before == 2


def test_a_page_of_three_hundred_lines_is_shown_in_parts():
    sheet = Image.new("L", (3000, 4000), 255)
    word = render_line(write("hello"), 60, 3).convert("L")
    word.thumbnail((160, 50))
    for number in range(300):
        sheet.paste(word, (60 + 290 * (number % 10), 60 + 125 * (number // 10)))
    app = photo_page()
    app.default_timeout = 240
    app = upload(app.run(), ("many.png", png(sheet)))
    assert not app.exception
    correcting(app)
    assert not app.exception
    fields = [field for field in app.text_input if field.label.startswith("Line")]
    assert len(fields) == 40 and html_of(app).count("class='crop'") == 40


def test_a_page_read_with_other_settings_has_no_tick():
    app = upload(photo_page().run(), ("notes.pdf", pdf(page_of("good morning"), page_of("thank you"))))

    def ticked() -> list[bool]:
        return ["✓" in app.button(key=f"page-{number}").label for number in (0, 1)]

    assert ticked() == [True, True]
    app.session_state["photo"].stopped_all = True
    app.selectbox(key="threshold").set_value("otsu").run()
    assert ticked() == [True, False]
    settled(app.button(key="read_all").click().run())
    assert ticked() == [True, True] and not [button for button in app.button if button.key == "read_all"]


def test_a_page_that_was_stopped_does_not_count_as_read(monkeypatch):

    original = Recognizer.stream

    def stopped_after_a_batch(self, images, beams=None):
        for number, batch in enumerate(original(self, images, beams)):
            if number == 1 and beams != 1:
                photo_state().stop()
                st.rerun()
            yield batch

    monkeypatch.setattr(Recognizer, "stream", stopped_after_a_batch)
    monkeypatch.setattr(Recognizer, "batch_size", 1)
    notes = ("notes.pdf", pdf(page_of("good morning", "thank you"), page_of("see you soon")))
    app = upload(photo_page().run(), notes)
    assert "Stopped. 1 line not read yet." in app.warning[0].value
    assert [app.button(key=f"page-{number}").label for number in (0, 1)] == ["notes · 1", "notes · 2 ✓"]
    monkeypatch.setattr(Recognizer, "stream", original)
    settled(app.button(key="page-1").click().run())
    assert not app.warning and text_of(app) == "see you soon"
    page = next(page for key, page in pages_read(app).items() if key.index == 0)
    assert page.text == "good morning\nthank you", "in the background, as any other"
    app.button(key="page-0").click().run()
    assert not app.warning


def test_the_other_pages_can_be_stopped_and_gone_on_with():
    app = photo_page()
    app.session_state["photo"] = PhotoState(stopped_all=True)
    app = upload(app.run(), ("notes.pdf", pdf(page_of("good morning"), page_of("thank you"), page_of("see you soon"))))
    assert len(pages_read(app)) == 1 and any("2 pages not read yet" in caption.value for caption in app.caption)
    settled(app.button(key="read_all").click().run())
    assert len(pages_read(app)) == 3 and not any("not read yet" in caption.value for caption in app.caption)


def test_a_damaged_page_is_reported_and_the_others_are_read():
    broken = png(page_of("thank you"))[:900]
    files = [("one.png", png(page_of("good morning"))), ("broken.png", broken), ("two.png", png(page_of("thank you")))]
    app = upload(photo_page().run(), *files)
    assert not app.exception and {page.text for page in pages_read(app).values()} == {"good morning", "thank you"}
    assert any("broken.png" in error.value for error in app.error)


def test_a_formula_with_nothing_in_it_is_no_error():
    app = upload(photo_page().run(), ("page.png", png(page_of("good morning", "thank you"))))
    state = app.session_state["photo"]
    state.page(state.current).regions = (region_at((700, 300, 900, 340), np.eye(3), formula=True),)
    app.run()
    assert not app.exception and text_of(app) == "…"


def test_joined_lines_keep_what_was_corrected_in_either():
    app = correcting(upload(photo_page().run(), ("page.png", png(page_of("good morning", "thank you")))))
    next(field for field in app.text_input if field.label == "Line 1").set_value("Good mourning").run()
    more(app, 1)
    click(app, "Merge with next line")
    assert not app.exception and [field.value for field in app.text_input if field.label.startswith("Line")] == [
        "Good mourning thank you"
    ]


def test_the_last_correction_of_a_line_counts_wherever_it_is_found(letter):
    correcting(letter)

    def first(text: str | None = None) -> str:
        field = next(field for field in letter.text_input if field.label == "Line 1")
        if text is not None:
            field.set_value(text).run()
        return next(field for field in letter.text_input if field.label == "Line 1").value

    first("once")
    letter.toggle(key="perspective").set_value(False).run()
    assert first("twice") == "twice"
    letter.toggle(key="perspective").set_value(True).run()
    assert first() == "twice"
    letter.toggle(key="crop").set_value(False).run()
    assert first() == "twice"


def test_a_turn_found_under_odd_settings_does_not_stay(letter):
    letter.segmented_control(key="invert").set_value("always").run()
    letter.button(key="reset").click().run()
    assert "Martha" in text_of(letter)


def test_ink_on_a_transparent_ground_is_shown_as_it_is_read():
    ink = page_of("good morning", "thank you")
    clear = Image.new("RGBA", ink.size, (0, 0, 0, 0))
    clear.putalpha(Image.eval(ink, lambda grey: 255 - grey))
    app = upload(photo_page().run(), ("clear.png", png(clear)))
    state = app.session_state["photo"]
    prepared = state.memory.get("prepared", (state.current, PreprocessSettings()))
    view = np.asarray(Image.open(io.BytesIO(prepared.view)))
    assert text_of(app) == "good morning\nthank you" and np.median(view) == 255 and view.min() < 50


def test_a_setting_without_a_control_stays_as_it_was_loaded(letter):
    mine = PreprocessSettings(padding=40, threshold="otsu")
    letter.file_uploader(key="settings-0").set_value(("mine.json", mine.to_json().encode(), "application/json")).run()
    letter.run()
    assert letter.session_state["photo"].settings == mine
    letter.button(key="reset").click().run()
    assert letter.session_state["photo"].settings == PreprocessSettings()


def test_settings_can_be_of_one_page():
    app = upload(photo_page().run(), ("notes.pdf", pdf(page_of("good morning"), page_of("thank you"))))
    state = app.session_state["photo"]
    first = state.current

    def thresholds() -> list[str]:
        return [
            page.read_with.settings.threshold for _, page in sorted(state.pages.items(), key=lambda one: one[0].index)
        ]

    app.run()  # the choice is there once the number of pages is known
    app.segmented_control(key=f"scope-{page_id(first)}").set_value("This page").run()
    app.selectbox(key="threshold").set_value("otsu").run()
    assert not app.exception and thresholds() == ["otsu", "none"]
    app.button(key="page-1").click().run()
    assert app.selectbox(key="threshold").value == "none"
    app.selectbox(key="threshold").set_value("sauvola").run()
    assert thresholds() == ["otsu", "sauvola"]
    app.button(key="page-0").click().run()
    assert app.selectbox(key="threshold").value == "otsu" and thresholds() == ["otsu", "sauvola"]
    app.segmented_control(key=f"scope-{page_id(first)}").set_value("All pages").run()
    settled(app)
    assert thresholds() == ["sauvola", "sauvola"] and app.selectbox(key="threshold").value == "sauvola"


def test_removing_a_file_with_corrections_asks_first(letter):
    correcting(letter)
    next(field for field in letter.text_input if field.label == "Line 5").set_value("Yours, Editha").run()
    letter.button(key="remove").click().run()
    assert "1 corrected line will be lost" in letter.warning[0].value and letter.session_state["photo"].files
    letter.button(key="keep_files").click().run()
    assert not letter.warning and "Yours, Editha" in [field.value for field in letter.text_input]
    letter.button(key="remove").click().run()
    letter.button(key="remove_anyway").click().run()
    assert not letter.exception and not letter.session_state["photo"].files


def test_a_correction_and_a_deletion_are_taken_back(letter):
    correcting(letter)
    assert not [button for button in letter.button if button.key == "undo"]
    next(field for field in letter.text_input if field.label == "Line 5").set_value("Yours, Editha").run()
    click(more(letter, 1), "Delete")
    letter.button(key="undo").click().run()
    assert [field.value for field in letter.text_input if field.label.startswith("Line")][0::4] == [
        "Dear Martha,",
        "Yours, Editha",
    ]
    letter.button(key="undo").click().run()
    assert [field.value for field in letter.text_input if field.label == "Line 5"] == ["Yours, Edith"]
    assert not [button for button in letter.button if button.key == "undo"]


def test_edits_in_the_picture_change_the_text(letter):
    ids = line_ids(letter)
    edit(letter, {"op": "delete", "id": ids[0]}, {"op": "swap", "id": ids[1], "other": ids[2]})
    assert not letter.exception and text_of(letter).startswith("journey.")
    edit(letter, {"op": "turn", "by": 90})
    state = letter.session_state["photo"]
    assert state.page(state.current).turn == "90" and state.settings.turn == "auto"


def test_a_change_of_the_preprocessing_shows_its_steps(letter):
    assert letter.segmented_control(key="picture").value == "Photo"
    letter.selectbox(key="threshold").set_value("otsu").run()
    assert letter.segmented_control(key="picture").value == "Steps"
    assert any(caption.value.startswith("Threshold at ") for caption in letter.caption)
    letter.segmented_control(key="picture").set_value("Cleaned").run()
    assert not letter.exception and letter.segmented_control(key="picture").value == "Cleaned"


@pytest.mark.parametrize("allowed", ["0", "1"])
def test_only_an_operator_lets_visitors_download_a_model(allowed, monkeypatch):
    monkeypatch.setenv("HWR_DOWNLOADS", allowed)
    may_download = []

    def load(name, *arguments, fetch=True, **options):
        may_download.append(fetch)
        return load_recognizer(name, *arguments, fetch=fetch, **options)

    monkeypatch.setattr(model_picker, "load_recognizer", load)
    app = upload(photo_page().run(), ("line.png", png(render_line(write("hello world"), 96, 5))))
    offered = app.selectbox(key="auto checkpoint").options
    assert text_of(app) == "hello world" and set(may_download) == {allowed == "1"}
    assert ("TrOCR base" in offered) == (allowed == "1") and "Text (built-in)" in offered


def test_an_unreadable_line_is_framed_and_its_guess_can_be_accepted(monkeypatch):
    read = Recognizer.stream
    guess = Reading("", 0.1, alternatives=(Alternative("thank you", 0.1),), unreadable=True)

    def stream(self, images, beams=None):
        for batch in read(self, images, beams):
            yield {place: guess if place == 1 and len(images) == 3 else reading for place, reading in batch.items()}

    monkeypatch.setattr(Recognizer, "stream", stream)
    page = page_of("good morning", "thank you", "see you soon")
    app = upload(photo_page().run(), ("page.png", png(page)))
    assert not app.exception and text_of(app) == "good morning\nsee you soon"
    assert "not read: 1 place" in html_of(app)
    app.button(key="guess-0").click().run()
    assert not app.exception and text_of(app) == "good morning\nthank you\nsee you soon"
    assert "not read: 1 place" not in html_of(app)


def test_the_cells_of_a_row_stand_side_by_side(monkeypatch):
    place = pipeline.place

    def as_a_row(draft, job):
        draft = place(draft, job)
        lines = tuple(replace(line, cell=Cell(0, 0, column)) for column, line in enumerate(draft.page.lines))
        return replace(draft, page=replace(draft.page, lines=lines))

    monkeypatch.setattr(pipeline, "READ_STEPS", (*pipeline.READ_STEPS[:-1], as_a_row))
    app = upload(photo_page().run(), ("page.png", png(page_of("good morning", "thank you"))))
    assert not app.exception and text_of(app) == "good morning\tthank you"


def test_exports_have_the_documents_name_and_hold_this_page_or_all(letter, monkeypatch):
    offered, button = {}, st.download_button

    def spy(label, data, *arguments, **options):
        offered[label] = (data, *arguments)
        return button(label, data, *arguments, **options)

    def plain_text() -> tuple[str, str]:
        data, name, *_ = offered["Plain text"]
        return name, data().decode()

    monkeypatch.setattr(st, "download_button", spy)
    upload(letter, ("shopping-list.jpg", (SAMPLES / "shopping-list.jpg").read_bytes()))
    name, text = plain_text()
    assert name == "letter and 1 more.txt" and "after a long\njourney" in text and "Shopping" in text
    letter.toggle(key="paragraphs").set_value(True).run()
    assert "after a long journey" in plain_text()[1]
    letter.segmented_control(key="which-2").set_value("This page").run()
    name, text = plain_text()
    assert name == "shopping-list.txt" and "Shopping" in text and "Martha" not in text


@pytest.mark.parametrize(
    ("address", "secure"),
    [("https://example.org/photo", True), ("http://localhost:8501", True), ("http://192.168.1.5:8501/photo", False)],
)
def test_the_webcam_needs_https_or_this_computer(address, secure):
    assert _secure(address) is secure
