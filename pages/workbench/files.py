"""The files that were dropped, pasted, photographed or chosen, and which of their pages is on the desk."""

import base64
import binascii
from dataclasses import dataclass
from pathlib import Path

import streamlit as st
from PIL import Image, ImageOps
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.uploaded_file_manager import UploadedFile

from hwr_core.documents.document import Document, open_document
from hwr_core.documents.input_formats import UPLOADER_TYPES, suffix_of_mime_type
from hwr_core.errors import HandwritingError
from hwr_core.imaging.line_image import to_rgb
from hwr_core.reading import PageId
from hwr_core.runtime.limits import MAX_BYTES
from pages.common import as_is
from pages.workbench.memory import digest, forget, remembered

SAMPLES = Path(__file__).parents[1] / "samples"
SHOWN = 8  # pages in the strip at once
THUMBNAIL = (120, 160)  # pixels

# The clipboard: a button where the browser lets a page read it, and Ctrl+V anywhere on the page.
_paste = st.components.v2.component(
    "paste_picture",
    html="<button type='button'>Paste a picture</button><span></span>",
    css="""
button { font: inherit; color: var(--st-text-color); background: var(--st-background-color); cursor: pointer;
  border: 1px solid var(--st-border-color); border-radius: var(--st-button-radius); padding: .4rem 1rem; min-height: 2.5rem; }
button:hover { color: var(--st-primary-color); border-color: var(--st-primary-color); }
span { margin-left: .8rem; opacity: .7; color: var(--st-text-color); font-family: var(--st-font); }""",
    js="""
export default function ({ parentElement, setTriggerValue }) {
  const button = parentElement.querySelector("button"), remark = parentElement.querySelector("span")
  const say = (text) => { remark.textContent = text }
  const give = (blob) => {
    const reader = new FileReader()
    reader.onload = () => { say(""); setTriggerValue("pasted", { type: blob.type, data: reader.result.split(",")[1] }) }
    reader.readAsDataURL(blob)
  }
  button.onclick = async () => {
    try {
      for (const item of await navigator.clipboard.read()) {
        const type = item.types.find((type) => type.startsWith("image/"))
        if (type) return give(await item.getType(type))
      }
      say("There is no picture in the clipboard.")
    } catch { say("The browser keeps the clipboard to itself: press Ctrl+V.") }
  }
  const onPaste = (event) => {
    const file = [...(event.clipboardData?.files ?? [])].find((file) => file.type.startsWith("image/"))
    if (file) { event.preventDefault(); give(file) }
  }
  document.addEventListener("paste", onPaste)
  return () => document.removeEventListener("paste", onPaste)
}""",
)


@dataclass(frozen=True)
class Sheet:
    """One page of one file. `key` tells it by its content, in the session's memory."""

    document: Document
    index: int
    key: tuple[str, int]

    @property
    def name(self) -> str:
        return self.page_id.title

    @property
    def page_id(self) -> PageId:
        return self.document.page_id(self.index)

    def picture(self) -> Image.Image:
        return self.document.page(self.index)


def choose_files() -> list[Sheet]:
    """Every page of every file that can be opened; one that cannot is said."""
    tray: dict[str, bytes] = st.session_state.setdefault("tray", {})
    _take_in(tray)
    sheets: list[Sheet] = []
    for name, data in tray.items():
        try:
            sheets += sheets_of(name, data)
        except HandwritingError as error:
            with st.container(horizontal=True, vertical_alignment="center"):
                st.error(as_is(str(error)), icon=":material/broken_image:")
                st.button("Dismiss", key=f"dismiss-{name}", on_click=remove, args=([name],))
    return sheets


def sheets_of(name: str, data: bytes) -> list[Sheet]:
    """`HandwritingError` where the file cannot be opened."""
    key = digest(data)
    opened = remembered("documents", (key, name), lambda: _opened(data, name), len(st.session_state.tray))
    if isinstance(opened, HandwritingError):
        raise opened
    return [Sheet(opened, index, (key, index)) for index in range(opened.count)]


def _opened(data: bytes, name: str) -> Document | HandwritingError:
    try:
        return open_document(data, name)
    except HandwritingError as error:
        return error


def _take_in(tray: dict[str, bytes]) -> None:
    upload, paste, camera, samples = st.tabs([
        ":material/upload: Files", ":material/content_paste: Paste", ":material/photo_camera: Camera", ":material/auto_awesome: Samples",
    ])  # fmt: skip
    state = st.session_state
    with upload:
        # A new uploader after each drop: this one would list its files a second time, and lose them on a visit to the other page.
        key = f"files-{state.setdefault('drops', 0)}"
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
            key = f"shot-{state.setdefault('shots', 0)}"
            st.camera_input("Hold the page so that it fills the picture", key=key, on_change=_take_shot, args=(key,))
    with samples, st.container(horizontal=True):
        for path in sorted(SAMPLES.iterdir()):
            title = path.stem.replace("-", " ").capitalize()
            st.button(
                title,
                key=f"sample-{path.stem}",
                icon=":material/image:",
                on_click=put,
                args=(path.name, path.read_bytes()),
            )


