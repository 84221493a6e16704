"""The picture of the page that is shown: in the viewer, as photo or cleaned, or the steps of its preprocessing."""

import numpy as np
import streamlit as st

from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.reading import Page
from pages.shared.doubt import seems_unknown
from pages.shared.model_picker import Reader
from pages.shared.reading_view import counted, percent
from pages.workbench.files import Sheet
from pages.workbench.reading import Prepared, ReadSheet
from pages.workbench.state import Confidence, PageState, PhotoState
from pages.workbench.steps import show_steps
from pages.workbench.viewer import show_viewer

PHOTO, CLEANED, STEPS = "Photo", "Cleaned", "Steps"
PICTURE = "picture"  # key of the choice between them
WORSE = 0.003  # drop of the mean confidence that is reported


def choose_picture(state: PhotoState, sheet: Sheet, settings: PreprocessSettings) -> str:
    """Shows the choice of the picture. After a change of the settings it is the steps of the preprocessing."""
    touched = (sheet.key, settings)
    if state.touched is not None and state.touched[0] == sheet.key and state.touched != touched:
        st.session_state[PICTURE] = STEPS
    state.touched = touched
    st.session_state.setdefault(PICTURE, PHOTO)
    options = [PHOTO, CLEANED, STEPS]
    return st.segmented_control("Picture", options, required=True, key=PICTURE, label_visibility="collapsed") or PHOTO


def show_picture(
    state: PhotoState, sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page, choice: str
) -> None:
    """Shows the picture that was chosen."""
    if choice == STEPS:
        show_steps(prepared)
    else:
        show_viewer(state, sheet, prepared, read, shown, cleaned=choice == CLEANED)


def show_facts(page: PageState, settings: PreprocessSettings, reader: Reader, read: ReadSheet, shown: Page) -> None:
    """Says how many lines there are, how sure the letters are, what was not read, and whether a change made it worse."""
    facts = [counted(len(shown.lines), "line")]
    if shown.unread:
        facts.append(f"not read: {counted(len(shown.unread), 'place')}, framed in amber")
    worse = None
    if not read.lines_left:
        fact, worse = _confidence(page, settings, reader, read)
        facts += [fact] if fact else []
    st.html(f"<p class='facts' role='status'>{' · '.join(facts)}</p>")
    if seems_unknown(shown):
        st.warning(
            "Most words are uncertain. The model may not read this language or hand.", icon=":material/translate:"
        )
    if worse:
        st.warning(worse, icon=":material/trending_down:")


def _confidence(
    page: PageState, settings: PreprocessSettings, reader: Reader, read: ReadSheet
) -> tuple[str, str | None]:
    """The mean confidence of the letters in words, and a warning if the last change of settings made it worse."""
    letters = [value for line in read.page.lines for value in line.reading.character_confidences]
    now = Confidence((settings, reader), float(np.mean(letters)) if letters else 0.0, len(read.page.lines))
    if page.confidence is None or page.confidence.read_with != now.read_with:
        page.confidence_before, page.confidence = page.confidence, now
    before = page.confidence_before
    # Lines deleted by hand are no loss.
    fewer = page.regions is None and before is not None and now.lines < before.lines
    if before is not None and (fewer or now.mean < before.mean - WORSE):
        lines = f", {before.lines} → {counted(now.lines, 'line')}" if now.lines != before.lines else ""
        return "", f"That change made it worse: {percent(before.mean, 1)} → {percent(now.mean, 1)}{lines}."
    earlier = f" (before the last change {percent(before.mean, 1)})" if before is not None else ""
    return (f"average confidence {percent(now.mean, 1)}{earlier}" if letters else ""), None
