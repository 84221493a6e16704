"""Reading on the shipped checkpoint: ink and photos in, text out."""

import json
import weakref
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from hwr_core import HandwritingError, open_image, pipeline, read_ink, read_page, read_region
from hwr_core.export.plain import to_json, to_txt
from hwr_core.imaging.preprocess import preprocess
from hwr_core.ink.handprint import write
from hwr_core.ink.strokes import draw, render_line
from hwr_core.layout.line_detection import find_lines
from hwr_core.layout.regions import Region
from hwr_core.metrics import cer
from hwr_core.recognizer import Recognizer
from tests.support.paths import SAMPLES
from training.evaluation.composed_pages import hand_darkness
from training.samples import LETTER


def test_drawn_words_are_read(recognizer):
    words = [
        "hello world",
        "see you at 7:30",
        "thank you very much",
        "the garden is full of roses",
        "meet me at the station",
    ]
    pages = [
        read_ink(write(text, slant=0.1, unsteadiness=0.008, seed=seed), recognizer) for seed, text in enumerate(words)
    ]
    assert cer(words, [page.text for page in pages]) < 0.1


def test_two_drawn_lines_are_two_lines_of_text_in_order(recognizer):
    strokes = [stroke + (0, 140) for stroke in write("see you soon")] + write("hello there")
    page = read_ink(strokes, recognizer)
    assert [line.reading.text for line in page.lines] == page.text.splitlines()
    assert cer(["hello there", "see you soon"], page.text.splitlines()) < 0.15
    assert page.lines[0].box[3] <= page.lines[1].box[1]


def test_words_reach_every_way_of_reading(recognizer, monkeypatch):
    given = []
    real = type(recognizer).with_words
    monkeypatch.setattr(type(recognizer), "with_words", lambda self, words: given.append(words) or real(self, words))
    strokes, photo = write("good morning"), render_line(write("good morning"), 96, 5)
    assert read_ink(strokes, recognizer, words=["Anna"]).text == "good morning"
    assert read_page(photo, recognizer, words="Anna, Ben").text == "good morning"
    assert read_region(photo, (0, 0, *photo.size), recognizer, words=("Ben",)).reading.text == "good morning"
    assert pipeline.read_picture(lambda: photo, recognizer, "line", words=["Cy"]).text == "good morning"
    assert given == [["Anna"], "Anna, Ben", ("Ben",), ["Cy"]]


def test_the_size_of_the_writing_does_not_matter(recognizer):
    texts = {read_ink(write("good morning", height=height), recognizer).text for height in (15, 60, 400)}
    assert len(texts) == 1


def test_nothing_drawn_gives_an_empty_page_and_asks_no_model(recognizer, monkeypatch):
    monkeypatch.setattr("hwr_core.recognizer.decode", lambda *args: pytest.fail("the model was asked"))
    assert read_ink([], recognizer).text == ""
    assert read_ink([np.zeros((0, 2)), np.array([[np.nan, 1.0]])], recognizer).lines == ()
    assert recognizer.read([Image.new("RGB", (400, 80), "white")])[0].text == ""


def test_a_page_is_read_line_by_line_in_order(recognizer):
    photo = open_image(SAMPLES / "letter.jpg")
    page = read_page(photo, recognizer)
    assert len(page.lines) == len(LETTER)
    assert page.size == photo.size
    assert cer(LETTER, [line.reading.text for line in page.lines]) < 0.25
    tops = [line.box[1] for line in page.lines]
    assert tops == sorted(tops)
    assert all(
        0 <= left < right <= photo.width and 0 <= top < bottom <= photo.height
        for left, top, right, bottom in (line.box for line in page.lines)
    )


def test_light_writing_on_a_dark_board_is_read(recognizer):
    page = read_page(open_image(SAMPLES / "whiteboard-in-the-dark.jpg"), recognizer)
    assert len(page.lines) == 4
    assert cer(["Meeting on Monday"], [page.lines[0].reading.text]) < 0.3


