"""Downloads: of the page on the desk or of all that were read, in every format, and the corrected lines as a data set."""

from functools import partial

import streamlit as st

from hwr_core.export import FORMATS, export, suffix_of
from hwr_core.export.dataset import to_dataset
from hwr_core.reading import Page
from pages.workbench.files import Sheet

FIRST = ("txt", "docx", "pdf")  # beside the popover with the others
ICONS = {"txt": "download", "docx": "description", "pdf": "picture_as_pdf"}


def downloads(current: Sheet, pages: dict[tuple[str, int], Page], sheets: list[Sheet]) -> None:
    """`pages` by their sheets' keys, with their corrections; of `sheets` those are offered that have text."""
    written = {
        sheet.page_id: (sheet, pages[sheet.key])
        for sheet in sheets
        if sheet.key in pages and pages[sheet.key].text.strip()
    }
    if not written:
        return
    st.subheader("Take it with you")
    with st.container(horizontal=True, vertical_alignment="center"):
        chosen = written
        if len(written) > 1:
            one, every = "This page", f"All {len(written)} pages"
            which = st.segmented_control(
                "Which",
                [one, every],
                default=every,
                required=True,
                key=f"which-{len(written)}",
                label_visibility="collapsed",
            )
            if which == one:
                chosen = {name: pair for name, pair in written.items() if pair[0].key == current.key}
        if not chosen:
            st.caption("There is no line on this page.")
            return
        offered = {name: page for name, (_, page) in chosen.items()}
        pictures = {name: sheet.picture for name, (sheet, _) in chosen.items()}

        def offer(name: str, **options) -> None:
            suffix = suffix_of(name, len(offered))
            st.download_button(
                FORMATS[name].title, partial(export, offered, name, pictures), f"handwriting{suffix}",
                "application/zip" if suffix == ".zip" else FORMATS[name].mime, key=f"export-{name}", on_click="ignore", **options,
            )  # fmt: skip

        for name in FIRST:
            offer(name, icon=f":material/{ICONS[name]}:")
        with st.popover("More formats", icon=":material/file_save:"):
            for name in FORMATS:
                if name not in FIRST:
                    offer(name, width="stretch")
        with st.popover("Data set", icon=":material/dataset:"):
            st.caption(
                "Each line's picture with its text, as an image folder with `metadata.jsonl`, to train or test readers on. Lines without text are left out."
            )
            corrected = sum(
                line.corrected and bool(line.reading.text.strip()) for page in offered.values() for line in page.lines
            )
            only = st.toggle(
                f"Only the {corrected} corrected lines",
                corrected > 0,
                disabled=not corrected,
                key=f"only-{corrected > 0}",
            )
            st.download_button(
                "Data set", partial(to_dataset, offered, pictures, only and corrected > 0), "handwriting-lines.zip", "application/zip",
                key="export-dataset", on_click="ignore", width="stretch",
            )  # fmt: skip
