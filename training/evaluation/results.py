"""Tables of an evaluation, as Markdown and as result files for the documentation."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from training.evaluation.result_files import Cell, write_results


@dataclass(frozen=True)
class Table:
    """A measured table.

    Attributes:
        name: ends the result file's name; empty for the evaluation's main table.
        columns: headings with units; the first column names the rows.
        rows: as long as `columns`; numbers are rounded to the digits to show, None is not measured.
    """

    name: str
    columns: Sequence[str]
    rows: Sequence[Sequence[Cell]]

    def markdown(self) -> str:
        """The table in Markdown."""
        body = [["–" if cell is None else str(cell) for cell in row] for row in self.rows]
        return "\n".join(
            f"| {' | '.join(cells)} |" for cells in [list(self.columns), ["---"] * len(self.columns), *body]
        )


def percent(share: float | None) -> float | None:
    """A share in 0–1 as percent, with one digit."""
    return None if share is None else round(100 * float(share), 1)


def share(part: int, whole: int) -> float | None:
    """`part` of `whole`; None of nothing."""
    return part / whole if whole else None


def save(tables: Sequence[Table], path: Path, note: str) -> list[Path]:
    """Writes one result file a table.

    Args:
        tables: what was measured.
        path: of the main table, as `docs/results/evaluation-text.json`; other tables' names are added to its stem.
        note: which checkpoint was measured, and how.

    Returns:
        The files.
    """
    paths = [path.with_stem(f"{path.stem}-{table.name}") if table.name else path for table in tables]
    for table, own in zip(tables, paths, strict=True):
        write_results(own, table.columns, table.rows, note)
    return paths
