"""Photo: add pictures or PDFs of handwriting, see how they are cleaned and read, correct the text and export it."""

import numpy as np
import streamlit as st

from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.words import without_pictures
from hwr_core.reading import Page
from pages.shared import streamlit_patches
from pages.shared.components import ICON, style
from pages.shared.model_picker import Reader, model_picker, recognizer_for
from pages.shared.reading_view import counted, escaped, percent
from pages.workbench.boxes import edit_boxes, with_boxes
from pages.workbench.editor import show_text, show_unreadable, with_corrections
from pages.workbench.exports import downloads
from pages.workbench.files import STATIC, Sheet, choose_files, choose_sheet
from pages.workbench.reading import Prepared, ReadSheet, prepare, read_sheet, read_with
from pages.workbench.settings import settings_sidebar
from pages.workbench.state import Confidence, PageKey, PageState, PhotoState, photo_state
from pages.workbench.steps import show_steps

WORSE = 0.003  # drop of the mean confidence that is reported


def photo_page() -> None:
    """The Photo page."""
    st.set_page_config(page_title="Photo · Handwriting Recognition", page_icon=ICON, layout="wide")
    style("reading.css")
    settings, show_measured = settings_sidebar()
    reader = model_picker()
    st.title("Read a photo or scan")
    sheets = choose_files()
    if not sheets:
        st.html(
            "<p class='hint'>Drop pictures or PDFs of handwriting above, paste one, take one, or try a sample. "
            "Processed in memory on the server and never saved.</p>"
        )
        return
    _, reader = recognizer_for(reader)  # the built-in one, where another cannot be loaded
    state = photo_state()
    sheet = choose_sheet(sheets, read_pages(state, sheets, settings, reader))
    for_all = st.container()
    try:
        prepared = show_page(sheet, settings, reader)
        show_measured(*prepared.strokes)
    except HandwritingError as error:
        st.error(escaped(str(error)), icon=":material/broken_image:")
    if len(sheets) > 1:
        with for_all:  # above, but only once the page that is shown is read
            read_all(state, sheets, settings, reader)
    downloads(sheet, pages_with_text(state), sheets)


def read_pages(state: PhotoState, sheets: list[Sheet], settings: PreprocessSettings, reader: Reader) -> set[PageKey]:
    """The pages that are read.

    The one that is shown is read anew at once where settings change, the others when they are chosen.
    """
    return {
        sheet.key
        for sheet in sheets
        if (known := state.page(sheet.key).read_with) is not None
        and (sheet.key == state.current or known == read_with(sheet, settings, reader))
    }


def pages_with_text(state: PhotoState) -> dict[PageKey, Page]:
    """The pages that were read, with their corrections."""
    return {key: with_corrections(known.page, known) for key, known in state.pages.items() if known.page is not None}


def show_page(sheet: Sheet, settings: PreprocessSettings, reader: Reader) -> Prepared:
    """Everything about one page, from its preprocessing to its text."""
    st.html(STATIC / "photo.css")
    st.html(STATIC / "lines.css")
    state = photo_state()
    page = state.page(sheet.key)
    # Each part keeps its place whether or not those above show something. Otherwise the browser shows old and new side
    # by side.
    cleaning, steps, boxes, progress, rest, result = (st.container() for _ in range(6))
    with cleaning:
        prepared = prepare(sheet, settings, reader)
    with steps:
        show_steps(prepared)
    with boxes:
        if st.toggle(
            "Edit line boxes",
            key="editing",
            on_change=page.renew_canvas,
            help="Move, delete or draw the boxes of lines on the page.",
        ):
            edit_boxes(sheet, prepared)
    asked = (sheet.key, read_with(sheet, settings, reader))
    stopped = state.stopped == asked
    state.reading = asked
    with progress:
        read = read_sheet(sheet, prepared, settings, reader, stopped)
    if read.lines_left:
        with rest:
            show_stopped(state, read.lines_left)
    # After Stop, the lines read so far can be exported. The page counts as not read.
    page.read_with = None if read.lines_left else asked[1]
    page.page = without_pictures(read.page)
    with result:
        show_result(sheet, prepared, settings, reader, read)
    return prepared


