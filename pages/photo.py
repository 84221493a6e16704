"""Photo: the workbench for pages of handwriting. Drop them, see them cleaned, read, correct, and take the text with you."""

import numpy as np
import streamlit as st
from streamlit.runtime.pages_manager import PagesManager

from hwr_core.errors import HandwritingError
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.layout.words import without_pictures
from pages.common import Reader, as_is, reader_sidebar, recognizer_for
from pages.workbench.boxes import edit_boxes, renew, with_boxes
from pages.workbench.editor import show_text, with_corrections
from pages.workbench.exports import downloads
from pages.workbench.files import Sheet, choose_files, choose_sheet
from pages.workbench.reading import Prepared, ReadSheet, go_on, layouts, prepare, read_sheet, stop
from pages.workbench.settings import settings_sidebar, show_measured

# The page stays in view beside the text, however long that is; on a phone the steps' pictures lie in rows of three.
STYLE = """<style>
@media (min-width: 640px) {
  [data-testid=stLayoutWrapper]:has(> .st-key-page_picture) { position: sticky; top: 4rem; }
  .st-key-page_picture [data-testid=stImage] img { max-height: calc(100vh - 10rem); object-fit: contain; object-position: left top; }
}
@media (max-width: 640px) {
  .st-key-steps [data-testid=stHorizontalBlock] { flex-wrap: wrap; }
  .st-key-steps [data-testid=stColumn] { flex: 1 1 28% !important; min-width: 28% !important; }
}
</style>"""


def photo_page() -> None:
    st.set_page_config(page_title="Photo · Handwriting Recognition", page_icon=":material/photo_camera:", layout="wide")
    reader = reader_sidebar()
    settings = settings_sidebar()
    st.title("Read a photo or a scan")
    sheets = choose_files()
    if not sheets:
        st.html(
            "<p class='hint'>Drop pictures or PDFs of handwriting above, paste or take one, or try a sample. "
            "They stay on this machine and are not stored.</p>"
        )
        return
    _, reader = recognizer_for(reader)  # the shipped one, where another cannot be had
    done: dict = st.session_state.setdefault(
        "pages_read", {}
    )  # by sheet: what it was read with, and the page without pictures
    # The one on the desk is read anew at once where settings change; the others when they are chosen, or all are read.
    now = st.session_state.get("on_desk")
    read = {
        key
        for key, (what, _) in done.items()
        if what is not None and (key == now or what == (settings, reader, layouts().get(key)))
    }
    sheet = choose_sheet(sheets, read)
    for_all = st.container()
    try:
        on_desk(sheet, settings, reader, done)
    except HandwritingError as error:
        st.error(as_is(str(error)), icon=":material/broken_image:")
    if len(sheets) > 1:
        with for_all:  # above, but once the page on the desk is there
            read_all(sheets, settings, reader, done)
    downloads(sheet, {key: with_corrections(page, key) for key, (_, page) in done.items()}, sheets)


def on_desk(sheet: Sheet, settings: PreprocessSettings, reader: Reader, done: dict) -> None:
    st.html(STYLE)
    # Each part keeps its place whether or not those above show something: else the browser shows old and new side by side.
    cleaning, steps, boxes, progress, rest, result = (st.container() for _ in range(6))
    with cleaning:
        prepared = prepare(sheet, settings, reader)
    show_measured(*prepared.strokes)
    with steps:
        preview(prepared)
    with boxes:
        if st.toggle(
            "Change the boxes",
            key="editing",
            on_change=renew,
            args=(sheet,),
            help="Move, delete or draw lines' boxes on the page.",
        ):
            edit_boxes(sheet, prepared)
    what = (sheet.key, settings, reader, layouts().get(sheet.key))
    stopped = st.session_state.get("stopped") == what
    st.session_state.reading = what
    with progress:
        read = read_sheet(sheet, prepared, settings, reader, stopped)
    if read.unread:
        with rest, st.container(horizontal=True, vertical_alignment="center"):
            st.warning(
                f"Reading was stopped; {read.unread} line{'s are' if read.unread > 1 else ' is'} not read.",
                icon=":material/stop_circle:",
            )
            st.button("Go on", key="go_on", on_click=go_on, icon=":material/play_circle:")
    # A page that was stopped can be taken away as it is, and counts as not read.
    done[sheet.key] = (
        None if read.unread else (settings, reader, layouts().get(sheet.key)),
        without_pictures(read.page),
    )
    with result:
        show_result(sheet, prepared, settings, reader, read)


def show_result(
    sheet: Sheet, prepared: Prepared, settings: PreprocessSettings, reader: Reader, read: ReadSheet
) -> None:
    """The page with its lines, and their text beside it."""
    shown = with_corrections(read.page, sheet.key)
    if not shown.lines:
        if not read.unread:
            st.info(
                "No handwriting was found in this picture. A box can be drawn where some is.",
                icon=":material/search_off:",
            )
            confidence(sheet, settings, reader, read)
        return
    picture, text = st.columns(2, gap="medium")
    with picture, st.container(key="page_picture"):
        count = f"{len(shown.lines)} line{'s' if len(shown.lines) > 1 else ''}"
        st.subheader(f"{count} found" if sheet.key not in layouts() else count)
        st.image(
            with_boxes(prepared, shown),
            width="stretch",
            alt="The page with its lines outlined and numbered, unsure words in red",
        )
        confidence(sheet, settings, reader, read)
    with text:
        show_text(sheet, prepared, read, shown)


