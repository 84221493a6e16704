"""The files that were dropped, pasted, photographed or chosen, and which of their pages is shown."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps

from hwr_core.documents.document import Document, open_document
from hwr_core.documents.input_formats import UPLOADER_TYPES, suffix_of_mime_type
from hwr_core.errors import HandwritingError
from hwr_core.imaging.conversion import to_rgb
from hwr_core.reading import PageId
from hwr_core.runtime.limits import MAX_BYTES
from pages.shared.reading_view import escaped
from pages.shared.streamlit_patches import drop_upload, uploads
from pages.workbench.memory import FILE, digest
from pages.workbench.state import PageKey, PhotoState, photo_state

SAMPLES = Path(__file__).parents[1] / "samples"
STATIC = Path(__file__).parent / "static"
SHOWN = 8  # pages in the strip at once
THUMBNAIL = (120, 160)  # pixels
THUMBNAIL_BYTES = 4 * THUMBNAIL[0] * THUMBNAIL[1]
ERROR_BYTES = 1000  # counted for the error of a file that cannot be opened

# A button where the browser lets a page read the clipboard, and Ctrl+V anywhere on the page.
_paste = st.components.v2.component(
    "paste_picture",
    html="<button type='button'>Paste a picture</button><span></span>",
    css=(STATIC / "paste.css").read_text(encoding="utf-8"),
    js=(STATIC / "paste.js").read_text(encoding="utf-8"),
)


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


def choose_files() -> list[Sheet]:
    """Shows the ways to add files. Returns every page of every file that can be opened; reports the others."""
    state = photo_state()
    _add_files(state)
    sheets: list[Sheet] = []
    for name, file in state.files.items():
        try:
            sheets += sheets_of(state, name, file)
        except HandwritingError as error:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.error(escaped(str(error)), icon=":material/broken_image:")
                st.button("Dismiss", key=f"dismiss-{name}", on_click=remove, args=(state, [name]))
    return sheets


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
    if state.memory.get(FILE, file) is None:
        name = next(known for known, its in state.files.items() if its == file)
        document = _opened(data, name)
        state.memory.put(FILE, file, document, len(data) if isinstance(document, Document) else ERROR_BYTES)
    state.current = PageKey(file, 0)


def remove(state: PhotoState, names: list[str]) -> None:
    """Removes files with all that is known of them, corrections too."""
    removed = {state.files.pop(name) for name in names if name in state.files}
    state.forget_files(removed - set(state.files.values()))


def unused(name: str, taken: dict[str, str]) -> str:
    """`name`, with a number where another file has it: phones call all of their pictures image.jpg."""
    path, number, free = Path(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free


def choose_sheet(sheets: list[Sheet], read: set[PageKey]) -> Sheet:
    """Returns the page to show. With several pages, shows a strip to choose from.

    Args:
        sheets: All pages.
        read: The pages that were read; they get a tick.
    """
    state = photo_state()
    keys = [sheet.key for sheet in sheets]
    current = keys.index(state.current) if state.current in keys else 0
    if len(sheets) > 1:
        _strip(state, sheets, current, read)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{escaped(sheets[current].page_id.title)}**")
        st.button(
            "Remove",
            key="remove",
            icon=":material/delete:",
            type="tertiary",
            on_click=remove,
            args=(state, [sheets[current].document.name]),
            help="Removes this file and its corrections.",
        )
        if len({sheet.key.file for sheet in sheets}) > 1:
            st.button("Remove all", key="remove_all", type="tertiary", on_click=remove, args=(state, list(state.files)))
    return sheets[current]


def _add_files(state: PhotoState) -> None:
    upload, paste, camera, samples = st.tabs(
        [
            ":material/upload: Files",
            ":material/content_paste: Paste",
            ":material/photo_camera: Camera",
            ":material/auto_awesome: Samples",
        ]
    )
    with upload:
        # Another uploader after each drop: the old one would list its files a second time, and lose them on a visit to
        # the other page.
        key = f"files-{state.uploaders}"
        st.file_uploader(
            "Pictures and PDFs of handwriting",
            UPLOADER_TYPES,
            accept_multiple_files=True,
            key=key,
            on_change=_take_uploads,
            args=(key,),
        )
    with paste:
        pasted = _paste(key="paste", on_pasted_change=lambda: None)
        if pasted.get("pasted"):
            _take_pasted(pasted["pasted"])
    with camera:
        if st.toggle("Use the camera", key="use_camera"):
            key = f"shot-{state.cameras}"
            st.camera_input("Hold the page so that it fills the picture", key=key, on_change=_take_shot, args=(key,))
    with samples, st.container(horizontal=True):
        for path in sorted(SAMPLES.iterdir()):
            title = path.stem.replace("-", " ").capitalize()
            st.button(title, key=f"sample-{path.stem}", icon=":material/image:", on_click=_take_sample, args=(path,))


def _take_uploads(key: str) -> None:
    state = photo_state()
    if not (files := uploads(key)):
        return
    state.uploaders += 1
    for file in files:
        put(file.name, file.getvalue())
        drop_upload(file)
    state.current = PageKey(digest(files[0].getvalue()), 0)


def _take_shot(key: str) -> None:
    for shot in uploads(key):
        photo_state().cameras += 1
        put("camera.jpg", shot.getvalue())


def _take_sample(path: Path) -> None:
    put(path.name, path.read_bytes())


def _take_pasted(pasted: dict) -> None:
    try:
        data = base64.b64decode(str(pasted.get("data"))[: 2 * MAX_BYTES], validate=True)
    except (binascii.Error, ValueError):
        data = b""
    put(f"pasted{suffix_of_mime_type(str(pasted.get('type')))}", data)


def _opened(data: bytes, name: str) -> Document | HandwritingError:
    try:
        return open_document(data, name)
    except HandwritingError as error:
        return error


def _strip(state: PhotoState, sheets: list[Sheet], current: int, read: set[PageKey]) -> None:
    strips = -(-len(sheets) // SHOWN)
    strip = current // SHOWN
    if strips > 1:
        key = f"strip-{len(sheets)}-{current}"  # turns to the page that is shown
        strip = st.pagination(strips, default=strip + 1, key=key) - 1
    numbers = range(strip * SHOWN, min(len(sheets), (strip + 1) * SHOWN))
    for column, number in zip(st.columns(SHOWN), numbers, strict=False):
        sheet = sheets[number]
        with column:
            if (picture := _thumbnail(state, sheet)) is not None:
                st.image(picture, width="stretch", alt=f"Page {number + 1}")
            st.button(
                f"{number + 1}{' ✓' if sheet.key in read else ''}",
                key=f"page-{number}",
                type="primary" if number == current else "secondary",
                width="stretch",
                on_click=_show,
                args=(state, sheet.key),
                help=escaped(sheet.page_id.title),
            )


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
