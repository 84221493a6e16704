"""Puts the pieces of writing on a page in reading order: columns one after the other, rows of tables and forms together.

This is a recursive XY-cut (Nagy 1984) with two changes. Columns of a table or form are not cut apart: their rows are
read across. Rows are cut off one by one, so that a heading above two columns does not hide them.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise

import numpy as np

from hwr_core.layout.insertions import with_insertions
from hwr_core.layout.outlines import joined, line_height
from hwr_core.reading import Cell

# White between two columns, in heights of a line, and how many lines each must have at least: two words side by side are no
# columns. The widely drawn outlines of columns of many lines may overlap.
COLUMN_GAPS = ((1.0, 2), (0.4, 5), (-0.3, 8))
CELL_GUTTER = 0.6  # of a cell's height: white between the columns of a table of two rows
TALL_CELL_GUTTER = 0.3  # of a cell's height: white between the columns of a table of more rows
ROW_GAP = 0.3  # of a line's height: white that runs across the page and parts two rows
LEANS = (0.0, 0.007, -0.007, 0.014, -0.014, 0.021, -0.021, 0.035, -0.035, 0.05, -0.05)  # of the white between columns
SAME_ROW = 0.5  # of the lower piece's height: the overlap from which two pieces stand in one row
CELL_SHIFT = 0.3  # of the higher cell's height: how far the middles of neighbouring cells may differ
ALIGNED = 0.7  # share of a column's pieces that are level with others' from which the columns form a table
LONG_PIECE = 3.6  # width by height of a column's usual piece from which it is prose
FILLED = 0.3  # share of a column's width that prose usually fills
NUMBERS = 0.7  # share of a column's pieces that are numbers from which it is no prose, however long they are
COVERED = 0.5  # share of prose rows that have a note beside them under which the note stands apart
JOINED = -0.3  # of a line's height: white between the outlines of parts of one line at most; they overlap
TAB_GAP = 1.5  # of a line's height: white in a row from which it parts two cells
SHORT = 1.8  # width by height up to which a piece is a character or two
ALIKE = 1.7  # ratio of the heights of two such parts at most


@dataclass(frozen=True)
class Ordered:
    """A line in reading order.

    Attributes:
        pieces: The numbers of its pieces, from the left.
        cell: Its place in a table or form; None outside of one.
    """

    pieces: tuple[int, ...]
    cell: Cell | None = None


@dataclass(frozen=True)
class _Piece:
    number: int
    outline: np.ndarray = field(repr=False)  # (4, 2), clockwise from the top left
    left: float
    top: float
    right: float
    bottom: float
    is_number: bool = False

    @property
    def height(self) -> float:
        return line_height(self.outline)

    @property
    def middle(self) -> float:
        return float(self.outline[:, 1].mean())


def reading_order(outlines: Sequence[np.ndarray], numbers: Collection[int] = ()) -> list[Ordered]:
    """The lines that pieces of writing make up, in reading order.

    Args:
        outlines: The pieces' corners (4, 2) in pixels, clockwise from the top left.
        numbers: Which pieces are known to be numbers, such as prices and telephone numbers. Their column is no prose.
    """
    pieces = []
    for number, outline in enumerate(outlines):
        (left, top), (right, bottom) = outline.min(0).tolist(), outline.max(0).tolist()
        pieces.append(_Piece(number, outline, left, top, right, bottom, number in numbers))
    lines = _ordered(pieces, count())
    around = [joined([outlines[piece] for piece in line.pieces]) for line in lines]
    return [lines[place] for place in with_insertions(around, [line.cell is not None for line in lines])]


def rows_of(outlines: Sequence[np.ndarray]) -> list[list[int]]:
    """The numbers of the outlines in each row, rows from the top, each from the left."""
    ordered = [_Piece(number, outline, *outline.min(0), *outline.max(0)) for number, outline in enumerate(outlines)]
    return [[piece.number for piece in row] for row in _rows(ordered)]


def _ordered(pieces: list[_Piece], tables: "count[int]") -> list[Ordered]:
    if not pieces:
        return []
    columns = _columns(pieces)
    if len(columns) > 1:
        return [line for column in columns for line in _ordered(column, tables)]
    if _is_table(pieces):
        return _as_table(pieces, tables)
    bands = _split(pieces, 1, ROW_GAP * _usual(pieces))
    if len(bands) == 1:
        return [line for row in _rows(pieces) for line in _in_row(row, tables)]
    found: list[Ordered] = []
    start = 0
    while start < len(bands):
        end = _block_end(bands, start)
        block = [piece for band in bands[start:end] for piece in band]
        if end - start == len(bands):
            found += [line for row in _rows(pieces) for line in _in_row(row, tables)]
        else:
            found += _ordered(block, tables)
        start = end
    return found


def _block_end(bands: list[list[_Piece]], start: int) -> int:
    """Where the bands end that have columns, or a table, in common with that of `start`; the next band where they have none."""
    best = start + 1
    for end in range(start + 2, len(bands) + 1):
        block = [piece for band in bands[start:end] for piece in band]
        if len(_split(block, 0, _gutter(block))) == 1 and max(map(len, bands[start:end])) == 1:
            if end - start > 3:
                break
            continue
        if len(_columns(block)) > 1 or _is_table(block):
            best = end
        elif best > start + 1 or end - start > 3:
            break
    return best


def _in_row(row: list[_Piece], tables: "count[int]") -> list[Ordered]:
    """The lines of one row. Pieces that stand far apart are cells; nearer ones are parts of one cell, read one by one."""
    lines = _lines_of(row)
    if len(lines) == 1:
        return [Ordered(_numbers(lines[0]))]
    table, column, found = next(tables), 0, []
    for place, line in enumerate(lines):
        if place and line[0].left - lines[place - 1][-1].right >= TAB_GAP * min(
            line[0].height, lines[place - 1][-1].height
        ):
            column += 1
        found.append(Ordered(_numbers(line), Cell(table, 0, column)))
    return found


def _as_table(pieces: list[_Piece], tables: "count[int]") -> list[Ordered]:
    table = next(tables)
    columns = _split(pieces, 0, _gutter(pieces))
    column_of = {piece.number: number for number, column in enumerate(columns) for piece in column}
    return [
        Ordered(_numbers(line), Cell(table, number, column_of[line[0].number]))
        for number, row in enumerate(_rows(pieces))
        for line in _lines_of(row)
    ]


def _lines_of(row: list[_Piece]) -> list[list[_Piece]]:
    """The lines of a row, from the left. Pieces whose outlines overlap are parts of one line."""
    lines = [[row[0]]]
    for piece in row[1:]:
        before = lines[-1][-1]
        near = piece.left - before.right < JOINED * min(piece.height, before.height)
        alike = max(piece.height, before.height) < ALIKE * min(piece.height, before.height)
        # Single characters beside one another are no parts of a line: they may be the cells of a grid.
        word = max((one.right - one.left) / max(one.height, 1e-6) for one in (piece, before)) > SHORT
        if near and alike and word:
            lines[-1].append(piece)
        else:
            lines.append([piece])
    return lines


def _numbers(line: Sequence[_Piece]) -> tuple[int, ...]:
    return tuple(piece.number for piece in line)


def _usual(pieces: Sequence[_Piece]) -> float:
    return float(np.median([piece.height for piece in pieces]))


def _gutter(pieces: Sequence[_Piece]) -> float:
    """Pixels of white that part the columns of a table: less where it runs through more rows."""
    return (CELL_GUTTER if len(_rows(pieces)) < 3 else TALL_CELL_GUTTER) * _usual(pieces)


def _is_table(pieces: list[_Piece]) -> bool:
    """Whether the pieces are cells of a table: their columns' rows are level, and not every column is prose."""
    columns = _split(pieces, 0, _gutter(pieces))
    if len(columns) < 2:
        return False
    rows = _rows(pieces)
    if len(rows) < 2:
        return False
    column_of = {piece.number: number for number, column in enumerate(columns) for piece in column}
    shared = [row for row in rows if len({column_of[piece.number] for piece in row}) > 1 and _aligned(row)]
    together = {piece.number for row in shared for piece in row}
    fullest = max(columns, key=len)
    if any(
        sum(piece.number in together for piece in column) < ALIGNED * len(column)
        for column in columns
        if column is not fullest
    ):
        return False
    prose = [_is_prose(column) for column in columns]
    if all(prose):
        return False
    # A note beside prose covers a few of its rows; a table's last column covers most.
    return len(shared) >= COVERED * len(rows) or not any(prose)


