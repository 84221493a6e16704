"""Result files: the tables of an evaluation as JSON in `docs/results`, from which the documentation's tables are made."""

import hashlib
import json
import re
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

RESULTS = Path(__file__).resolve().parents[1] / "docs" / "results"
WEIGHTS = "model.safetensors"

Cell = str | int | float | None


@dataclass(frozen=True)
class Column:
    """A table's column. Cells of unit "%" are shares in 0–1; of "bits" and "ms" numbers; None is not measured."""

    name: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """A measured table: every row has one cell for each column."""

    title: str
    columns: Sequence[Column]
    rows: list[list[Cell]] = field(default_factory=list)

    def markdown(self) -> str:
        """The table in Markdown, with its numbers rounded for reading."""
        head = [column.name for column in self.columns]
        body = [[_shown(cell, column.unit) for cell, column in zip(row, self.columns, strict=True)] for row in self.rows]
        return "\n".join(f"| {' | '.join(cells)} |" for cells in [head, ["---"] * len(head), *body])

    def to_dict(self) -> dict:
        """Plain values, ready for JSON: the title, each column's unit by its name, and the rows."""
        return {"title": self.title, "columns": {c.name: c.unit for c in self.columns}, "rows": self.rows}


def _shown(cell: Cell, unit: str) -> str:
    if cell is None:
        return "–"
    if unit == "%":
        return f"{100 * cell:.1f} %"
    return f"{cell:.2f}" if unit == "bits" else f"{cell:.0f}" if unit == "ms" else str(cell)


def save(name: str, checkpoint: str, folder: Path, tables: Sequence[Table], into: Path = RESULTS) -> Path:
    """Writes `docs/results/<name>.json`.

    Args:
        name: the file's name without its ending.
        checkpoint: the checkpoint's name, as `load_recognizer` takes it.
        folder: the folder that holds its weights, whose SHA-256 is recorded.
        tables: what was measured.
        into: the folder of the result files.

    Returns:
        The path of the file.
    """
    module = sys.modules["__main__"].__spec__
    command = ["python", *(["-m", module.name.removesuffix(".__main__")] if module else sys.argv[:1]), *sys.argv[1:]]
    result = {
        "command": shlex.join(command),
        "date": date.today().isoformat(),
        "checkpoint": checkpoint,
        "weights_sha256": hashlib.sha256((folder / WEIGHTS).read_bytes()).hexdigest(),
        "tables": [table.to_dict() for table in tables],
    }
    into.mkdir(parents=True, exist_ok=True)
    path = into / f"{name}.json"
    path.write_text(_compact(json.dumps(result, ensure_ascii=False, indent=1)) + "\n", encoding="utf-8")
    return path


def load(path: Path) -> list[Table]:
    """The tables of a result file."""
    tables = json.loads(path.read_text(encoding="utf-8"))["tables"]
    return [Table(t["title"], [Column(*column) for column in t["columns"].items()], t["rows"]) for t in tables]


def _compact(text: str) -> str:
    """JSON in which every innermost list or object stands on one line."""
    return re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda match: re.sub(r"\n\s*", " ", match.group()), text)
