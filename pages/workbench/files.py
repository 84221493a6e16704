"""The files that were dropped, pasted, photographed or chosen, and which of their pages is shown."""

from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps

from hwr_core.documents.document import Document, open_document
from hwr_core.errors import HandwritingError
from hwr_core.imaging.conversion import to_rgb
from hwr_core.reading import PageId
from pages.shared.reading_view import counted, escaped
from pages.workbench.memory import FILE, digest
from pages.workbench.refused import show_refused
from pages.workbench.state import PageKey, PhotoState, photo_state
from pages.workbench.stored import restore

STATIC = Path(__file__).parent / "static"
ADDING = "adding"  # key of the popover with the ways to add files
SHOWN = 12  # pages in the strip at once
THUMBNAIL = (96, 128)  # pixels
LONGEST_NAME = 12  # characters of a page's name in the strip
STRIP_WIDTH = 112  # pixels of a page in the strip
THUMBNAIL_BYTES = 4 * THUMBNAIL[0] * THUMBNAIL[1]
ERROR_BYTES = 1000  # counted for the error of a file that cannot be opened


@dataclass(frozen=True)
class Sheet:
    """One page of one file.

    Attributes:
        document: The file.
        index: Of the page, from 0.
        key: Identifies the page by its content, within the session.
    """

    document: Document
    index: int
    key: PageKey

    @property
    def page_id(self) -> PageId:
        """Identifies the page by its file's name, in exports."""
        return self.document.page_id(self.index)

    def picture(self) -> Image.Image:
        """The page, decoded anew at each call."""
        return self.document.page(self.index)


def open_files(state: PhotoState) -> tuple[list[Sheet], dict[str, str]]:
    """Every page of every file that can be opened, and why each other file cannot, by its name."""
    sheets: list[Sheet] = []
    faults: dict[str, str] = {}
    for name, file in state.files.items():
        try:
            sheets += sheets_of(state, name, file)
        except HandwritingError as error:
            faults[name] = str(error)
    return sheets, faults


def show_faults(state: PhotoState, faults: dict[str, str]) -> None:
    """Says of each file why it cannot be opened, or was refused, until that is dismissed."""
    if state.page_count and not st.session_state.get(ADDING):
        show_refused(state)
    for name, fault in faults.items():
        with st.container(horizontal=True, vertical_alignment="center"):
            st.error(escaped(fault), icon=":material/broken_image:")
            st.button("Dismiss", key=f"dismiss-{name}", on_click=remove, args=(state, [name]))


def sheets_of(state: PhotoState, name: str, file: str) -> list[Sheet]:
    """The pages of a file of the session.

    Raises:
        HandwritingError: The file cannot be opened, or was dropped because too much was kept.
    """
    document = state.memory.get(FILE, file)
    if isinstance(document, HandwritingError):
        raise document
    if not isinstance(document, Document):
        raise HandwritingError(f"{name} was removed, because this server's memory is full. Add it again to see it.")
    return [Sheet(document, index, PageKey(file, index)) for index in range(document.count)]


def put(name: str, data: bytes) -> None:
    """Adds a file and shows its first page. A file that is there already is only shown."""
    state = photo_state()
    file = digest(data)
    if file not in state.files.values():
        name = unused(name, state.files)
        state.files[name] = file
        restore(state, file)
    if state.memory.get(FILE, file) is None:
        name = next(known for known, its in state.files.items() if its == file)
        document = _opened(data, name)
        state.memory.put(FILE, file, document, len(data) if isinstance(document, Document) else ERROR_BYTES)
    state.current = PageKey(file, 0)
    st.session_state[ADDING] = False  # the popover closes


def remove(state: PhotoState, names: list[str]) -> None:
    """Removes files with all that is known of them, corrections too."""
    state.removing = []
    removed = {state.files.pop(name) for name in names if name in state.files}
    state.forget_files(removed - set(state.files.values()))