def _aligned(row: Sequence[_Piece]) -> bool:
    """Whether the pieces of a row stand on one line, as the cells of a table do."""
    return all(
        abs(first.middle - second.middle) <= CELL_SHIFT * max(first.height, second.height)
        for first, second in pairwise(row)
    )


def _is_prose(column: Sequence[_Piece]) -> bool:
    if np.mean([piece.is_number for piece in column]) >= NUMBERS:
        return False
    widths = np.array([(piece.right - piece.left) / max(piece.height, 1e-6) for piece in column])
    whole = max(piece.right for piece in column) - min(piece.left for piece in column)
    filled = np.median([piece.right - piece.left for piece in column]) / max(whole, 1e-6)
    return bool(np.median(widths) > LONG_PIECE and filled > FILLED)


def _columns(pieces: list[_Piece]) -> list[list[_Piece]]:
    """Columns of prose and notes from the left, parted by white that may lean as a page's fold does; one where there are none."""
    height = _usual(pieces)
    for gutter, lines in COLUMN_GAPS:
        best = [pieces]
        for lean in LEANS:
            columns: list[list[_Piece]] = []
            for group in _split(pieces, 0, gutter * height, lean):
                if columns and min(len(_rows(group)), len(_rows(columns[-1]))) < lines:
                    columns[-1].extend(group)
                else:
                    columns.append(group)
            if len(columns) > len(best):
                best = columns
        if len(best) > 1 and not _is_table(pieces):
            return best
    return [pieces]


