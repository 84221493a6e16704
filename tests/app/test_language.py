"""The language that a person chooses, on both pages."""

from hwr_core.ink.handprint import write
from hwr_core.recognizer import Recognizer
from pages.shared.languages import EACH_LINE, KEY
from tests.support.app import draw_page, on_canvas, photo_page, shown_text


def languages_of_readings(monkeypatch) -> list[str | None]:
    """Returns a list that gets the language of each reading."""
    given, real = [], Recognizer.stream
    monkeypatch.setattr(
        Recognizer, "stream", lambda self, *rest: given.append(self.decoding.language) or real(self, *rest)
    )
    return given


def test_each_line_tells_its_language_until_one_is_chosen(monkeypatch):
    given = languages_of_readings(monkeypatch)
    app = on_canvas(draw_page(), write("hello")).run()
    choice = app.selectbox(key=KEY)
    assert choice.value == EACH_LINE
    assert choice.options == [EACH_LINE, "Dutch", "English", "French", "German", "Italian", "Portuguese", "Spanish"]
    assert set(given) == {None}
    app.selectbox(key=KEY).set_value("en").run()
    assert not app.exception and given[-1] == "en" and shown_text(app) == "hello"


def test_formulas_have_no_language():
    app = draw_page()
    app.session_state["mode"] = "Math"
    assert not [box for box in app.run().selectbox if box.key == KEY]
    assert [box for box in photo_page().run().selectbox if box.key == KEY]
