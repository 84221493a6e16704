"""My words on the Photo page: corrections join the list, and pages are read with it."""

import pytest

from hwr_core import recognizer
from hwr_core.own_words import checked_words
from hwr_core.runtime.limits import WORDS
from pages.shared import my_words
from tests.app.test_photo_page import correcting, letter  # noqa: F401  (a fixture)
from tests.support.app import photo_page, text_of, upload
from tests.support.paths import SAMPLES


def words(app) -> str:
    return app.text_area(key=my_words.KEY).value


def fill(app, number: int, text: str):
    return next(field for field in app.text_input if field.label == f"Line {number}").set_value(text).run()


def again(app) -> bool:
    return any(button.key == "read_again" for button in app.button)


def test_the_words_of_a_correction_join_the_list_and_wait_until_the_page_is_read_again(letter, monkeypatch):  # noqa: F811
    correcting(letter)
    state = letter.session_state["photo"]
    assert not again(letter) and state.page(state.current).words == ""
    fill(letter, 1, "Dear Marthe, 12")
    assert not letter.exception and words(letter) == "Marthe", "neither known words nor numbers"
    fill(letter, 5, "Yours, “Editha Zyx”")
    assert words(letter).split() == ["Marthe", "Editha", "Zyx"]
    assert state.page(state.current).words == "" and again(letter), "the fields stay as they are while one corrects"
    favoured = []
    with_words = recognizer.Recognizer.with_words
    monkeypatch.setattr(
        recognizer.Recognizer, "with_words", lambda self, chosen: favoured.append(chosen) or with_words(self, chosen)
    )
    letter.button(key="read_again").click().run()
    assert not letter.exception
    assert {checked_words(chosen) for chosen in favoured} == {checked_words(words(letter))}
    assert state.page(state.current).words == words(letter) and not again(letter)
    assert next(field for field in letter.text_input if field.label == "Line 1").value == "Dear Marthe, 12"


def test_corrections_join_only_if_that_is_wanted(letter):  # noqa: F811
    letter.toggle(key=my_words.JOIN).set_value(False)
    correcting(letter)
    fill(letter, 1, "Dear Marthe,")
    assert words(letter) == "" and not again(letter)


def test_a_new_page_is_read_with_the_list_and_a_name_in_it_is_read_right():
    app = photo_page().run()
    app.text_area(key=my_words.KEY).set_value("Marthe, Editha").run()
    app = upload(app, ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    state = app.session_state["photo"]
    assert not app.exception and state.page(state.current).read_with.reader.words == "Marthe, Editha"
    assert "roses" in text_of(app), "other words are read as before"


@pytest.mark.parametrize("forget", [False, True])
def test_too_many_words_are_said_and_forget_empties_the_list(forget):
    app = photo_page().run()
    app.text_area(key=my_words.KEY).set_value(" ".join(f"w{number}" for number in range(WORDS + 1))).run()
    assert not app.exception and app.error[0].value.startswith("The list has")
    if forget:
        app.button(key="forget").click().run()
        assert words(app) == "" and not app.error


def test_the_product_its_version_and_the_api_are_named():
    captions = [caption.value for caption in photo_page().run().sidebar.caption]
    assert any("Handwriting Recognition" in caption and "(api/docs)" in caption for caption in captions)
