"""Photo: upload or take a picture, see what the cleaning does to it, and read its lines."""

import base64
import hashlib
import io
from collections.abc import Callable
from pathlib import Path

import altair
import cv2
import numpy as np
import pandas
import streamlit as st
from PIL import Image
from streamlit.runtime.pages_manager import PagesManager

from hwr_core.errors import HandwritingError
from hwr_core.export.plain import to_json, to_txt
from hwr_core.images import open_image
from hwr_core.line_image import shrunk
from hwr_core.lines import find_lines
from hwr_core.pipeline import page_of
from hwr_core.preprocess import Preprocessed, preprocess, stroke_width
from hwr_core.reading import Line, Page, Reading
from hwr_core.settings import PreprocessSettings
from pages.common import Reader, as_is, reader_sidebar, recognizer_for, shaded
from pages.region import formulas_in

SAMPLES = Path(__file__).parent / "samples"
TYPES = ["png", "jpg", "jpeg", "webp", "tif", "tiff", "bmp", "gif"]
PREVIEW_SIDE = 640  # pixels of the longest side of a step's picture in the preview
KEPT = 2  # pictures, and cleaned pictures, kept in the session: with all its steps a large one takes some 200 MB


def photo_page() -> None:
    st.set_page_config(page_title="Photo · Handwriting Recognition", page_icon=":material/photo_camera:", layout="wide")
    reader = reader_sidebar()
    settings = settings_sidebar()
    st.title("Read a photo or a scan")
    pictures = choose_pictures()
    if not pictures:
        st.html(
            "<p class='hint'>Drop a picture of handwriting above, take one, or try a sample. It stays on this machine and is not stored.</p>"
        )
        return
    name = st.selectbox("Picture", list(pictures), key="picture") if len(pictures) > 1 else next(iter(pictures))
    pages: dict[str, Page] = st.session_state.setdefault("pages_read", {})  # by the picture's digest
    if len(pictures) > 1 and st.button(f"Read all {len(pictures)}", icon=":material/library_books:"):
        read_all(pictures, settings, reader, pages)
    try:
        photo, cleaned = opened_and_cleaned(name, pictures[name], settings)
    except HandwritingError as error:
        st.error(as_is(str(error)), icon=":material/broken_image:")
    else:
        preview(cleaned, settings)
        page = pages[digest(pictures[name])] = read(photo, cleaned, digest(pictures[name]), settings, reader)
        show_page(photo, page)
        formulas_in(photo, digest(pictures[name]), settings)
    downloads({name: pages[digest(data)] for name, data in pictures.items() if digest(data) in pages})


def opened_and_cleaned(name: str, data: bytes, settings: PreprocessSettings) -> tuple[Image.Image, Preprocessed]:
    """`HandwritingError` where the data are no picture."""
    photo = remembered("photo", (digest(data),), lambda: open_image(data, name))
    return photo, remembered("cleaned", (digest(data), settings), lambda: preprocess(photo, settings))


def read_all(pictures: dict[str, bytes], settings: PreprocessSettings, reader: Reader, pages: dict[str, Page]) -> None:
    """Every picture into `pages`; a bad one is said and left out."""
    bar = st.progress(0.0)
    for number, (name, data) in enumerate(pictures.items()):
        bar.progress(number / len(pictures), f"{name} ({number + 1} of {len(pictures)})")
        try:
            photo, cleaned = opened_and_cleaned(name, data, settings)
            pages[digest(data)] = read(photo, cleaned, digest(data), settings, reader)
        except HandwritingError as error:
            st.error(as_is(str(error)), icon=":material/broken_image:")
    bar.empty()


