"""The order in which the lines of a page are read."""

import numpy as np

NARROW_GUTTER = (
    0.3  # of a line's height: how far the outlines of two columns, which the detector draws widely, may overlap
)


LEANS = (0.0, 0.007, -0.007, 0.014, -0.014, 0.021, -0.021, 0.035, -0.035, 0.05, -0.05)  # of the white between columns


def line_height(outline: np.ndarray) -> float:
    return float((np.linalg.norm(outline[3] - outline[0]) + np.linalg.norm(outline[2] - outline[1])) / 2)


def reading_order(outlines: list[np.ndarray]) -> list[np.ndarray]:
    """Top to bottom, columns one after the other: cut where white runs through the page (recursive XY-cut, Nagy 1984)."""
    if not outlines:
        return []
    height = float(np.median([line_height(outline) for outline in outlines]))
    # White as wide as a line is high parts columns of a few lines; a narrower strip only those of many.
    for gap, lines in ((height, 3), (-NARROW_GUTTER * height, 8)):
        columns = _columns(outlines, gap, lines)
        if len(columns) > 1:
            return [outline for column in columns for outline in reading_order(column)]
    rows = _split(outlines, 1, 0.3 * height)
    if len(rows) > 1:
        return [outline for row in rows for outline in reading_order(row)]
    return [outline for row in rows_of(outlines) for outline in row]


def _columns(outlines: list[np.ndarray], gap: float, lines: int) -> list[list[np.ndarray]]:
    """Columns from the left, parted by white that may lean as a page's fold does; one where there are none.

    Each has at least so many lines: two words side by side are no columns, and a page number between two belongs to the one before it.
    """
    best = [outlines]
    for lean in LEANS:
        columns: list[list[np.ndarray]] = []
        for group in _split(outlines, 0, gap, lean):
            if columns and min(len(group), len(columns[-1])) < lines:
                columns[-1].extend(group)
            else:
                columns.append(group)
        if len(columns) > len(best):
            best = columns
    return best


def _split(outlines: list[np.ndarray], axis: int, gap: float, lean: float = 0.0) -> list[list[np.ndarray]]:
    """Groups along one axis with more than `gap` pixels of white between them, which runs `lean` pixels aside a pixel down."""
    groups: list[list[np.ndarray]] = []
    reach = float("-inf")
    places = [outline[:, axis] - lean * outline[:, 1 - axis] for outline in outlines]
    for index in sorted(range(len(outlines)), key=lambda index: places[index].min()):
        if places[index].min() - reach > gap or not groups:
            groups.append([])
        groups[-1].append(outlines[index])
        reach = max(reach, places[index].max())
    return groups


def rows_of(outlines: list[np.ndarray]) -> list[list[np.ndarray]]:
    """Rows from the top, each from the left; one belongs to a row whose middle it is level with."""
    rows: list[list[np.ndarray]] = []
    for outline in sorted(outlines, key=lambda outline: outline[:, 1].mean()):
        if rows and abs(outline[:, 1].mean() - rows[-1][0][:, 1].mean()) < 0.45 * line_height(outline):
            rows[-1].append(outline)
        else:
            rows.append([outline])
    return [sorted(row, key=lambda outline: outline[:, 0].min()) for row in rows]
