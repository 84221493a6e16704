"""Correcting the text of the page that is shown: each line's picture beside its field."""

import base64
import io
from collections.abc import Callable
from dataclasses import replace

import streamlit as st
from PIL import Image

from hwr_core.layout.regions import Outline, Region, corrected, same_line
from hwr_core.metrics import cer, edit_distance, wer
from hwr_core.reading import Line, Page, Reading
from pages.shared.doubt import unsure_words
from pages.shared.my_words import join_corrected
from pages.shared.reading_view import best_guess, differing, escaped, percent
from pages.shared.typed import note_shown, typed_text
from pages.workbench.edits import correct_line, merge
from pages.workbench.files import Sheet
from pages.workbench.reading import ReadSheet
from pages.workbench.state import PageState, photo_state

SHOWN = 40  # lines in the editor at once
ALTERNATIVES = 4  # other readings of a line
CROP = (1000, 72)  # pixels that a line's picture has at most
JPEG_QUALITY = 80  # of 100


def with_corrections(page: Page, state: PageState) -> Page:
    """The page with the person's corrections. An unreadable line that was corrected is unreadable no more."""
    outlines = list(state.corrections)
    filled = [line for line in page.unreadable if same_line(line.corners, outlines) is not None]
    return replace(
        corrected(page, state.corrections),
        unreadable=tuple(line for line in page.unreadable if line not in filled),
        unread=tuple(box for box in page.unread if box not in [line.box for line in filled]),
    )


def show_unreadable(sheet: Sheet, read: ReadSheet, shown: Page) -> None:
    """The lines that could not be read, each with its best guess to accept."""
    page = photo_state().page(sheet.key)
    for number, line in enumerate(line for line in shown.unreadable if best_guess(line)):
        guess = best_guess(line)
        st.html(f"<img class='crop' src='data:image/jpeg;base64,{_jpeg(line.image)}' alt='A line that was not read'>")
        with st.container(horizontal=True, vertical_alignment="center", gap="small"):
            st.caption("Could not read this line. Did you mean …?", width="content")
            accept = (page, read.layout, line.corners, guess)
            st.button(escaped(guess), key=f"guess-{number}", on_click=_accept, args=accept)


def show_editor(sheet: Sheet, read: ReadSheet, shown: Page) -> None:
    """Shows the lines of a page, each with its picture and its field. `shown` is the page with its corrections."""
    strips = -(-len(shown.lines) // SHOWN)
    with st.container(key="field_pages"):
        strip = st.pagination(strips, key=f"lines-{sheet.key}") - 1 if strips > 1 else 0
    with st.container(key="fields", gap="xsmall"):
        for number in range(strip * SHOWN, min(len(shown.lines), (strip + 1) * SHOWN)):
            _row(sheet, number, read, shown)
    st.caption("Enter or ↓: next line. Alt+↓: next unsure word.")
    if any(line.corrected for line in shown.lines) and st.toggle(
        "Compare with the original reading", key="compare", help="How many characters and words you corrected."
    ):
        _compare(read.page, shown)


def field_key(sheet: Sheet, line: Line, machine: Reading) -> str:
    """The key of a line's field. It changes where another field with another text takes its place.

    Args:
        sheet: The page.
        line: The line, with the person's correction.
        machine: The line's reading without it.
    """
    times = photo_state().page(sheet.key).fields.get(line.corners, 0)
    return f"line-{hash((sheet.key, line.corners, machine.text))}-{times}"


def _row(sheet: Sheet, number: int, read: ReadSheet, shown: Page) -> None:
    """One line: its number and picture, its field, and the button for more."""
    page = photo_state().page(sheet.key)
    line, machine = shown.lines[number], read.page.lines[number].reading
    outline = line.corners
    key = field_key(sheet, line, machine)
    note_shown(key, line.reading.text)
    with st.container(horizontal=True, wrap=False, vertical_alignment="center", gap="xsmall", key=f"row-{number}"):
        st.html(_picture(line, number, machine), width="stretch")
        st.text_input(
            f"Line {number + 1}",
            line.reading.text,
            key=key,
            label_visibility="collapsed",
            on_change=_take,
            args=(page, outline, key, line.reading.text),
        )
        options = f"More options for line {number + 1}"
        with st.popover(
            options, icon=":material/more_horiz:", key=f"more-{key}", on_change="rerun", help=options
        ) as more:
            if more.open:
                _alternatives(page, number, read.page.lines[number], line)
                _line_tools(page, list(read.layout), number, read)


def _picture(line: Line, number: int, machine: Reading) -> str:
    """The line's number, picture and confidence, as HTML."""
    remark = "corrected" if line.corrected else percent(machine.confidence)
    long = (
        "" if machine.complete else "<div class='remark'>Only the beginning: the line is too long for this model.</div>"
    )
    mark = " check" if any(unsure_words(line)) else ""
    return (
        f"<div class='field' title='{remark}'><span class='number{mark}'>{number + 1}</span>"
        f"<img class='crop' src='data:image/jpeg;base64,{_jpeg(line.image)}' alt='Line {number + 1}, {remark}'></div>{long}"
    )


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


def _line_tools(page: PageState, regions: list[Region], number: int, read: ReadSheet) -> None:
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
            button("Merge with next line", "merge", merge, page, regions, place, after)
        button("Up", "arrow_upward", page.with_regions, _swapped(regions, place, before), disabled=before is None)
        button("Down", "arrow_downward", page.with_regions, _swapped(regions, place, after), disabled=after is None)
        button("Delete", "delete", page.with_regions, (*regions[:place], *regions[place + 1 :]))


def _swapped(regions: list[Region], first: int, second: int | None) -> tuple[Region, ...]:
    changed = list(regions)
    if second is not None:
        changed[first], changed[second] = changed[second], changed[first]
    return tuple(changed)


def _accept(page: PageState, regions: tuple[Region, ...], outline: Outline, guess: str) -> None:
    """Takes the guess for an unreadable line. Its region becomes one of a person, which stays without a reading of its own."""
    place = same_line(outline, [region.outline for region in regions])
    if place is None:
        return
    (x, y), *rest = regions[place].outline
    own = Region(((x - 1, y), *rest), regions[place].formula)
    page.with_regions((*regions[:place], own, *regions[place + 1 :]))
    page.corrections[own.outline] = guess


def _take(page: PageState, outline: Outline, key: str, before: str) -> None:
    if (typed := typed_text(key)) is not None:
        correct_line(page, outline, text := typed.strip())
        join_corrected(before, text)


def _use(page: PageState, outline: Outline, text: str) -> None:
    correct_line(page, outline, text)
    page.fields[outline] = page.fields.get(outline, 0) + 1


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