def unused(name: str, taken: dict[str, str]) -> str:
    """`name`, with a number where another file has it: phones call all of their pictures image.jpg."""
    path, number, free = Path(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free


def current_sheet(sheets: list[Sheet]) -> Sheet:
    """The page to show."""
    state = photo_state()
    keys = [sheet.key for sheet in sheets]
    sheet = sheets[keys.index(state.current) if state.current in keys else 0]
    state.current = sheet.key
    return sheet


def show_name(current: Sheet) -> None:
    """Shows the name of the page and the button that removes its file."""
    state = photo_state()
    st.markdown(f"**{escaped(current.page_id.title)}**", width="content")
    ask = (state, [current.document.name])
    help_ = "Removes this file and its corrections."
    st.button(
        "Remove", key="remove", icon=":material/delete:", type="tertiary", on_click=ask_to_remove, args=ask, help=help_
    )


def show_question() -> None:
    """Asks whether files with corrections are to be removed, where that was wanted."""
    state = photo_state()
    names = [name for name in state.removing if name in state.files]
    if not names:
        return
    lines = sum(len(page.corrections) for key, page in state.pages.items() if key.file in _hashes(state, names))
    what = escaped(names[0]) if len(names) == 1 else counted(len(names), "file")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.warning(
            f"Remove {what}? {counted(lines, 'corrected line')} will be lost.",
            icon=":material/delete:",
            width="stretch",
        )
        st.button("Remove", key="remove_anyway", on_click=remove, args=(state, names))
        st.button("Keep", key="keep_files", on_click=state.removing.clear)


def ask_to_remove(state: PhotoState, names: list[str]) -> None:
    """Removes files, or asks first if a page of them has corrections."""
    hashes = _hashes(state, names)
    if any(page.corrections for key, page in state.pages.items() if key.file in hashes):
        state.removing = names
    else:
        remove(state, names)


def _hashes(state: PhotoState, names: list[str]) -> set[str]:
    return {state.files[name] for name in names if name in state.files}


def _opened(data: bytes, name: str) -> Document | HandwritingError:
    try:
        return open_document(data, name)
    except HandwritingError as error:
        return error


def show_strip(sheets: list[Sheet], current: Sheet, read: set[PageKey]) -> None:
    """Shows the pages to choose from, if there are several, and the button that removes all files.

    Args:
        sheets: All pages.
        current: The page that is shown.
        read: The pages that were read; they get a tick.
    """
    if len(sheets) < 2:
        return
    state = photo_state()
    place = sheets.index(current)
    strips = -(-len(sheets) // SHOWN)
    strip = place // SHOWN
    if strips > 1:
        key = f"strip-{len(sheets)}-{place}"  # turns to the page that is shown
        strip = st.pagination(strips, default=strip + 1, key=key) - 1
    with st.container(horizontal=True, wrap=False, vertical_alignment="bottom", gap="small", key="strip"):
        for number in range(strip * SHOWN, min(len(sheets), (strip + 1) * SHOWN)):
            sheet = sheets[number]
            with st.container(key=f"thumbnail-{number}", width=STRIP_WIDTH, gap=None):
                if (picture := _thumbnail(state, sheet)) is not None:
                    st.image(picture, width="stretch", alt=f"Page {number + 1}: {sheet.page_id.title}")
                st.button(
                    f"{escaped(_short(sheet.page_id))}{' ✓' if sheet.key in read else ''}",
                    key=f"page-{number}",
                    type="primary" if number == place else "secondary",
                    width="stretch",
                    on_click=_show,
                    args=(state, sheet.key),
                    help=escaped(sheet.page_id.title),
                )
        if len({sheet.key.file for sheet in sheets}) > 1:
            ask = (state, list(state.files))
            st.button("Remove all", key="remove_all", type="tertiary", on_click=ask_to_remove, args=ask)


def _short(page: PageId) -> str:
    """The page's name, shortened in its middle to what the strip has room for."""
    tail = f" · {page.number}" if page.count > 1 else ""
    stem, room = Path(page.file).stem, LONGEST_NAME - len(tail)
    return (stem if len(stem) <= room else f"{stem[: room - 5]}…{stem[-4:]}") + tail


def _thumbnail(state: PhotoState, sheet: Sheet) -> Image.Image | None:
    def make() -> Image.Image | None:
        try:
            small = to_rgb(sheet.document.thumbnail(sheet.index)).convert("RGBA")
            return ImageOps.pad(small, THUMBNAIL, color=(0, 0, 0, 0))
        except HandwritingError:
            return None

    return state.memory.remembered("thumbnail", (sheet.key,), make, lambda picture: THUMBNAIL_BYTES)


def _show(state: PhotoState, key: PageKey) -> None:
    state.current = key
