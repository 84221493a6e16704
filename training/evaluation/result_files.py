"""Writes the result files from which the documentation makes its tables (docs/results/README.md has the schema)."""

import datetime
import json
import os
import platform
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

Cell = str | int | float | None


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


def print_table(columns: Sequence[str], rows: Sequence[Sequence[Cell]], note: str = "") -> None:
    """Prints a table as Markdown, then the note."""
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}")
    for row in rows:
        print(f"| {' | '.join('–' if cell is None else str(cell) for cell in row)} |")
    print(f"\n{note}" if note else "")


def this_command() -> str:
    """The command of this process, without the options that only name the result file."""
    spec = getattr(sys.modules["__main__"], "__spec__", None)
    arguments = sys.argv[1:]
    if "--results" in arguments:
        at = arguments.index("--results")
        del arguments[at : at + 2]
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
