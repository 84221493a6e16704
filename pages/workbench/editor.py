"""The text of the page that is shown: to read and copy, or to correct line by line."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from PIL import Image

from hwr_core.layout.regions import Outline, Region, corrected, joined, same_line
from hwr_core.metrics import cer, edit_distance, wer
from hwr_core.reading import Line, Page
from pages.shared.components import copy_button
from pages.shared.reading_view import UNSURE, best_guess, differing, escaped, percent, shaded
from pages.workbench.files import Sheet
from pages.workbench.reading import Prepared, ReadSheet, layout_of
from pages.workbench.state import PageState, photo_state

TEXT, CORRECT = "Text", "Correct"
SHOWN = 25  # lines in the editor at once
ALTERNATIVES = 4  # other readings of a line
CROP = (1000, 72)  # pixels that a line's picture has at most
JPEG_QUALITY = 80  # of 100


def show_text(sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page) -> None:
    """Shows the text or the editor. `shown` is the page with its corrections."""
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        view = st.segmented_control(
            "View", [TEXT, CORRECT], default=TEXT, required=True, key="view", label_visibility="collapsed"
        )
        copy_button(shown.text, key="copy-page")
    if view == TEXT:
        _lines(shown)
        st.caption("Highlighted letters are unsure. “Correct” shows each line beside its picture.")
    else:
        _correct(sheet, prepared, read, shown)


def with_corrections(page: Page, state: PageState) -> Page:
    """The page with the person's corrections. An unreadable line that was corrected is unreadable no more."""
    outlines = list(state.corrections)
    filled = [line for line in page.unreadable if same_line(line.corners, outlines) is not None]
    return replace(
        corrected(page, state.corrections),
        unreadable=tuple(line for line in page.unreadable if line not in filled),
        unread=tuple(box for box in page.unread if box not in [line.box for line in filled]),
    )


def show_unreadable(sheet: Sheet, prepared: Prepared, shown: Page) -> None:
    """The lines that could not be read, each with its best guess to accept."""
    page = photo_state().page(sheet.key)
    for number, line in enumerate(line for line in shown.unreadable if best_guess(line)):
        guess = best_guess(line)
        st.html(f"<img class='crop' src='data:image/jpeg;base64,{_jpeg(line.image)}' alt='A line that was not read'>")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Could not read this line. Did you mean …?", width="content")
            accept = (page, layout_of(sheet, prepared), line.corners, guess)
            st.button(escaped(guess), key=f"guess-{number}", on_click=_accept, args=accept)


def _lines(shown: Page) -> None:
    """The lines below each other, numbered as on the picture; the cells of a row side by side. A formula is also rendered."""
    waiting, number = "", 1
    for row in shown.rows:
        cells = "\t".join(f"<span class='cell'>{shaded(line.reading) or '…'}</span>" for line in row)
        text = cells if len(row) > 1 else shaded(row[0].reading) or "…"
        waiting += f"<div><span class='number'>{number}</span><span class='reading small'>{text}</span></div>"
        number += len(row)
        if row[0].formula or number > len(shown.lines):
            st.html(f"<div class='lines' data-testid='lines'>{waiting}</div>")
            waiting = ""
        if row[0].formula and row[0].reading.text:
            st.latex(row[0].reading.text)


