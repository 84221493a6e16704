"""The two pages in Streamlit's AppTest, and what they show."""

import html
import io
import json
import re

from PIL import Image
from streamlit.testing.v1 import AppTest

from hwr_core.ink.canvas import path_object
from pages.drawing.edits import TOOLS
from pages.drawing.state import DrawState
from pages.drawing.words import changed
from tests.support.paths import ROOT

TIMEOUT = 60


def draw_page() -> AppTest:
    return AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=TIMEOUT)


def photo_page() -> AppTest:
    return AppTest.from_file(str(ROOT / "pages" / "photo.py"), default_timeout=TIMEOUT)


def on_canvas(app: AppTest, strokes) -> AppTest:
    """Draws what the strokes have more than the canvas, one after the other. Other strokes take the drawing's place."""
    if "drawing" not in app.session_state:
        app.session_state["drawing"] = DrawState()
    state = app.session_state["drawing"]
    objects = tuple(path_object(stroke, 5, "#000000") for stroke in strokes)
    known = len(state.objects)
    if objects[:known] != state.objects:
        state.change(objects=objects)
    for item in objects[known:] if objects[:known] == state.objects else ():
        state.draw(item)
    return app


def plain(label: str) -> str:
    return label.replace("**", "")  # the words that differ are bold


def html_of(app: AppTest) -> str:
    return "\n".join(element.proto.body for element in app.get("html"))


def words_of(app: AppTest) -> list[list[dict]]:
    """The words that the Draw page shows in large letters, by line."""
    shown = [
        json.loads(part.proto.json)
        for part in app.get("bidi_component")
        if part.proto.component_name == "reading_words"
    ]
    return [line for block in shown for line in block["lines"]]


def shown_text(app: AppTest) -> str:
    """The lines that the Draw page shows in large letters."""
    return "\n".join(" ".join(word["text"] for word in line) for line in words_of(app))


def choose_word(app: AppTest, number: int = 0) -> str:
    """Chooses the first other reading of a word in a line, as a click in the browser does. Returns the line's new text."""
    state = app.session_state["drawing"]
    correction = state.correction_of(state.reading.page, state.strokes)
    lines = correction.current.split("\n")
    other = next(word["others"][0] for word in words_of(app)[number] if word["others"])
    lines[number] = changed([(state.reading.page.lines[number].reading, lines[number])], {**other, "line": 0})[1]
    correction.replace("\n".join(lines))
    app.run()
    return lines[number]


def text_of(app: AppTest) -> str:
    """The lines of the page that the Photo page shows."""
    body = next(element.proto.body for element in app.get("html") if "data-testid='lines'" in element.proto.body)
    lines = re.findall(r"<span class='reading small'>(.*?)</span></div>", body)
    return "\n".join(html.unescape(re.sub(r"<[^>]+>", "", line)) for line in lines)


def upload(app: AppTest, *files: tuple[str, bytes]) -> AppTest:
    app.file_uploader(key=f"files-{app.session_state['photo'].uploaders}").set_value(
        [(name, data, "image/png") for name, data in files]
    )
    return settled(app.run())


def settled(app: AppTest) -> AppTest:
    """Waits until the pages that the Photo page does not show are read, too."""
    while "background" in app.session_state and app.session_state["background"].left:
        app.session_state["background"].wait(TIMEOUT)
        app.run()
    return app


def pages_read(app: AppTest) -> dict:
    """The pages that the Photo page has read whole, by their keys."""
    return {key: page.page for key, page in app.session_state["photo"].pages.items() if page.read_with is not None}


def png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()


def press(app: AppTest, label: str) -> AppTest:
    return next(button for button in app.button if button.label == label).click().run()


class Field:
    """The Draw page's editable field, as a test of a browser would use it."""

    def __init__(self, app: AppTest, data: dict):
        self.app, self.data = app, data

    @property
    def value(self) -> str:
        return self.data["text"]

    @property
    def label(self) -> str:
        return self.data["label"]

    def set_value(self, text: str) -> AppTest:
        """Types a text. The page takes it in its next run."""
        state = self.app.session_state["drawing"]
        typed = {"op": "type", "n": state.edits + 1, "reading": self.data["reading"], "first": self.value, "text": text}
        self.app.session_state[TOOLS] = {"edits": {"session": state.session, "list": [typed]}}
        return self.app


def fields(app: AppTest) -> list[Field]:
    """The editable fields of the Draw page: one, or none."""
    parts = [part for part in app.get("bidi_component") if part.proto.component_name == "reading_field"]
    return [Field(app, json.loads(part.proto.json)) for part in parts]


def field(app: AppTest) -> Field:
    """The editable field of the Draw page."""
    [only] = fields(app)
    return only
