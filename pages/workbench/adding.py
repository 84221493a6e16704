"""The ways to add files to the Photo page: an upload, the clipboard, a camera, and the samples."""

import base64
import binascii
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

import streamlit as st

from hwr_core.documents.input_formats import UPLOADER_TYPES, suffix_of_mime_type
from hwr_core.runtime.limits import MAX_BYTES
from pages.shared.streamlit_patches import drop_upload, uploads
from pages.workbench.files import ADDING, STATIC, put
from pages.workbench.memory import digest
from pages.workbench.refused import refuse_large, show_refused
from pages.workbench.state import PageKey, PhotoState, photo_state

SAMPLES = Path(__file__).parents[1] / "samples"
ANYWHERE = "paste-anywhere"  # key of the component that takes Ctrl+V once there are files
WEBCAM = "use_camera"  # key of the toggle of the webcam

# A button where the browser lets a page read the clipboard, and Ctrl+V anywhere on the page.
_paste = st.components.v2.component(
    "paste_picture",
    html="<button type='button'>Paste a picture</button><span></span>",
    css=(STATIC / "paste.css").read_text(encoding="utf-8"),
    js=(STATIC / "paste.js").read_text(encoding="utf-8"),
)
# The camera app of a phone: the rear camera at its full resolution, also where a page may not use the camera itself.
_shoot = st.components.v2.component(
    "take_photo",
    html="<label><input type='file' accept='image/*' capture='environment'><span>Take a photo</span></label>",
    css=(STATIC / "shoot.css").read_text(encoding="utf-8"),
    js=(STATIC / "shoot.js").read_text(encoding="utf-8"),
)


def add_pages(state: PhotoState, folded: bool) -> None:
    """Shows the ways to add files: at large where there is no page yet, else folded away."""
    if not folded:
        _add_files(state)
        show_refused(state)  # above the uploader it would make Streamlit replace that, and end its uploads
        return
    with st.popover("Add pages", icon=":material/add:", key=ADDING, on_change="rerun"):
        _add_files(state)
        if st.session_state.get(ADDING):
            show_refused(state)  # the page below is covered
    _paste(
        key=ANYWHERE,
        data={"button": False, "most": MAX_BYTES},
        on_pasted_change=lambda: _take_sent(ANYWHERE, "pasted"),
        width=1,
    )


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
        listen = not state.files
        _paste(
            key="paste",
            data={"listen": listen, "most": MAX_BYTES},
            on_pasted_change=lambda: _take_sent("paste", "pasted"),
        )
    with camera:
        _camera(state)
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
        st.session_state[WEBCAM] = False


def _take_sample(path: Path) -> None:
    put(path.name, path.read_bytes())


def _camera(state: PhotoState) -> None:
    _shoot(key="shoot", data={"most": MAX_BYTES}, on_camera_change=lambda: _take_sent("shoot", "camera"))
    st.caption("On a phone this opens its camera app. Hold the page so that it fills the picture.")
    if st.toggle("Use this device's webcam", key=WEBCAM):
        key = f"shot-{state.cameras}"
        label = "Hold the page so that it fills the picture"
        st.camera_input(label, key=key, on_change=_take_shot, args=(key,), resolution="1080p")
        if not _secure(st.context.url or ""):
            st.caption("Browsers give a page the webcam only over https, or on this computer itself.")


def _secure(address: str) -> bool:
    """Whether a browser lets the page at this address use the camera."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.hostname or "") in ("localhost", "127.0.0.1", "::1")


def _take_sent(key: str, name: str) -> None:
    """Adds the picture that a component sent as base64, unless it is too large. `name` is its trigger's and the file's."""
    sent = (st.session_state.get(key) or {}).get(name)
    if not isinstance(sent, Mapping):
        return
    file = f"{name}{suffix_of_mime_type(str(sent.get('type')))}"
    if sent.get("large") is True:
        return refuse_large(photo_state(), file)
    try:
        data = base64.b64decode(str(sent.get("data"))[: 2 * MAX_BYTES], validate=True)
    except (binascii.Error, ValueError):
        data = b""
    put(file, data)
