"""Photo: add pictures or PDFs of handwriting, see how they are cleaned and read, correct the text and export it."""

from contextlib import nullcontext
from dataclasses import replace

import streamlit as st

from hwr_core.checkpoints.registry import AUTO
from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.words import without_pictures
from hwr_core.reading import Page
from pages.hand.show import show_learning
from pages.hand.state import hand_state
from pages.shared import streamlit_patches
from pages.shared.about import about
from pages.shared.browser_storage import storage_controls, warn_before_reload
from pages.shared.components import ICON, style
from pages.shared.model_picker import Reader, model_picker, recognizer_for
from pages.shared.my_words import fault_of, forget_words, join_switch, my_words
from pages.shared.reading_view import counted, escaped
from pages.workbench.adding import add_pages
from pages.workbench.background import Background, Task, background
from pages.workbench.editor import show_editor, show_unreadable, with_corrections
from pages.workbench.edits import take_edits
from pages.workbench.exports import downloads
from pages.workbench.files import (
    STATIC,
    Sheet,
    current_sheet,
    open_files,
    remove,
    show_faults,
    show_name,
    show_question,
    show_strip,
)
from pages.workbench.keys import use_keys
from pages.workbench.picture import choose_picture, show_facts, show_picture
from pages.workbench.reading import Prepared, Readers, ReadingBar, ReadSheet, prepare, read_sheet, read_with
from pages.workbench.refused import watch_uploaders
from pages.workbench.settings import settings_sidebar
from pages.workbench.state import PageKey, PhotoState, photo_state
from pages.workbench.stored import store, stored_names, take_stored
from pages.workbench.text import CORRECT, show_lines, text_header, undo_button
from pages.workbench.viewer import VIEWER

NAMED = 3  # files with stored corrections that are named


def photo_page() -> None:
    """The Photo page."""
    st.set_page_config(page_title="Photo · Handwriting Recognition", page_icon=ICON, layout="wide")
    style("reading.css")
    st.html(STATIC / "photo.css")
    state = photo_state()
    take_stored(state)
    settings, show_measured = settings_sidebar()
    with st.sidebar:
        words = choose_words(state)
        storage_controls(lambda: forget(state))
    reader = model_picker(AUTO)
    about()
    warn_before_reload(bool(state.files))
    watch_uploaders(state)
    sheets, faults = open_files(state)
    state.page_count = len(sheets)
    if not sheets:
        st.title("Read a photo or scan")
        show_faults(state, faults)
        add_pages(state, folded=False)
        st.html(
            "<p class='hint'>Drop pictures or PDFs of handwriting above, paste one, take one, or try a sample. "
            "Processed in memory on the server and never saved.</p>"
        )
        show_stored(state)
        return
    st.html("<h1 class='unseen'>Read a photo or scan</h1>")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="files"):
        add_pages(state, folded=True)
        show_name(sheet := current_sheet(sheets))
    show_faults(state, faults)
    show_question()
    recognizer, reader = recognizer_for(reader)  # the built-in one, where another cannot be loaded
    reader = replace(reader, words=words)
    readers = Readers(reader, recognizer)
    take_edits(state, st.session_state.get(VIEWER))
    ticked = read_pages(state, sheets, settings, reader)
    show_strip(sheets, sheet, ticked)
    others = st.container()
    try:
        known = state.page(sheet.key).read_with == read_with(state, sheet, settings, reader)
        with nullcontext() if known else background(state).paused():
            prepared = show_page(state, sheets, sheet, settings, readers)
        show_measured(*prepared.strokes)
    except HandwritingError as error:
        st.error(escaped(str(error)), icon=":material/broken_image:")
    store(state)
    with others:
        read_others(state, sheets, settings, readers)
    if len(sheets) > 1 and read_pages(state, sheets, settings, reader) != ticked:
        st.rerun()  # the strip shows which pages are read


def show_stored(state: PhotoState) -> None:
    """Tells which files have corrections in the browser's storage: after a reload, or a restart of the server."""
    if names := stored_names(state):
        more = f" and {counted(len(names) - NAMED, 'other file')}" if len(names) > NAMED else ""
        st.caption(
            f"This browser keeps your corrections of {escaped(', '.join(names[:NAMED]))}{more}. Add the file again to see them."
        )


def choose_words(state: PhotoState) -> str:
    """The sidebar's list of the person's words. Offers to read a page again that was read with other words."""
    words = my_words()
    join_switch()
    if fault := fault_of(words):
        st.error(escaped(fault), icon=":material/error:")
        return ""
    page = state.pages.get(state.current) if state.current is not None else None
    if page is not None and page.words is not None and page.words != words:
        help_ = "My words have changed since this page was read. Your corrections stay."
        st.button("Read this page again", key="read_again", on_click=page.read_again, help=help_)
    return words


def forget(state: PhotoState) -> None:
    """Removes the page's work, the word list and a learned hand from the session."""
    remove(state, list(state.files))
    forget_words()
    hand_state().forget()


def read_pages(state: PhotoState, sheets: list[Sheet], settings: PreprocessSettings, reader: Reader) -> set[PageKey]:
    """The pages that are read. The one that is shown counts: it is read anew at once where settings change."""
    return {
        sheet.key
        for sheet in sheets
        if (known := state.page(sheet.key).read_with) is not None
        and (sheet.key == state.current or known == read_with(state, sheet, settings, reader))
    }