def show_stopped(state: PhotoState, lines_left: int) -> None:
    """Says that the reading was stopped, with the button that resumes it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(f"Stopped. {counted(lines_left, 'line')} not read yet.", icon=":material/stop_circle:")
        st.button("Resume", key="go_on", on_click=state.resume, icon=":material/play_circle:")


def show_result(
    sheet: Sheet, prepared: Prepared, settings: PreprocessSettings, reader: Reader, read: ReadSheet
) -> None:
    """The page with its lines, and their text beside it."""
    page = photo_state().page(sheet.key)
    shown = with_corrections(read.page, page)
    if not shown.lines and not shown.unread:
        if not read.lines_left:
            st.info("No handwriting was found. Draw a box around it to read it anyway.", icon=":material/search_off:")
            show_confidence(page, settings, reader, read)
        return
    picture, text = st.columns(2, gap="medium")
    with picture, st.container(key="page_picture"):
        count = counted(len(shown.lines), "line")
        st.subheader(f"{count} found" if page.regions is None else count)
        st.image(
            with_boxes(prepared, shown),
            width="stretch",
            alt="The page with its lines outlined and numbered, unsure words in red, unread ink framed",
        )
        if shown.unread:
            st.caption(f"Not read: {counted(len(shown.unread), 'place')}, framed in amber.")
        show_confidence(page, settings, reader, read)
    with text:
        if shown.lines:
            show_text(sheet, prepared, read, shown)
        show_unreadable(sheet, prepared, shown)


def show_confidence(page: PageState, settings: PreprocessSettings, reader: Reader, read: ReadSheet) -> None:
    """The mean confidence of the letters, and whether the last change of settings made it worse."""
    if read.lines_left:
        return
    letters = [value for line in read.page.lines for value in line.reading.character_confidences]
    now = Confidence((settings, reader), float(np.mean(letters)) if letters else 0.0, len(read.page.lines))
    if page.confidence is None or page.confidence.read_with != now.read_with:
        page.confidence_before, page.confidence = page.confidence, now
    before = page.confidence_before
    fewer = (
        page.regions is None and before is not None and now.lines < before.lines
    )  # lines deleted by hand are no loss
    if before is not None and (fewer or now.mean < before.mean - WORSE):
        lines = f", {before.lines} → {counted(now.lines, 'line')}" if now.lines != before.lines else ""
        change = f"{percent(before.mean, 1)} → {percent(now.mean, 1)}"
        st.warning(f"That change made it worse: {change}{lines}.", icon=":material/trending_down:")
    elif now.lines:
        earlier = f" (before the last change {percent(before.mean, 1)})" if before is not None else ""
        st.caption(f"Average confidence {percent(now.mean, 1)}{earlier}")


def read_all(state: PhotoState, sheets: list[Sheet], settings: PreprocessSettings, reader: Reader) -> None:
    """Reads every page that was not read with these settings. A damaged page is reported and skipped."""
    left = [sheet for sheet in sheets if state.page(sheet.key).read_with != read_with(sheet, settings, reader)]
    st.button(
        f"Read all {len(sheets)} pages",
        key="read_all",
        icon=":material/library_books:",
        on_click=start_reading_all,
        args=(state,),
        disabled=not left,
        help=None if left else "All pages are read.",
    )
    if not state.reading_all:
        for page in state.pages.values():
            if page.error:
                st.error(escaped(page.error), icon=":material/broken_image:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, f"{counted(len(left), 'page')} to read")
        st.button("Stop", key="stop_all", icon=":material/stop_circle:", on_click=state.stop)
    for number, sheet in enumerate(left):
        bar.progress(number / len(left), f"{escaped(sheet.page_id.title)} ({number + 1} of {len(left)})")
        page, asked = state.page(sheet.key), read_with(sheet, settings, reader)
        state.reading = (sheet.key, asked)
        try:
            read = read_sheet(sheet, prepare(sheet, settings, reader), settings, reader)
            page.read_with, page.page = asked, without_pictures(read.page)
        except HandwritingError as error:
            page.error = str(error)
    state.reading_all = False
    st.rerun()  # the strip shows which pages are read


def start_reading_all(state: PhotoState) -> None:
    """Starts to read all pages, damaged ones too."""
    state.reading_all = True
    for page in state.pages.values():
        page.error = None
    state.resume()


streamlit_patches.apply()
if not streamlit_patches.uses_navigation():
    st.rerun()
photo_page()