def _correct(sheet: Sheet, prepared: Prepared, read: ReadSheet, shown: Page) -> None:
    strips = -(-len(shown.lines) // SHOWN)
    strip = st.pagination(strips, key=f"lines-{sheet.key}") - 1 if strips > 1 else 0
    for number in range(strip * SHOWN, min(len(shown.lines), (strip + 1) * SHOWN)):
        _row(sheet, prepared, number, read, shown)
    done = sum(line.corrected for line in shown.lines)
    if st.toggle(
        "Compare with the original reading",
        key="compare",
        disabled=not done,
        help="How many characters and words you corrected.",
    ):
        _compare(read.page, shown)


def _row(sheet: Sheet, prepared: Prepared, number: int, read: ReadSheet, shown: Page) -> None:
    """One line: its picture, how sure it is, its field, and the button for more."""
    page = photo_state().page(sheet.key)
    line, machine = shown.lines[number], read.page.lines[number].reading
    outline = line.corners
    key = f"line-{hash((sheet.key, outline, machine.text))}-{page.fields.get(outline, 0)}"
    remark = "corrected" if line.corrected else f"{percent(machine.confidence)} sure"
    if not machine.complete:
        remark += " · only the beginning: the line is too long for this model"
    picture = f"<img class='crop' src='data:image/jpeg;base64,{_jpeg(line.image)}' alt='Line {number + 1}'>"
    sure = line.corrected or min(machine.character_confidences, default=1) > UNSURE
    unsure = "" if sure else f" · {shaded(machine)}"
    st.html(f"<div>{picture}<div class='remark'>{number + 1} · {remark}{unsure}</div></div>")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.text_input(
            f"Line {number + 1}",
            line.reading.text,
            key=key,
            label_visibility="collapsed",
            on_change=_take,
            args=(page, outline, key),
        )
        with st.popover(
            "", icon=":material/more_horiz:", key=f"more-{key}", on_change="rerun", help="More options"
        ) as more:
            if more.open:
                _alternatives(page, number, read.page.lines[number], line)
                _line_tools(page, list(layout_of(sheet, prepared)), number, read, shown)


def _alternatives(page: PageState, number: int, machine: Line, line: Line) -> None:
    """Other readings of a line. If it was corrected, the original reading comes first."""
    others = [machine.reading.text] if line.corrected else []
    others += [other.text for other in machine.reading.alternatives if other.text != line.reading.text]
    if others:
        st.caption("Did you mean … ?")
    for place, other in enumerate(others[:ALTERNATIVES]):
        st.button(
            differing(other, line.reading.text),
            key=f"use-{number}-{place}",
            width="stretch",
            on_click=_use,
            args=(page, line.corners, other),
        )


def _line_tools(page: PageState, regions: list[Region], number: int, read: ReadSheet, shown: Page) -> None:
    """The buttons that change the line itself."""
    place = regions.index(read.regions[number])
    region = regions[place]
    # The neighbours that are shown. Regions without text may lie between them.
    before = regions.index(read.regions[number - 1]) if number else None
    after = regions.index(read.regions[number + 1]) if number + 1 < len(read.regions) else None

    def button(title: str, icon: str, on_click: Callable, *arguments, disabled: bool = False) -> None:
        icon = f":material/{icon}:"
        st.button(title, key=f"{title}-{number}", icon=icon, on_click=on_click, args=arguments, disabled=disabled)

    with st.container(horizontal=True):
        other_kind = Region(region.outline, not region.formula)
        title = "Treat as text" if region.formula else "Treat as formula"
        changed = (*regions[:place], other_kind, *regions[place + 1 :])
        button(title, "function", page.with_regions, changed)
        if after is not None:
            pair = (shown.lines[number], shown.lines[number + 1])
            button("Merge with next line", "merge", _merge, page, regions, (place, after), pair)
        button("Up", "arrow_upward", page.with_regions, _swapped(regions, place, before), disabled=before is None)
        button("Down", "arrow_downward", page.with_regions, _swapped(regions, place, after), disabled=after is None)
        button("Delete", "delete", page.with_regions, (*regions[:place], *regions[place + 1 :]))


def _swapped(regions: list[Region], first: int, second: int | None) -> tuple[Region, ...]:
    changed = list(regions)
    if second is not None:
        changed[first], changed[second] = changed[second], changed[first]
    return tuple(changed)


def _merge(page: PageState, regions: list[Region], places: tuple[int, int], lines: tuple[Line, Line]) -> None:
    """Merges two lines. Where either was corrected, the texts of both stay."""
    place, after = places
    whole = joined([regions[place], regions[after]])
    rest = [region for index, region in enumerate(regions) if index not in places]
    at = place - (after < place)
    for line in lines:
        _drop(page, line.corners)
    if any(line.corrected for line in lines):
        page.corrections[whole.outline] = " ".join(line.reading.text for line in lines)
    page.with_regions((*rest[:at], whole, *rest[at:]))


def _accept(page: PageState, regions: tuple[Region, ...], outline: Outline, guess: str) -> None:
    """Takes the guess for an unreadable line. Its region becomes one of a person, which stays without a reading of its own."""
    place = same_line(outline, [region.outline for region in regions])
    if place is None:
        return
    (x, y), *rest = regions[place].outline
    own = Region(((x - 1, y), *rest), regions[place].formula)
    _correct_line(page, own.outline, guess)
    page.with_regions((*regions[:place], own, *regions[place + 1 :]))


def _take(page: PageState, outline: Outline, key: str) -> None:
    _correct_line(page, outline, st.session_state[key].strip())


def _use(page: PageState, outline: Outline, text: str) -> None:
    _correct_line(page, outline, text)
    page.fields[outline] = page.fields.get(outline, 0) + 1


def _correct_line(page: PageState, outline: Outline, text: str) -> None:
    """Sets the text of a line.

    It replaces an earlier correction, also where the line was then found at a slightly different place.
    """
    _drop(page, outline)
    page.corrections[outline] = text


def _drop(page: PageState, outline: Outline) -> None:
    for other in [other for other in page.corrections if same_line(outline, [other]) is not None]:
        del page.corrections[other]


def _compare(machine: Page, shown: Page) -> None:
    truths, readings = ([line.reading.text for line in page.lines] for page in (shown, machine))
    wrong, characters = sum(map(edit_distance, truths, readings)), sum(map(len, truths))
    st.caption(
        f"Character error rate {percent(cer(truths, readings), 1)} ({wrong} of {characters}), "
        f"word error rate {percent(wer(truths, readings), 1)}, assuming unchanged lines are correct."
    )


def _jpeg(picture: Image.Image) -> str:
    crop = picture.convert("L")
    crop.thumbnail(CROP)
    buffer = io.BytesIO()
    crop.save(buffer, "JPEG", quality=JPEG_QUALITY)
    return base64.b64encode(buffer.getvalue()).decode()