@pytest.mark.parametrize("left", [True, False])
def test_a_line_that_lies_half_in_a_shadow_is_read_whole(recognizer, left):
    ink = np.asarray(render_line(write("meet me at the station", unsteadiness=0.004), 120, 6).convert("L"))
    across = np.arange(ink.shape[1])[:: 1 if left else -1]
    light = 0.4 + 0.6 / (1 + np.exp(-(across - 0.55 * ink.shape[1]) / 8))
    photo = np.pad((70 + ink * (150 / 255)), 40, constant_values=220)
    photo = (photo * np.pad(light, 40, mode="edge")).astype(np.uint8)
    assert recognizer.read([photo])[0].text == "meet me at the station"
    assert read_page(photo, recognizer).text == "meet me at the station"


def test_a_photo_of_one_line_is_one_line(recognizer):
    strokes = [stroke + (40, 40) for stroke in write("the    quick brown    fox", height=70)]
    width = int(np.concatenate(strokes).max() + 40)
    photo = Image.fromarray(draw(strokes, (190, width), 6))
    assert len(find_lines(preprocess(photo).image)) == 1


def test_two_columns_are_read_one_after_the_other():
    left = [s + (60, 80 + 120 * row) for row in range(4) for s in write("left side here", height=50)]
    right = [s + (900, 80 + 120 * row) for row in range(4) for s in write("right side here", height=50)]
    middles = [line.outline[:, 0].mean() for line in find_lines(draw(left + right, (640, 1600), 5))]
    assert len(middles) == 8
    assert all(x < 800 for x in middles[:4]) and all(x > 800 for x in middles[4:])


@pytest.mark.parametrize("colour", ["black", "white", "grey"])
def test_a_page_without_writing_has_no_lines(recognizer, colour):
    assert read_page(Image.new("RGB", (800, 600), colour), recognizer).lines == ()


def test_confidence_is_higher_for_clear_than_for_garbled_writing(recognizer):
    clear = recognizer.read([render_line(write(text), 96, 5) for text in ("thank you", "hello world", "good morning")])
    garbled = recognizer.read(
        [
            render_line(write(text, unsteadiness=0.16, seed=4), 96, 5)
            for text in ("thank you", "hello world", "good morning")
        ]
    )
    assert min(reading.confidence for reading in clear) > max(reading.confidence for reading in garbled)


def test_beams_and_alternatives(recognizer):
    image = render_line(write("clever little dog", unsteadiness=0.03, seed=2), 96, 5)
    greedy, searched = recognizer.read([image], beams=1)[0], recognizer.read([image], beams=4)[0]
    for reading in (greedy, searched):
        texts = [other.text for other in reading.alternatives]
        assert texts and reading.text not in texts and len(set(texts)) == len(texts)
        scores = [other.score for other in reading.alternatives]
        assert scores == sorted(scores, reverse=True) and max(scores) <= reading.confidence
    with pytest.raises(ValueError, match="at least 1"):
        recognizer.read([image], beams=0)


def test_progress_is_told_and_can_end_the_reading(recognizer):
    images = [render_line(write("one two"), 96, 5)] * 20
    told = []
    recognizer.read(images, on_progress=lambda done, total: told.append((done, total)))
    assert told[-1] == (20, 20) and len(told) > 1

    def cancel(done, total):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        recognizer.read(images, on_progress=cancel)


def test_exports_say_the_same_as_the_page(recognizer):
    page = read_ink(write("hello world"), recognizer)
    assert to_txt({"a": page}) == page.text + "\n"
    assert to_txt({"a": page, "b": page}).startswith("# a\n")
    entry = json.loads(to_json({"é.png": page}))[0]
    assert entry["name"] == "é.png" and entry["text"] == page.text
    assert len(entry["lines"][0]["character_confidences"]) == len(entry["lines"][0]["text"])


def test_a_wrong_checkpoint_name_is_one_sentence():
    from hwr_core import load_recognizer

    with pytest.raises(HandwritingError, match="no directory"):
        load_recognizer("there is no such thing")


