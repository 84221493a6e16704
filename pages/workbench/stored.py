"""Corrections of pages in the browser's own storage. They come back when the same file, by its hash, is chosen again."""

from collections.abc import Mapping, Sequence
from typing import Any, cast, get_args

from hwr_core.imaging.settings import Turn
from hwr_core.layout.regions import Outline, Region
from pages.shared import browser_storage
from pages.workbench.state import PageKey, PageState, PhotoState

SLOT = "photo"
TYPED = "photo-typed"  # what a person was typing at a reload: keys.js writes it
MOST_FILES = 100  # whose corrections are stored; the earliest go first
MOST_LINES = 2000  # corrections and lines of a page that are taken back
NAME = "name"  # key of a file's name beside its pages
LONGEST_NAME = 200  # characters
LONGEST_LINE = 2000  # characters of a correction
REACH = 100_000  # pixels: no page is larger


def take_stored(state: PhotoState) -> None:
    """Takes what the browser had stored. Call it at the start of every run."""
    stored, typed = browser_storage.taken(SLOT), browser_storage.taken(TYPED)
    if isinstance(stored, Mapping):
        state.stored = {str(file): pages for file, pages in stored.items() if isinstance(pages, Mapping)}
    for line in typed[:MOST_LINES] if isinstance(typed, list) else ():
        if isinstance(line, Mapping):
            _take_typed(state, line)
    if stored is not None or typed is not None:
        for file in state.files.values():
            restore(state, file)


def _take_typed(state: PhotoState, line: Mapping) -> None:
    """Takes the text that a person was typing into the field of a line for a correction."""
    file, _, index = str(line.get("page")).rpartition("-")
    pages = dict(state.stored.get(file, {NAME: line.get("name")}))
    page = pages.get(index)
    values = dict(page) if isinstance(page, Mapping) else {}
    values["corrections"] = [*_pairs(values.get("corrections")), [line.get("outline"), line.get("text")]]
    state.stored[file] = {**pages, index: values}


def restore(state: PhotoState, file: str) -> None:
    """Gives the pages of a file what was stored of them, unless they have corrections already."""
    for index, values in state.stored.pop(file, {}).items():
        if not (str(index).isdigit() and isinstance(values, Mapping)):
            continue
        page = state.page(PageKey(file, int(index)))
        if page.corrections or page.regions is not None:
            continue
        page.corrections = _corrections(values.get("corrections"))
        page.regions = _regions(values.get("lines"))
        if values.get("turn") in get_args(Turn):
            page.turn = cast(Turn, values["turn"])


def stored_names(state: PhotoState) -> list[str]:
    """The names of the files that are not open and whose corrections are stored, the latest first."""
    names = [values.get(NAME) for values in reversed(state.stored.values())]
    return [name[:LONGEST_NAME] for name in names if isinstance(name, str) and name]


def store(state: PhotoState) -> None:
    """Stores the corrections of all pages. Call it at the end of a run."""
    files: dict[str, Any] = dict(state.stored)
    names = {file: name for name, file in state.files.items()}
    for key, page in state.pages.items():
        if values := _values(page):
            files.setdefault(key.file, {NAME: names.get(key.file, "")})[str(key.index)] = values
    browser_storage.save(SLOT, dict(list(files.items())[-MOST_FILES:]) or None)


def _values(page: PageState) -> dict:
    """What a person did on a page, as plain values."""
    values: dict[str, Any] = {}
    if page.corrections:
        values["corrections"] = list(page.corrections.items())
    if page.regions is not None:
        values["lines"] = [[region.outline, region.formula] for region in page.regions]
    if page.turn is not None:
        values["turn"] = page.turn
    return values


def _corrections(value: object) -> dict[Outline, str]:
    corrections = {}
    for outline, text in _pairs(value):
        if (known := _outline(outline)) is not None and isinstance(text, str):
            corrections[known] = text[:LONGEST_LINE]
    return corrections


def _regions(value: object) -> tuple[Region, ...] | None:
    if not isinstance(value, list):
        return None
    outlines = [(_outline(outline), formula is True) for outline, formula in _pairs(value)]
    return tuple(Region(outline, formula) for outline, formula in outlines if outline is not None)


def _pairs(value: object) -> list[Sequence]:
    """The pairs of a list that came from a browser."""
    items = value[:MOST_LINES] if isinstance(value, list) else []
    return [item for item in items if isinstance(item, list) and len(item) == 2]


def _outline(value: object) -> Outline | None:
    """Four corners, or None if it is anything else."""
    if not isinstance(value, list) or len(value) != 4:
        return None
    corners = []
    for corner in value:
        if not (
            isinstance(corner, list) and len(corner) == 2 and all(type(x) is int and abs(x) < REACH for x in corner)
        ):
            return None
        corners.append((corner[0], corner[1]))
    return tuple(corners)
