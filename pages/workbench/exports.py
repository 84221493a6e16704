"""Downloads: the page that is shown or all that were read, in every format, and the lines as a data set."""

from functools import partial

import streamlit as st

from hwr_core.documents.document import DocumentPage
from hwr_core.export import FORMATS, export, suffix_of
from hwr_core.export.dataset import to_dataset
from hwr_core.reading import Page, PageId
from pages.shared.reading_view import counted
from pages.workbench.files import Sheet
from pages.workbench.state import PageKey

ICONS = {"txt": "notes", "docx": "description", "pdf": "picture_as_pdf"}  # of the formats that most people want


def downloads(current: Sheet, pages: dict[PageKey, Page], sheets: list[Sheet]) -> None:
    """Shows the downloads.

    Args:
        current: The page that is shown.
        pages: The pages that were read, with their corrections. Those without text are not offered.
        sheets: All pages, in order.
    """
    written = [sheet for sheet in sheets if sheet.key in pages and pages[sheet.key].text.strip()]
    if not written:
        return
    with st.popover("Export", icon=":material/download:", key="export"):
        chosen = _choose(current, written)
        if not chosen:
            st.caption("There is no line on this page.")
            return
        stem = file_stem([sheet.page_id for sheet in chosen])
        offered = {sheet.page_id: pages[sheet.key] for sheet in chosen}
        pictures = {sheet.page_id: DocumentPage(sheet.document, sheet.index) for sheet in chosen}

        paragraphs = st.toggle(
            "Join lines into paragraphs",
            key="paragraphs",
            help="In plain text, Markdown and Word. Words that a hyphen breaks are joined.",
        )

        # Shown only where there is a struck-out word: few pages have one.
        struck = not any(page.has_struck for page in offered.values()) or not st.toggle(
            "Leave out struck-out words", key="without_struck", persist_state="session"
        )

        def offer(name: str, **options) -> None:
            suffix = suffix_of(name, len(offered))
            st.download_button(
                FORMATS[name].title,
                partial(export, offered, name, pictures, paragraphs, struck=struck),
                f"{stem}{suffix}",
                "application/zip" if suffix == ".zip" else FORMATS[name].mime,
                key=f"export-{name}",
                on_click="ignore",
                **options,
            )

        with st.container(horizontal=True):
            for name in FORMATS:
                offer(name, icon=f":material/{ICONS[name]}:" if name in ICONS else None)
        with st.expander("Data set", icon=":material/dataset:"):
            _data_set(offered, pictures, stem)


def file_stem(pages: list[PageId]) -> str:
    """The name of a file with these pages, without its suffix: that of their document, or of the first of several."""
    documents = list(dict.fromkeys(page.file for page in pages))
    if len(pages) == 1:
        return pages[0].stem
    first = PageId(documents[0]).stem
    return first if len(documents) == 1 else f"{first} and {len(documents) - 1} more"


def _choose(current: Sheet, written: list[Sheet]) -> list[Sheet]:
    """The pages to export. With several pages, the user chooses this one or all."""
    if len(written) == 1:
        return written
    one, every = "This page", f"All {len(written)} pages"
    which = st.segmented_control(
        "Which",
        [one, every],
        default=every,
        required=True,
        key=f"which-{len(written)}",
        label_visibility="collapsed",
    )
    return [sheet for sheet in written if which == every or sheet.key == current.key]


def _data_set(offered: dict[PageId, Page], pictures: dict, stem: str) -> None:
    st.caption(
        "The picture and text of each line, as an image folder with `metadata.jsonl`, to train or test models. "
        "Lines without text are left out."
    )
    corrected = sum(
        line.corrected and bool(line.reading.text.strip()) for page in offered.values() for line in page.lines
    )
    only = corrected > 0 and st.toggle(f"Only {counted(corrected, 'corrected line')}", True, key="only-corrected")
    st.download_button(
        "Data set",
        partial(to_dataset, offered, pictures, only),
        f"{stem}-lines.zip",
        "application/zip",
        key="export-dataset",
        on_click="ignore",
        width="stretch",
    )