def test_a_photo_given_by_a_function_is_read_the_same_and_not_kept_while_its_lines_are(recognizer, monkeypatch):
    given, alive, read = [], [], recognizer.read

    def photo() -> Image.Image:
        picture = open_image((SAMPLES / "letter.jpg").read_bytes())
        given.append(weakref.ref(picture))
        return picture

    expected = read_page(photo(), recognizer)
    monkeypatch.setattr(
        recognizer, "read", lambda *args, **options: alive.append(given[-1]() is not None) or read(*args, **options)
    )
    page = read_page(photo, recognizer)
    assert page.text == expected.text and page.size == expected.size
    assert alive and not any(alive)


def letter_job(recognizer, **options) -> pipeline.Job:
    return pipeline.Job(lambda: open_image(SAMPLES / "letter.jpg"), pipeline.LineReader(recognizer, 1), **options)


def test_a_caller_can_remember_a_step_and_go_on_from_there(recognizer):
    run_steps, found = [], {}

    def cached(step, draft, job):
        run_steps.append(step.__name__)
        return found.setdefault(step, step(draft, job)) if step is pipeline.find else step(draft, job)

    whole = pipeline.run(pipeline.PAGE_STEPS, letter_job(recognizer), cached=cached)
    steps = [
        "find",
        "regroup",
        "lay_out",
        "cut",
        "read",
        "put_numbers_beside",
        "mix",
        "put_numbers_before",
        "join",
        "reject_mirrored",
        "place",
    ]
    assert run_steps == steps
    again = pipeline.run(pipeline.READ_STEPS, letter_job(recognizer), found[pipeline.find])
    assert again.page.text == whole.page.text == read_page(open_image(SAMPLES / "letter.jpg"), recognizer, beams=1).text


PHONES = (
    ("Ann Miller", "0171 555 2072"), ("Tom (work)", "555-0187"), ("Taxi", "555-0139"), ("Plumber", "0171 555 2012"),
    ("Mum", "555-0197"), ("Dr. Hansen", "07700 900113"),
)  # fmt: skip


@pytest.fixture(scope="module")
def phone_list():
    """Names on the left, their telephone numbers far to the right: by their outlines two columns of prose."""
    sheet = np.full((1000, 1500), 250, np.uint8)
    for row, texts in enumerate(PHONES):
        for left, text in zip((100, 900), texts, strict=True):
            ink = hand_darkness(text, "sans", 38, 3.0, 10 * row + left)
            part = sheet[100 + 90 * row :, left:][: ink.shape[0], : ink.shape[1]]
            part[:] = part * (1 - ink)
    return Image.fromarray(sheet)


def test_names_and_their_telephone_numbers_are_read_row_by_row(recognizer, phone_list):
    page = read_page(phone_list, recognizer)
    found = [[line.reading.text.replace(" ", "") for line in row] for row in page.rows]
    assert found == [[text.replace(" ", "") for text in texts] for texts in PHONES]
    assert page.text.splitlines()[4] == "Mum\t555-0197"


def test_an_order_that_a_person_chose_stays_and_rows_have_their_cells_again(recognizer, phone_list):
    job = pipeline.Job(lambda: phone_list, pipeline.LineReader(recognizer, 1))
    draft = pipeline.run(pipeline.PAGE_STEPS, job)
    again = pipeline.run(pipeline.READ_STEPS, replace(job, regions=draft.regions), draft)
    assert again.page.text == draft.page.text
    down = (*draft.regions[::2], *draft.regions[1::2])  # column by column
    chosen = pipeline.run(pipeline.READ_STEPS, replace(job, regions=down), draft)
    lefts = [line.box[0] for line in chosen.page.lines]
    assert max(lefts[:6]) < 300 < min(lefts[6:]) and len(lefts) == 12


def test_a_step_of_ones_own_runs_among_the_others(recognizer):
    def last_first(draft, job):
        return replace(draft, regions=draft.regions[::-1])

    steps = [*pipeline.FIND_STEPS, pipeline.lay_out, last_first, pipeline.cut, pipeline.read, pipeline.place]
    page = pipeline.run(steps, letter_job(recognizer)).page
    tops = [line.box[1] for line in page.lines]
    assert len(tops) == len(LETTER) and tops == sorted(tops, reverse=True)


