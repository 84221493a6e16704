"""Tables and forms of a page, for formats that write them as tables."""

from collections.abc import Sequence

from hwr_core.reading import Line, Page

Row = tuple[Line, ...]


def blocks_of(page: Page) -> list[list[Row]]:
    """Groups the rows of a page: the rows of a table stand together, every other row is a block of its own."""
    blocks: list[list[Row]] = []
    for row in page.rows:
        cell, before = row[0].cell, blocks[-1][-1][0].cell if blocks else None
        if cell and before and cell.table == before.table:
            blocks[-1].append(row)
        else:
            blocks.append([row])
    return blocks


def grid_of(rows: Sequence[Row]) -> list[list[list[Line]]]:
    """The lines of a table by row and column.

    Args:
        rows: The rows of a table, as `blocks_of` returns them.

    Returns:
        Lists of equal length, one a row. Each holds the lines of its cells; an empty cell has none.
    """
    columns = [[0 if line.cell is None else line.cell.column for line in row] for row in rows]
    count = 1 + max(max(numbers) for numbers in columns)
    grid: list[list[list[Line]]] = [[[] for _ in range(count)] for _ in rows]
    for cells, row, numbers in zip(grid, rows, columns, strict=True):
        for line, number in zip(row, numbers, strict=True):
            cells[number].append(line)
    return grid
