"""Tables of measured numbers: as Markdown, and as the result files of the documentation (docs/results/README.md has the schema)."""

import datetime
import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

Cell = str | int | float | None


def markdown(columns: Sequence[str], rows: Sequence[Sequence[Cell]]) -> str:
    """A table in Markdown; None is shown as a dash."""
    body = [["–" if cell is None else str(cell) for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in [list(columns), ["---"] * len(columns), *body])


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
        return markdown(self.columns, self.rows)


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


def write_results(
    path: Path, columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "", command: str | None = None
) -> None:
    """Writes one table.

    Args:
        path: the file, usually `docs/results/<name>.json`.
        columns: headings, with units.
        rows: one sequence a row, as long as `columns`; numbers already rounded to the digits to show.
        note: what a reader must know about the run.
        command: the command that measured; this process's own if None.

    Raises:
        ValueError: a row is not as long as `columns`.
    """
    for row in rows:
        if len(row) != len(columns):
            raise ValueError(f"{path.name}: {len(row)} cells for {len(columns)} columns in {list(row)}.")
    head = {
        "command": command or this_command(),
        "date": datetime.date.today().isoformat(),
        "machine": this_machine(),
        "note": note,
        "columns": list(columns),
    }
    lines = ",\n".join(f"  {json.dumps(list(row), ensure_ascii=False)}" for row in rows)
    text = json.dumps(head, ensure_ascii=False, indent=1).removesuffix("\n}")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f'{text},\n "rows": [\n{lines}\n ]\n}}\n', encoding="utf-8")


def this_command() -> str:
    """The command of this process, without the option that only names the result file, and with no folder of this machine."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    arguments = sys.argv[1:]
    if "--results" in arguments:
        at = arguments.index("--results")
        del arguments[at : at + 2]
    arguments = [Path(argument).name if Path(argument).is_absolute() else argument for argument in arguments]
    start = ["python", "-m", spec.name.removesuffix(".__main__")] if spec else ["python", Path(sys.argv[0]).name]
    return shlex.join([*start, *arguments])


def this_machine() -> str:
    """The processor's kind and the number of cores that this process may use."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{cores} cores, {platform.machine()}{_vector_width()}"


def _vector_width() -> str:
    try:
        flags = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return ""
    return " with AVX-512" if "avx512f" in flags else " without AVX-512"