def read_all(sheets: list[Sheet], settings: PreprocessSettings, reader: Reader, done: dict) -> None:
    """Every page that was not read with these settings; a damaged one is said and left out. Each counts when it is done."""
    left = [
        sheet for sheet in sheets if done.get(sheet.key, (None,))[0] != (settings, reader, layouts().get(sheet.key))
    ]
    st.button(
        f"Read all {len(sheets)} pages", key="read_all", icon=":material/library_books:", on_click=_start_all, disabled=not left,
        help=None if left else "All are read.",
    )  # fmt: skip
    damaged: dict = st.session_state.setdefault("damaged", {})  # by sheet, so that it goes with the file
    if not st.session_state.get("reading_all"):
        for sentence in damaged.values():
            st.error(as_is(sentence), icon=":material/broken_image:")
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        bar = st.progress(0.0, f"{len(left)} pages to read")
        st.button("Stop", key="stop_all", icon=":material/stop_circle:", on_click=stop)
    for number, sheet in enumerate(left):
        bar.progress(number / len(left), f"{as_is(sheet.name)} ({number + 1} of {len(left)})")
        st.session_state.reading = (sheet.key, settings, reader, layouts().get(sheet.key))
        try:
            read = read_sheet(sheet, prepare(sheet, settings, reader), settings, reader)
            done[sheet.key] = ((settings, reader, layouts().get(sheet.key)), without_pictures(read.page))
        except HandwritingError as error:
            damaged[sheet.key] = str(error)
    st.session_state.reading_all = False
    st.rerun()  # the strip tells which are read


def _start_all() -> None:
    st.session_state.reading_all = True
    st.session_state.damaged = {}
    go_on()


def preview(prepared: Prepared) -> None:
    """The steps side by side, and the histogram with the threshold on it."""
    with st.expander("What the cleaning does", expanded=True, icon=":material/tune:"), st.container(key="steps"):
        columns = st.columns(min(6, max(4, len(prepared.steps) + 1)))
        for number, (name, image) in enumerate(prepared.steps):
            columns[number % len(columns)].image(image, caption=name, width="stretch")
        with columns[len(prepared.steps) % len(columns)]:
            histogram(prepared)


def histogram(prepared: Prepared) -> None:
    """Of the greys that the threshold is, or would be, applied to. Drawn by hand: the chart libraries take 100 MB of memory."""
    heights = 90 * np.sqrt(prepared.greys / max(1.0, prepared.greys.max()))
    bars = "".join(
        f"<rect x='{4 * place}' y='{100 - height:.1f}' width='3.4' height='{height:.1f}'/>"
        for place, height in enumerate(heights)
    )
    level = prepared.threshold_level
    rule = "" if level is None else f"<rect x='{level:.1f}' y='0' width='2' height='100' fill='#d6453d'/>"
    marks = "".join(f"<text x='{grey}' y='120'>{grey}</text>" for grey in (0, 64, 128, 192, 255))
    st.image(
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='-20 0 298 124'>"
        f"<g fill='#6f86e8'>{bars}</g>{rule}<g font-size='17' font-family='sans-serif' text-anchor='middle' fill='#888'>{marks}</g></svg>",
        width="stretch",
        alt="How many pixels there are of each grey",
    )
    st.caption("Grey levels" if level is None else f"Threshold at {level:.0f}")


def confidence(sheet: Sheet, settings: PreprocessSettings, reader: Reader, read: ReadSheet) -> None:
    """How sure the letters are on average, and how that changed with the settings."""
    if read.unread:
        return
    letters = [value for line in read.page.lines for value in line.reading.character_confidences]
    sure, lines = float(np.mean(letters)) if letters else 0.0, len(read.page.lines)
    fewer = sheet.key not in layouts()  # lines that a person took away are no loss
    history: dict = st.session_state.setdefault("confidences", {}).setdefault(sheet.key, {"now": None})
    if history["now"] is None or history["now"][0] != (settings, reader):
        history["before"] = history["now"]
        history["now"] = ((settings, reader), sure, lines)
    sentence = f"Letters are {sure:.1%} sure on average." if lines else ""
    if history["before"] is None:
        st.caption(sentence)
        return
    _, sure_before, lines_before = history["before"]
    sentence += f" Before the last change they were {sure_before:.1%} sure, on {lines_before} line{'' if lines_before == 1 else 's'}."
    if sure < sure_before - 0.003 or (fewer and lines < lines_before):
        st.warning(f"{sentence} The page is read worse than before.", icon=":material/trending_down:")
    else:
        st.caption(sentence)


if PagesManager.uses_pages_directory:
    # Until streamlit_app.py has run once, a visit to /photo makes Streamlit list every file here as a page.
    PagesManager.uses_pages_directory = False
    st.rerun()
photo_page()
