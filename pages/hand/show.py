"""Learning a hand on the Photo page: the offer, the progress and the result."""

from collections.abc import Mapping

import streamlit as st

from hwr_core.checkpoints.registry import AUTO
from hwr_core.imaging.settings import PreprocessSettings
from hwr_core.reading import Page
from pages.hand.lines import corrected_lines, rows_of
from pages.hand.run import BusyError, LearningRun, obstacle
from pages.hand.state import USED, HandState, hand_state
from pages.shared.model_picker import Reader
from pages.shared.reading_view import counted, escaped
from pages.workbench.editor import with_corrections
from pages.workbench.files import Sheet
from pages.workbench.reading import Readers, prepare, read_sheet
from pages.workbench.state import PageKey, PhotoState

FEWEST = 30  # corrected lines from which learning is offered
UNCHANGED = "learn unchanged lines"  # key of the toggle
BUSY = "Another hand is being learned on this server; try again in some minutes."
PAUSE = "1s"  # between two looks at the progress


def show_learning(
    state: PhotoState,
    sheets: list[Sheet],
    pages: Mapping[PageKey, Page],
    settings: PreprocessSettings,
    readers: Readers,
    correcting: bool,
) -> None:
    """Shows the learning of the session, or offers one.

    Args:
        state: The session.
        sheets: All pages.
        pages: The pages that were read, with corrections, without their lines' pictures.
        settings: Of the preprocessing, for all pages.
        readers: Read the pages.
        correcting: Whether the person is correcting lines. Only then the missing number of lines is told.
    """
    hand, count = hand_state(), sum(len(corrected_lines(page)) for page in pages.values())
    hand.take_result()
    if hand.run is not None and hand.run.running:
        show_progress()
        return
    show_result(hand)
    if count < FEWEST:
        if count and correcting:
            st.caption(f"{counted(count, 'corrected line')}. With {FEWEST - count} more, the app can learn this hand.")
        return
    if hand.run is not None and not (hand.run.stopped or hand.run.error) and hand.run.count >= count:
        return
    if (reason := obstacle()) is not None:
        st.caption(reason)
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="learn_hand"):
        if st.button("Learn this hand", key="learn", icon=":material/school:", help=_help(count)):
            _start(hand, state, sheets, pages, settings, readers, count)
        st.toggle(
            "From unchanged lines too",
            key=UNCHANGED,
            help="Choose this if you have checked every line of the pages that you corrected. It makes the result surer.",
        )
    if hand.busy:
        st.caption(BUSY)


@st.fragment(run_every=PAUSE)
def show_progress() -> None:
    """Shows how far the learning is. When it ends, the whole page runs again."""
    run = hand_state().run
    if run is None or not run.running:
        st.rerun()
    words, share, left = run.progress()
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="learning"):
        st.progress(share, f"Learning this hand: {words}{'' if left is None else f', {in_words(left)} left'}")
        st.button("Stop", key="stop_learning", icon=":material/stop_circle:", on_click=run.stop, type="tertiary")


def in_words(seconds: float) -> str:
    """A time that is left."""
    return f"about {seconds:.0f} s" if seconds < 90 else f"about {seconds / 60:.0f} min"


def show_result(hand: HandState) -> None:
    """Shows what came of the last learning, and the hand that was learned."""
    run = hand.run
    if run is not None and run.stopped:
        st.info("Learning was stopped. Nothing has changed.", icon=":material/stop_circle:")
    elif run is not None and run.error:
        st.error(f"{escaped(run.error)} Nothing has changed.", icon=":material/error:")
    elif run is not None and run.hand is None:
        st.info(escaped(str(run.report["sentence"])), icon=":material/school:")
    if hand.hand is None:
        return
    st.success(escaped(hand.sentence), icon=":material/school:")
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="learned_hand"):
        if st.session_state.get(USED):
            st.caption("In use. “Read with my hand” is under “Advanced”.", width="content")
        else:
            st.button("Use for this session", key="use_hand", type="primary", on_click=hand.use)
        st.download_button(
            "Download", hand.hand.archive, "my-hand.zip", "application/zip", key="download_hand", on_click="ignore",
            help="The checkpoint, for `hwr read --checkpoint`. It may tell words that you wrote.",
        )  # fmt: skip
        st.button(
            "Forget this hand",
            key="forget_hand",
            type="tertiary",
            on_click=hand.forget,
            help="Removes it from the server.",
        )


def _help(count: int) -> str:
    return (
        f"A model learns from your {count} corrected lines, in some minutes. A quarter is kept aside to see whether it "
        "helps. Your lines are not saved; the result leaves this server with your session."
    )


def _start(
    hand: HandState,
    state: PhotoState,
    sheets: list[Sheet],
    pages: Mapping[PageKey, Page],
    settings: PreprocessSettings,
    readers: Readers,
    count: int,
) -> None:
    of_key = {sheet.key: sheet for sheet in sheets}

    def with_pictures(key: PageKey) -> Page:
        sheet = of_key[key]
        prepared = prepare(state, sheet, settings, readers, shown=False)
        read = read_sheet(state, sheet, prepared, settings, readers, lambda: False)
        return with_corrections(read.page, state.page(key))

    known = {key: page for key, page in pages.items() if key in of_key}
    unchanged = bool(st.session_state.get(UNCHANGED))
    with st.spinner("Collecting the lines…"):
        rows = rows_of(known, lambda key: of_key[key].page_id, with_pictures, unchanged)
    try:
        hand.run, hand.busy = LearningRun(rows, count, _start_checkpoint(readers.reader)), False
        hand.watch()
    except BusyError:
        hand.busy = True
    st.rerun()


def _start_checkpoint(reader: Reader) -> str:
    """The checkpoint to start from: never a hand that was learned, from whose lines it may be learned anew."""
    return "text" if reader.checkpoint == AUTO else reader.checkpoint
