"""A field that is gone changes nothing, although the browser may still send its text."""

from pages.workbench.text import CORRECT
from tests.support.app import photo_page, upload
from tests.support.paths import SAMPLES


def run_with(app, gone) -> None:
    """Runs the page with what the browser sends while it still has a field that is not on the page any more."""
    states = app._tree.get_widget_states()
    states.widgets.append(gone)
    app._run(states)
    assert not app.exception


def test_a_line_that_nobody_corrected_stays_uncorrected_on_another_page():
    app = upload(photo_page().run(), ("letter.jpg", (SAMPLES / "letter.jpg").read_bytes()))
    app.segmented_control(key="view").set_value(CORRECT).run()
    gone = next(field for field in app.text_input if field.label == "Line 1")._widget_state
    upload(app, ("shopping-list.jpg", (SAMPLES / "shopping-list.jpg").read_bytes()))
    run_with(app, gone)
    assert not any(page.corrections for page in app.session_state["photo"].pages.values())