def pages_with_text(state: PhotoState) -> dict[PageKey, Page]:
    """The pages that were read, with their corrections."""
    return {key: with_corrections(known.page, known) for key, known in state.pages.items() if known.page is not None}


def show_page(
    state: PhotoState, sheets: list[Sheet], sheet: Sheet, settings: PreprocessSettings, readers: Readers
) -> Prepared:
    """The picture of a page and its text, side by side."""
    page = state.page(sheet.key)
    wide = st.session_state.get("view") == CORRECT  # a field stands beside the picture of its line
    left, right = st.columns([2, 3] if wide else 2, gap="medium")
    with left, st.container(key="page_picture", gap="small"):
        choice = choose_picture(state, sheet, page.settings or settings)
        waiting, picture = st.empty(), st.container()
        facts = st.container()
    with right:
        header = st.container(horizontal=True, vertical_alignment="center", gap="small", key="text_header")
        progress, text = st.container(), st.container()
    with waiting.container():
        prepared = prepare(state, sheet, settings, readers)
        if page.page is None:
            st.image(prepared.view, width="stretch", alt=f"{sheet.page_id.title}, not read yet")
    asked = (sheet.key, read_with(state, sheet, settings, readers.reader))
    stopped = state.stopped == asked
    state.reading = asked
    with progress:
        bar = ReadingBar(f"stop-{sheet.key}", state.stop)
        read = read_sheet(state, sheet, prepared, settings, readers, lambda: stopped, bar)
        bar.close()
        if read.lines_left:
            show_stopped(state, read.lines_left)
    waiting.empty()
    # After Stop, the lines read so far can be exported. The page counts as not read.
    page.note_reading(None if read.lines_left else asked[1])
    page.page = without_pictures(read.page)
    shown = with_corrections(read.page, page)
    with picture:
        show_picture(state, sheet, prepared, read, shown, choice)
    with facts:
        show_facts(page, settings, page.reader_from(readers.reader), read, shown)
    with header:
        view = text_header(shown)
        downloads(sheet, pages_with_text(state), sheets)
        undo_button(page)
    with text:
        show_text(sheet, read, shown, view)
        show_learning(state, sheets, pages_with_text(state), settings, readers, view == CORRECT)
        use_keys(sheet, read, shown, view == CORRECT)
    return prepared


def show_stopped(state: PhotoState, lines_left: int) -> None:
    """Says that the reading was stopped, with the button that resumes it."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(f"Stopped. {counted(lines_left, 'line')} not read yet.", icon=":material/stop_circle:")
        st.button("Resume", key="go_on", on_click=state.resume, icon=":material/play_circle:")


def show_text(sheet: Sheet, read: ReadSheet, shown: Page, view: str) -> None:
    """The text of the page: to read, or to correct."""
    if not shown.lines and not shown.unread:
        if not read.lines_left:
            st.info(
                "No handwriting was found. Choose “Edit lines” and draw a box around it to read it anyway.",
                icon=":material/search_off:",
            )
        return
    if shown.lines and view == CORRECT:
        show_editor(sheet, read, shown)
    elif shown.lines:
        show_lines(shown)
    show_unreadable(sheet, read, shown)


def read_others(state: PhotoState, sheets: list[Sheet], settings: PreprocessSettings, readers: Readers) -> None:
    """Has the pages that are not shown read in the background, unless that was stopped. Reports damaged ones."""
    tasks = [
        Task(sheet, settings, readers, asked)
        for sheet in sheets
        if not state.page(sheet.key).error
        and sheet.key != state.current
        and state.page(sheet.key).read_with != (asked := read_with(state, sheet, settings, readers.reader))
    ]
    for page in state.pages.values():
        if page.error:
            st.error(escaped(page.error), icon=":material/broken_image:")
    background(state).want([] if state.stopped_all else tasks)
    if state.stopped_all and tasks:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.caption(f"Stopped. {counted(len(tasks), 'page')} not read yet.", width="content")
            st.button(
                "Resume", key="read_all", icon=":material/play_circle:", on_click=state.resume_all, type="tertiary"
            )
    elif tasks:
        show_progress(len(tasks))


@st.fragment(run_every="1s")
def show_progress(total: int) -> None:
    """Shows how far the reading in the background is. When a page is read, the whole page runs again."""
    state = photo_state()
    working = background(state)
    left = working.left
    if len(left) < total:
        st.rerun()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="others"):
        st.caption(f"Reading {in_words(working)}: {escaped(left[0].sheet.page_id.title)}", width="content")
        st.button("Stop", key="stop_all", icon=":material/stop_circle:", on_click=state.stop_all, type="tertiary")


def in_words(working: Background) -> str:
    """How many pages are left, and for how long."""
    pages, seconds = counted(len(working.left), "more page"), working.seconds_left
    if seconds is None:
        return pages
    return f"{pages}, about {f'{seconds:.0f} s' if seconds < 90 else f'{seconds / 60:.0f} min'}"


streamlit_patches.apply()
if not streamlit_patches.uses_navigation():
    st.rerun()
photo_page()