def settings_sidebar() -> PreprocessSettings:
    """The preprocessing's controls, in the order of the steps; a method's parameters show where it is chosen."""
    chosen: dict = {}

    def ask(control: Callable, field: str, *arguments, **options) -> None:
        chosen[field] = control(*arguments, key=f"set_{field}", persist_state="session", **options)

    with st.sidebar:
        st.subheader("Paper")
        ask(
            st.toggle,
            "flatten",
            "Flatten paper and light",
            True,
            help="Divides by the paper's brightness: shadows and yellowed paper become white.",
        )
        ask(
            st.segmented_control, "invert", "Light on dark", ["auto", "never", "always"], default="auto", required=True,
            help="Chalk on a board and dark-mode notes are turned into dark ink on light paper.",
        )  # fmt: skip
        ask(
            st.select_slider, "denoise", "Denoise", [0, 1, 2], 0, format_func=["off", "light", "strong"].__getitem__,
            help="A median filter: takes away specks, and a little of fine strokes.",
        )  # fmt: skip
        ask(st.toggle, "deskew", "Level the lines", True, help="Turns the page by up to 12° so that its lines run level.")
        ask(st.toggle, "crop", "Crop to the ink", True, help="Cuts away empty margins.")
        st.subheader("Threshold")
        ask(
            st.selectbox, "threshold", "Method", ["none", "otsu", "adaptive", "sauvola", "manual"],
            format_func=lambda method: "None (best for reading)" if method == "none" else method.capitalize(),
            help="Black and white only. Usually reads worse than grey; helps on very faint or stained pages.",
        )  # fmt: skip
        if chosen["threshold"] == "manual":
            ask(st.slider, "threshold_level", "Level", 0, 255, 128, help="Darker than this is ink.")
        if chosen["threshold"] in ("adaptive", "sauvola"):
            ask(st.slider, "threshold_window", "Window", 11, 121, 41, 2, help="Pixels across which the paper's grey is judged.")
        if chosen["threshold"] == "adaptive":
            ask(st.slider, "adaptive_offset", "Offset", 0, 40, 12, help="Grey levels below the neighbourhood's mean that count as ink.")
        if chosen["threshold"] == "sauvola":
            ask(st.slider, "sauvola_k", "k", 0.05, 0.5, 0.2, 0.05, help="Higher takes less as ink.")
        st.subheader("Stroke width")
        ask(
            st.selectbox, "stroke", "Strokes", ["keep", "thin", "thicken", "normalise"], format_func=str.capitalize,
            help="Hairlines read better thickened, felt pens thinned. Normalise measures the pen and brings it to the target.",
        )  # fmt: skip
        if chosen["stroke"] in ("thin", "thicken"):
            ask(st.slider, "stroke_amount", "By (pixels)", 1, 8, 1, help="How much thinner or thicker.")
        if chosen["stroke"] == "normalise":
            ask(st.slider, "stroke_target", "Target (pixels)", 1.0, 12.0, 4.0, 0.5, help="The width that the strokes shall have.")
    return PreprocessSettings(**chosen)


def choose_pictures() -> dict[str, bytes]:
    """The pictures that were dropped, taken or chosen, by name."""
    upload, camera, samples = st.tabs([":material/upload: Files", ":material/photo_camera: Camera", ":material/auto_awesome: Samples"])
    files = upload.file_uploader("Pictures of handwriting", TYPES, accept_multiple_files=True, key="files", on_change=forget_sample)
    pictures: dict[str, bytes] = {}
    for file in files:
        pictures[unused(file.name, pictures)] = file.getvalue()
    with camera:
        if st.toggle("Use the camera", key="use_camera") and (
            shot := st.camera_input("Hold the page so that it fills the picture", key="shot")
        ):
            pictures[unused("camera.jpg", pictures)] = shot.getvalue()
    with samples, st.container(horizontal=True):
        for path in sorted(SAMPLES.glob("*.jpg")):
            title = path.stem.replace("-", " ").capitalize()
            st.button(title, key=f"sample-{path.stem}", icon=":material/image:", on_click=choose_sample, args=(path.name,))
    if sample := st.session_state.get("sample"):
        pictures[sample] = (SAMPLES / sample).read_bytes()
    return pictures


def choose_sample(name: str) -> None:
    st.session_state.sample = st.session_state.picture = name


def forget_sample() -> None:
    st.session_state.sample = None


def unused(name: str, taken: dict[str, bytes]) -> str:
    """`name`, or with a number where there is a picture of that name: phones call all of theirs image.jpg."""
    path, number, free = Path(name), 1, name
    while free in taken:
        number += 1
        free = f"{path.stem} ({number}){path.suffix}"
    return free


def remembered(kind: str, key: tuple, make: Callable):
    """What `make` gave for `key` before in this session, the last `KEPT` of a kind; in memory only."""
    kept = st.session_state.setdefault(f"kept_{kind}", {})
    if key not in kept:
        kept[key] = make()
        while len(kept) > KEPT:
            kept.pop(next(iter(kept)))
    return kept[key]


def digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=16).hexdigest()


def preview(cleaned: Preprocessed, settings: PreprocessSettings) -> None:
    """The steps side by side, and the histogram with the threshold on it."""
    with st.expander("What the cleaning does", expanded=True, icon=":material/tune:"):
        columns = st.columns(min(5, len(cleaned.steps) + 1))
        for number, step in enumerate(cleaned.steps):
            columns[number % len(columns)].image(shrunk(step.image, PREVIEW_SIDE), caption=step.name, width="stretch")
        with columns[len(cleaned.steps) % len(columns)]:
            histogram(cleaned)
            if settings.stroke == "normalise":
                st.caption(f"Strokes are {stroke_width(cleaned.image):.1f} pixels wide now.")