def put(name: str, data: bytes) -> None:
    """On the tray, and its first page on the desk; a file that is there is not put there twice."""
    tray = st.session_state.setdefault("tray", {})
    if data not in tray.values():
        tray[unused(name, tray)] = data
    st.session_state.on_desk = (digest(data), 0)


def _take_uploads(key: str) -> None:
    if not (files := uploads(key)):
        return
    st.session_state.drops += 1
    first = (digest(files[0].getvalue()), 0)
    context = get_script_run_ctx()
    for file in files:
        put(file.name, file.getvalue())
        if context is not None:  # or Streamlit would keep a second copy until the session ends
            context.uploaded_file_mgr.remove_file(context.session_id, file.file_id)
    st.session_state.on_desk = first


def _take_shot(key: str) -> None:
    for shot in uploads(key):
        st.session_state.shots += 1
        put("camera.jpg", shot.getvalue())


def uploads(key: str) -> list[UploadedFile]:
    """What lies in an uploader or camera. A click during the run that took a file in calls its callback again, with the file gone."""
    there = st.session_state.get(key) or []
    return [file for file in (there if isinstance(there, list) else [there]) if isinstance(file, UploadedFile)]


def _take_pasted(pasted: dict) -> None:
    try:
        data = base64.b64decode(str(pasted.get("data"))[: 2 * MAX_BYTES], validate=True)
    except (binascii.Error, ValueError):
        data = b""
    put(f"pasted{suffix_of_mime_type(str(pasted.get('type')))}", data)


def unused(name: str, taken: dict[str, bytes]) -> str:
    """`name`, or with a number where there is a file of that name: phones call all of their pictures image.jpg."""
    path, number, free = Path(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free


def choose_sheet(sheets: list[Sheet], done: set[tuple[str, int]]) -> Sheet:
    """The page on the desk; where there are several, from a strip of them. `done` are those that were read."""
    keys = [sheet.key for sheet in sheets]
    current = keys.index(st.session_state.on_desk) if st.session_state.get("on_desk") in keys else 0
    if len(sheets) > 1:
        _strip(sheets, current, done)
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown(f"**{as_is(sheets[current].name)}**")
        st.button("Remove", key="remove", icon=":material/delete:", type="tertiary", on_click=remove, args=([sheets[current].document.name],),
                  help="Takes this file away, with its corrections.")  # fmt: skip
        if len({sheet.document.name for sheet in sheets}) > 1:
            st.button(
                "Remove all", key="remove_all", type="tertiary", on_click=remove, args=(list(st.session_state.tray),)
            )
    return sheets[current]


def _strip(sheets: list[Sheet], current: int, done: set[tuple[str, int]]) -> None:
    strips = -(-len(sheets) // SHOWN)
    strip = current // SHOWN
    if strips > 1:
        key = f"strip-{len(sheets)}-{current}"  # turns to the page on the desk
        strip = st.pagination(strips, default=strip + 1, key=key) - 1
    for column, number in zip(
        st.columns(SHOWN), range(strip * SHOWN, min(len(sheets), (strip + 1) * SHOWN)), strict=False
    ):
        sheet = sheets[number]
        with column:
            if (picture := _thumbnail(sheet)) is not None:
                st.image(picture, width="stretch", alt=f"Page {number + 1}")
            st.button(
                f"{number + 1}{' ✓' if sheet.key in done else ''}", key=f"page-{number}", type="primary" if number == current else "secondary",
                width="stretch", on_click=_to_desk, args=(sheet.key,), help=as_is(sheet.name),
            )  # fmt: skip


def _thumbnail(sheet: Sheet) -> Image.Image | None:
    def make() -> Image.Image | None:
        try:
            small = to_rgb(sheet.document.thumbnail(sheet.index)).convert("RGBA")
            return ImageOps.pad(small, THUMBNAIL, color=(0, 0, 0, 0))
        except HandwritingError:
            return None

    return remembered("thumbnails", sheet.key, make, 8 * SHOWN)


def _to_desk(key: tuple[str, int]) -> None:
    st.session_state.on_desk = key


def remove(names: list[str]) -> None:
    """Off the tray, and all that is remembered of them, corrections too."""
    tray = st.session_state.tray
    gone = {digest(tray.pop(name)) for name in names if name in tray} - {digest(data) for data in tray.values()}
    forget(lambda key: key[0] in gone or (isinstance(key[0], tuple) and key[0][0] in gone))
    for name in ("stopped", "reading"):
        if (st.session_state.get(name) or [(None, 0)])[0][0] in gone:
            del st.session_state[name]
    if not tray:
        st.session_state.pop("kept_readings", None)  # these are kept by the lines' pictures, of whatever sheet