def _split(pieces: Sequence[_Piece], axis: int, gap: float, lean: float = 0.0) -> list[list[_Piece]]:
    """Groups along one axis with more than `gap` pixels of white between them, which runs `lean` pixels aside a pixel down."""
    groups: list[list[_Piece]] = []
    reach = float("-inf")
    places = {piece.number: piece.outline[:, axis] - lean * piece.outline[:, 1 - axis] for piece in pieces}
    for piece in sorted(pieces, key=lambda piece: places[piece.number].min()):
        if places[piece.number].min() - reach > gap or not groups:
            groups.append([])
        groups[-1].append(piece)
        reach = max(reach, float(places[piece.number].max()))
    return groups


def _rows(pieces: Sequence[_Piece]) -> list[list[_Piece]]:
    """Rows from the top, each from the left; a piece belongs to the row whose nearest piece it is level with."""
    rows: list[list[_Piece]] = []
    for piece in sorted(pieces, key=lambda piece: piece.middle):
        best = next((row for row in reversed(rows) if _level(piece, _nearest(piece, row))), None)
        if best is None:
            rows.append([piece])
        else:
            best.append(piece)
    rows.sort(key=lambda row: float(np.mean([piece.middle for piece in row])))
    return [sorted(row, key=lambda piece: piece.left) for row in rows]


def _nearest(piece: _Piece, row: Sequence[_Piece]) -> _Piece:
    return min(row, key=lambda other: max(other.left - piece.right, piece.left - other.right))


def _level(first: _Piece, second: _Piece) -> bool:
    """Whether two pieces overlap in height as pieces of a row do, and do not stand above one another."""
    shared = min(first.bottom, second.bottom) - max(first.top, second.top)
    across = min(first.right, second.right) - max(first.left, second.left)
    beside = across < 0.5 * min(first.right - first.left, second.right - second.left)
    return beside and shared >= SAME_ROW * min(first.bottom - first.top, second.bottom - second.top)