def test_reading_can_be_watched_and_stopped_and_known_lines_are_not_read_again(recognizer, monkeypatch):
    monkeypatch.setattr(type(recognizer), "batch_size", 2)
    told, readings = [], {}
    job = letter_job(recognizer, on_progress=lambda *done: told.append(done), readings=readings)
    stopping = replace(job, stopped=lambda: len(told) >= 2)
    found = pipeline.run(pipeline.FIND_STEPS, job)
    stopped = pipeline.run(pipeline.READ_STEPS, stopping, found)
    read = len(readings)
    assert told[0] == (0, 5) and 0 < read < 5 and stopped.lines_left == 5 - read == 5 - len(stopped.page.lines)
    told.clear()
    rest = pipeline.run(pipeline.READ_STEPS, job, found)
    assert told[0] == (0, 5 - read) and told[-1] == (5 - read, 5 - read)
    assert rest.lines_left == 0 and len(rest.page.lines) == 5


def test_a_dropped_cleaned_page_is_made_anew_for_a_region_that_was_added(recognizer):
    found = pipeline.run(pipeline.FIND_STEPS, letter_job(recognizer))
    first = found.found_regions[0]
    (x, y), right, below, left = first.outline
    half = Region(((x, y), ((x + right[0]) // 2, right[1]), ((left[0] + below[0]) // 2, below[1]), left))
    drafts = [
        pipeline.run(pipeline.READ_STEPS, letter_job(recognizer, regions=(half,)), draft)
        for draft in (found, replace(found, cleaned=None))
    ]
    assert drafts[0].page.text and drafts[0].page.text == drafts[1].page.text


def test_lines_that_did_not_change_are_not_read_again(monkeypatch, recognizer):
    read = []
    original = Recognizer.stream

    def spy(self, images, beams=None):
        read.append(len(images))
        return original(self, images, beams)

    monkeypatch.setattr(Recognizer, "stream", spy)
    first, second = write("good morning", height=40), [s + (0, 150) for s in write("thank you", height=40)]
    known: dict = {}
    assert read_ink(first, recognizer, readings=known).text == "good morning"
    page = read_ink([*first, *second], recognizer, readings=known)
    assert page.text == "good morning\nthank you" and read == [1, 1]
    read_ink(first, recognizer, beams=1, readings=known)
    assert read == [1, 1, 1], "another accuracy reads again"


def test_the_writing_of_the_other_side_of_the_paper_is_unreadable(recognizer):
    sheet = np.full((620, 1000), 240.0)
    for row, text in enumerate(
        ("good morning martha", "see you in the evening", "we are on the way", "your friend edith")
    ):
        line = render_line(write(text, seed=row), 96, 5).convert("L")
        line.thumbnail((800, 80))
        ink = 255 - np.asarray(line, float)
        ink = 0.5 * ink[:, ::-1] if row % 2 else ink  # half of it shines through from the other side
        top, left = 40 + 140 * row, 60 if row % 2 == 0 else 940 - ink.shape[1]
        sheet[top : top + ink.shape[0], left : left + ink.shape[1]] -= ink * 0.85
    page = read_page(Image.fromarray(sheet.clip(0, 255).astype(np.uint8)), recognizer)
    assert page.text.splitlines() == ["good morning martha", "we are on the way"]
    assert len(page.unreadable) == len(page.unread) == 2


def test_faint_lines_below_a_marker_title_are_read(recognizer):
    sheet = np.full((700, 1000), 244.0)
    for text, top, height, pen, contrast in (("SHOPPING", 40, 150, 18, 235), ("bread and butter", 330, 70, 4, 22),
                                             ("two bottles of milk", 470, 70, 4, 22)):  # fmt: skip
        ink = 255 - np.asarray(render_line(write(text, seed=3), height, pen).convert("L"), float)
        sheet[top : top + ink.shape[0], 60 : 60 + ink.shape[1]] -= ink[:, :940] * contrast / 255
    page = read_page(Image.fromarray(sheet.clip(0, 255).astype(np.uint8)), recognizer)
    assert cer(["shopping bread and butter two bottles of milk"], [" ".join(page.text.lower().split())]) < 0.1