def histogram(cleaned: Preprocessed) -> None:
    """Of the greys that the threshold is, or would be, applied to."""
    before = [step for step in cleaned.steps if not step.name.startswith(("Thresholded", "Strokes"))][-1]
    counts, _ = np.histogram(before.image, bins=64, range=(0, 256))
    frame = pandas.DataFrame({"grey": np.arange(64) * 4 + 2, "share": counts / counts.sum()})
    bars = altair.Chart(frame).mark_bar(width=4).encode(
        x=altair.X("grey:Q", title="Grey level", scale=altair.Scale(domain=[0, 255])),
        y=altair.Y("share:Q", title=None, axis=None, scale=altair.Scale(type="sqrt")),
    )  # fmt: skip
    if cleaned.threshold_level is not None:
        rule = altair.Chart(pandas.DataFrame({"level": [cleaned.threshold_level]})).mark_rule(color="#d6453d", strokeWidth=2)
        bars = bars + rule.encode(x="level:Q")
        st.altair_chart(bars.properties(height=150), width="stretch")
        st.caption(f"Threshold at {cleaned.threshold_level:.0f}")
    else:
        st.altair_chart(bars.properties(height=150), width="stretch")


def read(photo: Image.Image, cleaned: Preprocessed, picture: str, settings: PreprocessSettings, reader: Reader) -> Page:
    """The page; only lines whose picture or reader changed are read."""
    with st.spinner("Finding lines…"):
        found = remembered("lines", (picture, settings), lambda: find_lines(cleaned.image))
    recognizer, reader = recognizer_for(reader)
    known = st.session_state.setdefault("kept_readings", {})
    keys = [(reader, digest(line.image.tobytes()), line.image.shape) for line in found]
    fresh = [number for number, key in enumerate(keys) if key not in known]
    if fresh:
        bar = st.progress(0.0, f"Reading {len(fresh)} lines…")
        new = recognizer.read(
            [found[number].image for number in fresh], beams=reader.beams,
            on_progress=lambda done, total: bar.progress(done / total, f"Read {done} of {total} lines"),
        )  # fmt: skip
        known.update({keys[number]: reading for number, reading in zip(fresh, new, strict=True)})
        bar.empty()
    return page_of(photo.size, cleaned, found, [known[key] for key in keys])


def show_page(photo: Image.Image, page: Page) -> None:
    if not page.lines:
        st.info("No handwriting was found in this picture.", icon=":material/search_off:")
        return
    picture, text = st.columns([1, 1], gap="medium")
    with picture:
        st.subheader(f"{len(page.lines)} line{'s' if len(page.lines) > 1 else ''} found")
        st.image(with_boxes(photo, page), width="stretch", alt="The photo with the found lines outlined and numbered")
    with text:
        st.subheader("Text")
        st.code(page.text, language=None, wrap_lines=True)
        st.html("<style>.lines{display:grid;gap:.9rem}.lines img{max-width:100%;max-height:56px;border-radius:.3rem;background:#fff}</style>"
                f"<div class='lines' data-testid='lines'>{''.join(line_html(number, line) for number, line in enumerate(page.lines, 1))}</div>")  # fmt: skip


def line_html(number: int, line: Line) -> str:
    reading: Reading = line.reading
    buffer = io.BytesIO()
    crop = line.image.copy()
    crop.thumbnail((900, 64))
    crop.convert("L").save(buffer, "JPEG", quality=80)
    source = base64.b64encode(buffer.getvalue()).decode()
    cut = "" if reading.complete else " · only the beginning: the line is longer than the checkpoint can write"
    return (
        f"<div><img src='data:image/jpeg;base64,{source}' alt='Line {number}'>"
        f"<div class='reading small'>{shaded(reading)}</div>"
        f"<div style='opacity:.65;font-size:.85rem'>{number} · {reading.confidence:.0%} sure of the whole line{cut}</div></div>"
    )


def with_boxes(photo: Image.Image, page: Page) -> Image.Image:
    """A copy of the photo with the lines outlined and numbered."""
    image = photo.convert("RGB")
    image.thumbnail((1400, 1400))
    scale = image.width / photo.width
    canvas = np.array(image)
    for number, line in enumerate(page.lines, 1):
        left, top, right, bottom = (round(value * scale) for value in line.box)
        cv2.rectangle(canvas, (left, top), (right, bottom), (43, 74, 203), 2, cv2.LINE_AA)
        size = max(canvas.shape) / 1400
        cv2.putText(
            canvas,
            str(number),
            (max(0, left - round(26 * size)), bottom),
            cv2.FONT_HERSHEY_DUPLEX,
            0.9 * size,
            (214, 69, 61),
            2,
            cv2.LINE_AA,
        )
    return Image.fromarray(canvas)


def downloads(pages: dict[str, Page]) -> None:
    pages = {name: page for name, page in pages.items() if page.lines}
    if pages:
        several = f" ({len(pages)} pages)" if len(pages) > 1 else ""
        with st.container(horizontal=True):
            st.download_button(f"Text{several}", to_txt(pages), "handwriting.txt", icon=":material/download:", on_click="ignore")
            st.download_button(
                f"JSON{several}", to_json(pages), "handwriting.json", "application/json", icon=":material/data_object:", on_click="ignore"
            )


if PagesManager.uses_pages_directory:
    # Until streamlit_app.py has run once, a visit to /photo makes Streamlit list every file here as a page.
    PagesManager.uses_pages_directory = False
    st.rerun()
photo_page()
